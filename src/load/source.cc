#include "load/source.h"

#include "base/os/descriptor.h"
#include "base/os/files.h"
#include "base/os/mapping_guard.h"
#include "base/strings.h"

namespace polaris {
namespace {

SourceFile source_file(const std::shared_ptr<const MappedFile>& mapping) {
  return {mapping->bytes(), mapping, mapping};
}

SourceFile in_memory_file(std::vector<std::byte> bytes) {
  const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return {*owner, owner, nullptr};
}

Result<SourceFile> map_inside(const std::string& folder, std::string_view name) {
  const auto found = open_inside(folder, name);
  if (!found) return found.error();
  const auto mapping = MappedFile::open(folder + "/" + std::string(name));
  if (!mapping) return mapping.error();
  // The system followed the name on its own: it must have come to the same file.
  const auto mapped = identity_of(**mapping);
  if (!(*mapping)->bytes().empty() && mapped != found->identity()) {
    return Error::invalid("[load] '" + printable(name) + "' was replaced while it was opened");
  }
  return source_file(*mapping);
}

}  // namespace

Result<Source> Source::open(const std::string& path) {
  if (path_kind(path) == PathKind::kFolder) {
    auto out = open_in(path, kFolderMain);
    if (out || out.error().code() != ErrorCode::kNotFound) return out;
    return Error::unsupported("[load] '" + path + "' is a folder without " + kFolderMain +
                              ", wanted a model file or a folder that has one");
  }
  const auto mapping = MappedFile::open(path);
  if (!mapping) return mapping.error();
  Source out;
  out.path_ = path;
  out.folder_ = path_folder(path);
  out.main_ = source_file(*mapping);
  return out;
}

Result<Source> Source::open_in(const std::string& folder, std::string_view name) {
  auto main = map_inside(folder, name);
  if (!main) return main.error();
  Source out;
  out.path_ = folder;
  out.folder_ = folder;
  out.main_ = main.take();
  return out;
}

Source Source::in_memory(std::string name, std::vector<std::byte> bytes,
                         std::map<std::string, std::vector<std::byte>, std::less<>> files) {
  Source out;
  out.path_ = std::move(name);
  out.main_ = in_memory_file(std::move(bytes));
  for (auto& [file, content] : files) out.files_.emplace(file, in_memory_file(std::move(content)));
  return out;
}

Result<SourceFile> Source::file(std::string_view name) {
  if (const auto at = files_.find(name); at != files_.end()) return at->second;
  if (folder_.empty()) {
    return Error::not_found("[load] '" + printable(name) + "': a model in memory has no such file");
  }
  if (files_.size() >= kFilesMax) {
    return Error::invalid("[load] the model names more than " + std::to_string(kFilesMax) +
                          " files");
  }
  auto file = map_inside(folder_, name);
  if (!file) return file.error();
  return files_.emplace(name, file.take()).first->second;
}

Status Source::check() const {
  if (main_.mapping) {
    if (auto status = check_mapping(*main_.mapping); !status) return status;
  }
  for (const auto& [name, file] : files_) {
    if (!file.mapping) continue;
    if (auto status = check_mapping(*file.mapping); !status) return status;
  }
  return Status::success();
}

}  // namespace polaris
