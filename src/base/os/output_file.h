#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "base/os/descriptor.h"
#include "base/result.h"

namespace polaris {

/// A file that is written front to back and seen by nobody before it is whole: it grows beside its
/// place under a name of its own, and takes its place at commit(). What is not committed goes away
/// with the object.
class OutputFile {
 public:
  /// Errors: io.
  static Result<OutputFile> create(const std::string& path);
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) noexcept;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Errors: io.
  Status append(std::span<const std::byte> bytes);
  /// Puts the file in its place, where it replaces what is there. Once. Errors: io.
  Status commit();

 private:
  OutputFile(std::string path, std::string part, Descriptor file);
  void drop();
  std::string path_;
  std::string part_;  // where it grows; empty: nothing to remove
  Descriptor file_;
};

/// Which file a path names, links followed; nothing where there is none.
std::optional<FileIdentity> identity_of(const std::string& path);

}  // namespace polaris
