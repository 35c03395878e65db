#include "base/os/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/os/descriptor.h"
#include "base/os/output_file.h"
#include "base/os/system_error.h"

namespace polaris {

PathKind path_kind(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return PathKind::kMissing;
  if (S_ISREG(info.st_mode)) return PathKind::kFile;
  return S_ISDIR(info.st_mode) ? PathKind::kFolder : PathKind::kOther;
}

Result<std::string> read_file(const std::string& path, std::int64_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return file_error(path, "cannot be opened", errno);
  std::string out;
  char part[4096];
  for (;;) {
    const ssize_t got = ::read(file.get(), part, sizeof(part));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(path, "cannot be read", errno);
    if (got == 0) return out;
    out.append(part, static_cast<std::size_t>(got));
    if (std::cmp_greater(out.size(), bytes_max)) {
      return Error::invalid("[file] '" + path + "' is longer than " + std::to_string(bytes_max) +
                            " bytes");
    }
  }
}

Status write_file(const std::string& path, std::span<const std::byte> bytes) {
  auto file = OutputFile::create(path);
  if (!file) return file.error();
  if (auto status = file->append(bytes); !status) return status;
  return file->commit();
}

Status write_file(const std::string& path, std::string_view text) {
  return write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

Status make_folder(const std::string& path) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    if (part.empty() || ::mkdir(part.c_str(), 0777) == 0 || errno == EEXIST) continue;
    return file_error(path, "cannot be made", errno);
  }
  if (path_kind(path) != PathKind::kFolder) {
    return Error::io("[file] '" + path + "' is not a folder");
  }
  return Status::success();
}

Result<std::vector<std::string>> list_folder(const std::string& path, std::int64_t count_max) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (folder == nullptr) return file_error(path, "cannot be listed", errno);
  std::vector<std::string> out;
  // readdir is safe here: the stream belongs to this call alone.
  while (const dirent* entry = ::readdir(folder.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (std::cmp_greater_equal(out.size(), count_max)) {
      return Error::invalid("[file] '" + path + "' holds more than " + std::to_string(count_max) +
                            " names");
    }
    out.emplace_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string path_folder(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return std::string(path.substr(0, std::max<std::size_t>(slash, 1)));
}

std::string path_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return std::string(slash == path.npos ? path : path.substr(slash + 1));
}

}  // namespace polaris
