#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/os/mapped_file.h"
#include "base/result.h"

namespace polaris {

/// Which file of the system it is, whatever names lead to it.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// Mappings of files are watched. Reading a page that a file no longer holds, because it was cut or
/// its disk failed, raises SIGBUS, which would end the process; with a guard the rest of the
/// mapping turns into zeros instead. The first guard of the process takes over SIGBUS; signals from
/// elsewhere go on to whoever had it before. No more than kGuardsMax mappings are watched at once;
/// those beyond are left as they are.
inline constexpr int kGuardsMax = 4096;
void guard_mapping(std::span<const std::byte> mapping, const FileIdentity& identity);
/// Before the mapping goes.
void unguard_mapping(std::span<const std::byte> mapping);

/// Whether a read of the file's bytes failed since it was mapped. Asks nothing of the system.
bool is_damaged(const MappedFile& file);
/// Errors: io where bytes of the file were lost since it was mapped: a read failed, or it is
/// shorter now. Whoever gives out what was computed from the bytes asks this first.
Status check_mapping(const MappedFile& file);
/// What was mapped; nothing for a file that is empty or not guarded.
std::optional<FileIdentity> identity_of(const MappedFile& file);

}  // namespace polaris
