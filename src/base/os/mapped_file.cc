#include "base/os/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/os/mapping_guard.h"
#include "base/os/system_error.h"

namespace polaris {
namespace {

// [begin, end) cut to the file; begin > end where nothing is left.
struct Range {
  std::int64_t begin;
  std::int64_t end;
};
Range clip(std::int64_t offset, std::int64_t bytes, std::size_t size) {
  const auto limit = static_cast<std::int64_t>(size);
  const std::int64_t begin = std::clamp<std::int64_t>(offset, 0, limit);
  const std::int64_t end = bytes > limit - begin ? limit : begin + std::max<std::int64_t>(bytes, 0);
  return {begin, end};
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path) {
  // Not blocking: opening a pipe must not wait for a writer.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return file_error(path, "cannot be opened", errno);
  struct stat info;
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return Error::invalid("[file] '" + path + "' is not a regular file");
  }
  std::shared_ptr<MappedFile> out(new MappedFile());
  out->path_ = path;
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > 0) {
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
      const int code = errno;
      ::close(fd);
      return file_error(path, "cannot be mapped", code);
    }
    out->data_ = static_cast<const std::byte*>(data);
    out->size_ = size;
    guard_mapping(out->bytes(), {info.st_dev, info.st_ino});
  }
  ::close(fd);
  return std::shared_ptr<const MappedFile>(std::move(out));
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  unguard_mapping(bytes());
  ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release_pages(std::int64_t offset, std::int64_t bytes) const {
  const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  const Range range = clip(offset, bytes, size_);
  const std::int64_t begin = (range.begin + page - 1) / page * page;
  // The file's last page has no other owner, so it may go although it is not full.
  const bool at_end = range.end == static_cast<std::int64_t>(size_);
  const std::int64_t end = at_end ? range.end : range.end / page * page;
  if (begin >= end) return;
  ::madvise(const_cast<std::byte*>(data_) + begin, static_cast<std::size_t>(end - begin),
            MADV_DONTNEED);
}

void MappedFile::release_pages(std::span<const std::byte> part) const {
  if (part.data() < data_ || part.data() > data_ + size_) return;
  release_pages(part.data() - data_, static_cast<std::int64_t>(part.size()));
}

void MappedFile::prefetch(std::int64_t offset, std::int64_t bytes) const {
  const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  const Range range = clip(offset, bytes, size_);
  const std::int64_t begin = range.begin / page * page;
  if (begin >= range.end) return;
  ::madvise(const_cast<std::byte*>(data_) + begin, static_cast<std::size_t>(range.end - begin),
            MADV_WILLNEED);
}

}  // namespace polaris
