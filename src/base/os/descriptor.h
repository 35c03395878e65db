#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "base/os/mapping_guard.h"
#include "base/result.h"

namespace polaris {

/// An open file of the operating system, closed with the object; -1 is none.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = other.release();
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  /// Which file it is; of no file where it is not open.
  FileIdentity identity() const;
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_;
};

/// Opens the regular file `relative` below the folder `root`, for a name that a model file gives.
/// Links within the folder are followed. A folder `REPO/snapshots/REV[/...]` is the cache of a
/// model hub: there a name may be a link whose text is `../` up to REPO and then `blobs/FILE`, FILE
/// being a regular file (docs/adr/0014). Each step is taken from a folder held open, so that
/// renaming while we look leads nowhere else. Errors: invalid where the name is empty, absolute,
/// has a "..", a backslash or a NUL, where a link leads out of the folder, or where it names no
/// regular file; not_found; io.
Result<Descriptor> open_inside(const std::string& root, std::string_view relative);

}  // namespace polaris
