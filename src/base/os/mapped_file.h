#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace polaris {

/// A regular file's bytes, read only, mapped for the object's life. Where the file is cut while it
/// is mapped, what is gone reads as zeros, and check_mapping() of mapping_guard.h tells.
class MappedFile {
 public:
  /// Errors: not_found, io (both name the file); invalid where it is not a regular file.
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  /// Empty for an empty file.
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Gives the memory of whole pages in [offset, offset + bytes) back; a later read fetches them
  /// from the file again. Out of range parts are ignored.
  void release_pages(std::int64_t offset, std::int64_t bytes) const;
  /// The same for a part of bytes(); parts outside are ignored.
  void release_pages(std::span<const std::byte> part) const;
  /// Asks the system to read [offset, offset + bytes) ahead.
  void prefetch(std::int64_t offset, std::int64_t bytes) const;

 private:
  MappedFile() = default;
  std::string path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace polaris
