#include "base/os/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/os/system_error.h"

namespace polaris {

OutputFile::OutputFile(std::string path, std::string part, Descriptor file)
    : path_(std::move(path)), part_(std::move(part)), file_(std::move(file)) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      part_(std::exchange(other.part_, {})),
      file_(std::move(other.file_)) {}

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  if (this != &other) {
    drop();
    path_ = std::move(other.path_);
    part_ = std::exchange(other.part_, {});
    file_ = std::move(other.file_);
  }
  return *this;
}

OutputFile::~OutputFile() { drop(); }

void OutputFile::drop() {
  file_.reset();
  if (!part_.empty()) ::unlink(part_.c_str());
  part_.clear();
}

Result<OutputFile> OutputFile::create(const std::string& path) {
  std::string part = path + ".part" + std::to_string(::getpid());
  Descriptor file(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) return file_error(path, "cannot be made", errno);
  return OutputFile(path, std::move(part), std::move(file));
}

Status OutputFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(file_.get(), bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return file_error(path_, "cannot be written", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
  return Status::success();
}

Status OutputFile::commit() {
  // What the system could not write it may tell only now.
  if (::close(file_.release()) != 0) return file_error(path_, "cannot be closed", errno);
  if (::rename(part_.c_str(), path_.c_str()) != 0) {
    return file_error(path_, "cannot be replaced", errno);
  }
  part_.clear();
  return Status::success();
}

std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return FileIdentity{static_cast<std::uint64_t>(info.st_dev),
                      static_cast<std::uint64_t>(info.st_ino)};
}

}  // namespace polaris
