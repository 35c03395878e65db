#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/mapped_file.h"
#include "base/result.h"

namespace polaris {

/// A file's bytes and what keeps them alive.
struct SourceFile {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
  std::shared_ptr<const MappedFile> mapping;  // null for bytes in memory
};

/// Where a model comes from: its main file, and the folder in which files that it names must lie.
class Source {
 public:
  /// A file, or a folder whose main file is kFolderMain. Errors: not_found, io; unsupported for a
  /// folder without it.
  static Result<Source> open(const std::string& path);
  /// A file that is named rather than given: `folder` has it, by links of a hub's cache or none.
  /// Errors: as file().
  static Result<Source> open_in(const std::string& folder, std::string_view name);
  /// Bytes in memory, called `name` in messages, and the files that they may name.
  static Source in_memory(std::string name, std::vector<std::byte> bytes,
                          std::map<std::string, std::vector<std::byte>, std::less<>> files = {});

  const std::string& path() const { return path_; }
  const SourceFile& main() const { return main_; }
  /// A file that the model names, mapped once however often it is asked for. Errors: invalid where
  /// the name leads out of the folder (open_inside), names no regular file, or there are more than
  /// kFilesMax; not_found; io.
  Result<SourceFile> file(std::string_view name);
  /// Errors: io where one of the files was cut since it was opened.
  Status check() const;

  static constexpr std::size_t kFilesMax = 1024;
  static constexpr const char* kFolderMain = "config.json";

 private:
  std::string path_;
  std::string folder_;  // empty: in memory
  SourceFile main_;
  std::map<std::string, SourceFile, std::less<>> files_;
};

}  // namespace polaris
