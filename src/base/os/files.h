#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace polaris {

enum class PathKind : std::uint8_t { kMissing, kFile, kFolder, kOther };

/// What a path names, symbolic links followed.
PathKind path_kind(const std::string& path);

/// A small file as a string. Errors: not_found; io; invalid where it is longer than `bytes_max`.
Result<std::string> read_file(const std::string& path, std::int64_t bytes_max);

/// Replaces or makes a file so that readers see all of it or none. Errors: io.
Status write_file(const std::string& path, std::span<const std::byte> bytes);
Status write_file(const std::string& path, std::string_view text);

/// Makes a folder and those above it; fine where it exists. Errors: io.
Status make_folder(const std::string& path);

/// Names in a folder, sorted, without "." and "..". Errors: not_found; io; invalid where there are
/// more than `count_max`.
Result<std::vector<std::string>> list_folder(const std::string& path, std::int64_t count_max);

/// The folder of a path ("." where it has none) and the part after its last separator.
std::string path_folder(std::string_view path);
std::string path_name(std::string_view path);

}  // namespace polaris
