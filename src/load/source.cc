#include "load/source.h"

#include "base/os/files.h"
#include "base/strings.h"

namespace polaris {
namespace {

Result<SourceFile> map_file(const std::string& path) {
  auto mapping = MappedFile::open(path);
  if (!mapping) return mapping.error();
  return SourceFile{(*mapping)->bytes(), *mapping, *mapping};
}

}  // namespace

Result<Source> Source::open(const std::string& path) {
  if (path_kind(path) == PathKind::kFolder) {
    return Error::unsupported("[load] '" + path + "' is a folder, wanted a model file");
  }
  auto file = map_file(path);
  if (!file) return file.error();
  Source out;
  out.path_ = path;
  out.folder_ = path_folder(path);
  out.main_ = file.take();
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
  const auto path = resolve_inside(folder_, name);
  if (!path) return path.error();
  auto file = map_file(*path);
  if (file) files_.emplace(name, *file);
  return file;
}

}  // namespace polaris
