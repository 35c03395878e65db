#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// Zip archives, as far as .npz files need them: entries stored or deflated, by the directory at
/// the file's end. Every offset and length is checked against the file before it is used.
namespace polaris {

struct ZipEntry {
  std::string name;
  std::uint64_t size = 0;  // of the data, unpacked
  std::uint64_t packed = 0;
  std::uint64_t at = 0;  // of the entry's own header
  std::uint32_t check = 0;
  std::uint16_t method = 0;
};

/// Errors: invalid (no archive, cut, or damaged), unsupported (encrypted, in several files).
Result<std::vector<ZipEntry>> list_zip(std::span<const std::byte> file);
/// An entry's data, its check sum proven. Errors: invalid, unsupported (another method).
Result<std::vector<std::byte>> read_zip(std::span<const std::byte> file, const ZipEntry& entry);

/// An archive of entries as they are, in the order in which they are added.
class ZipWriter {
 public:
  /// Errors: unsupported where the archive would not stay below 4 GiB or 65535 entries.
  Status add(std::string_view name, std::span<const std::byte> data);
  std::vector<std::byte> finish();

 private:
  std::vector<std::byte> out_;
  std::vector<std::byte> directory_;
  std::uint16_t entries_ = 0;
};

}  // namespace polaris
