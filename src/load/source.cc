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

}  // namespace

Result<Source> Source::open(const std::string& path) {
  if (path_kind(path) == PathKind::kFolder) {
    return Error::unsupported("[load] '" + path + "' is a folder, wanted a model file");
  }
  const auto mapping = MappedFile::open(path);
  if (!mapping) return mapping.error();
  Source out;
  out.path_ = path;
  out.folder_ = path_folder(path);
  out.main_ = source_file(*mapping);
  return out;
}

Source Source::in_memory(std::string name, std::vector<std::byte> bytes) {
  const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  Source out;
  out.path_ = std::move(name);
  out.main_ = {*owner, owner, nullptr};
  return out;
}

Result<SourceFile> Source::file(std::string_view name) {
  if (const auto at = files_.find(name); at != files_.end()) return at->second;
  if (folder_.empty()) {
    return Error::not_found("[load] '" + printable(name) + "': a model in memory has no files");
  }
  if (files_.size() >= kFilesMax) {
    return Error::invalid("[load] the model names more than " + std::to_string(kFilesMax) +
                          " files");
  }
  const auto found = open_inside(folder_, name);
  if (!found) return found.error();
  const auto mapping = MappedFile::open(folder_ + "/" + std::string(name));
  if (!mapping) return mapping.error();
  // The system followed the name on its own: it must have come to the same file.
  const auto mapped = identity_of(**mapping);
  if (!(*mapping)->bytes().empty() && mapped != found->identity()) {
    return Error::invalid("[load] '" + printable(name) + "' was replaced while it was opened");
  }
  return files_.emplace(name, source_file(*mapping)).first->second;
}

Status Source::check() const {
  if (main_.mapping) {
    if (auto status = check_mapping(*main_.mapping); !status) return status;
  }
  for (const auto& [name, file] : files_) {
    if (auto status = check_mapping(*file.mapping); !status) return status;
  }
  return Status::success();
}

}  // namespace polaris
