#include "base/os/descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

#include "base/os/system_error.h"
#include "base/strings.h"

namespace polaris {
namespace {

constexpr std::size_t kNameBytesMax = 4096;
constexpr int kLinksMax = 16;
constexpr std::string_view kUp = "../";
constexpr std::string_view kBlobs = "blobs/";
constexpr std::string_view kSnapshots = "snapshots";

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> found(::realpath(path.c_str(), nullptr), std::free);
  return found ? std::string(found.get()) : std::string();
}

/// How many folders `real` lies below the repository of a hub's cache: 2 for REPO/snapshots/REV.
std::optional<std::size_t> depth_in_hub(std::string_view real) {
  const std::vector<std::string_view> parts = split(real, '/');
  // The last "snapshots": repositories may themselves lie anywhere.
  for (std::size_t i = parts.size(); i-- > 0;) {
    if (parts[i] != kSnapshots) continue;
    const std::size_t depth = parts.size() - i;
    const bool below_a_folder = i >= 2;  // parts[0] is the empty one before the first slash
    return depth >= 2 && below_a_folder ? std::optional(depth) : std::nullopt;
  }
  return std::nullopt;
}

// A walk from a folder to a file below it, one open step at a time.
class Walk {
 public:
  Walk(std::string real_root, std::string_view name)
      : real_root_(std::move(real_root)), name_(name) {}

  Result<Descriptor> run() {
    Descriptor root(::open(real_root_.c_str(), kFolderFlags));
    if (!root) return file_error(real_root_, "cannot be opened", errno);
    folders_.push_back(std::move(root));
    queue(name_);
    while (!parts_.empty()) {
      const std::string part = std::move(parts_.back());
      parts_.pop_back();
      if (part.empty() || part == ".") continue;
      if (part == "..") {
        if (folders_.size() == 1) return refuse("is a link out of the model's folder");
        folders_.pop_back();
        continue;
      }
      auto file = step(part);
      if (!file || *file) return file;
    }
    return refuse("is not a regular file");
  }

 private:
  static constexpr int kFolderFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

  Error refuse(std::string_view why) const {
    return Error::invalid("[file] name '" + printable(name_) + "' " + std::string(why));
  }
  Error failed(int code) const { return file_error(printable(name_), "cannot be opened", code); }
  int here() const { return folders_.back().get(); }

  /// What a link or name says comes before what is still to go.
  void queue(std::string_view path) {
    const std::vector<std::string_view> parts = split(path, '/');
    for (std::size_t i = parts.size(); i-- > 0;) parts_.emplace_back(parts[i]);
  }

  /// Enters a folder, follows a link or opens the file; an empty descriptor where there is more.
  Result<Descriptor> step(const std::string& part) {
    struct stat info;
    if (::fstatat(here(), part.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return failed(errno);
    if (S_ISLNK(info.st_mode)) return follow(part);
    if (!parts_.empty()) {
      if (!S_ISDIR(info.st_mode)) return failed(ENOTDIR);
      Descriptor folder(::openat(here(), part.c_str(), kFolderFlags));
      if (!folder) return failed(errno);
      folders_.push_back(std::move(folder));
      return Descriptor();
    }
    return open_regular(here(), part);
  }

  /// Looked at before it is opened: opening a device may already do something.
  Result<Descriptor> open_regular(int folder, const std::string& part) const {
    struct stat info;
    if (::fstatat(folder, part.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return failed(errno);
    if (!S_ISREG(info.st_mode)) return refuse("is not a regular file");
    Descriptor file(::openat(folder, part.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file) return failed(errno);
    if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
      return refuse("is not a regular file");
    }
    return file;
  }

  Result<Descriptor> follow(const std::string& part) {
    if (++links_ > kLinksMax) return refuse("goes through too many links");
    std::string text(kNameBytesMax + 1, '\0');
    const ssize_t length = ::readlinkat(here(), part.c_str(), text.data(), text.size());
    if (length < 0) return failed(errno);
    if (static_cast<std::size_t>(length) > kNameBytesMax) return refuse("is too long a link");
    text.resize(static_cast<std::size_t>(length));
    if (text.starts_with('/')) {
      // Read from the folder's own place, where it begins with that.
      const std::string inside = real_root_ == "/" ? real_root_ : real_root_ + "/";
      if (!text.starts_with(inside)) return refuse("is a link out of the model's folder");
      folders_.erase(folders_.begin() + 1, folders_.end());
      text.erase(0, inside.size());
    } else if (const auto blob = blob_of(text)) {
      return open_blob(*blob);
    }
    queue(text);
    return Descriptor();
  }

  /// FILE, where this is the name's only link, and reads `../` up to the repository, `blobs/FILE`.
  std::optional<std::string> blob_of(std::string_view text) const {
    const auto depth = depth_in_hub(real_root_);
    if (!depth || !parts_.empty() || links_ != 1) return std::nullopt;
    const std::size_t ups = *depth + folders_.size() - 1;
    for (std::size_t i = 0; i < ups; ++i) {
      if (!text.starts_with(kUp)) return std::nullopt;
      text.remove_prefix(kUp.size());
    }
    if (!text.starts_with(kBlobs)) return std::nullopt;
    text.remove_prefix(kBlobs.size());
    const bool plain = !text.empty() && text != "." && text != ".." && text.find('/') == text.npos;
    return plain ? std::optional(std::string(text)) : std::nullopt;
  }

  Result<Descriptor> open_blob(const std::string& name) const {
    std::string up;
    for (std::size_t i = *depth_in_hub(real_root_); i > 0; --i) up += kUp;
    const Descriptor repository(::openat(folders_.front().get(), up.c_str(), kFolderFlags));
    if (!repository) return failed(errno);
    const Descriptor blobs(::openat(repository.get(), "blobs", kFolderFlags));
    if (!blobs) return failed(errno);
    return open_regular(blobs.get(), name);
  }

  std::string real_root_;
  std::string name_;
  std::vector<Descriptor> folders_;  // from the root to where the walk is
  std::vector<std::string> parts_;   // still to go, the next one last
  int links_ = 0;
};

}  // namespace

void Descriptor::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

FileIdentity Descriptor::identity() const {
  struct stat info;
  if (::fstat(fd_, &info) != 0) return {};
  return {info.st_dev, info.st_ino};
}

Result<Descriptor> open_inside(const std::string& root, std::string_view relative) {
  const auto refuse = [&](std::string_view why) {
    return Error::invalid("[file] name '" + printable(relative) + "' " + std::string(why));
  };
  if (relative.empty()) return refuse("is empty");
  if (relative.size() > kNameBytesMax) return refuse("is too long");
  if (relative.front() == '/') return refuse("is absolute");
  if (relative.find('\\') != relative.npos || relative.find('\0') != relative.npos) {
    return refuse("has a backslash or a NUL");
  }
  for (std::string_view part : split(relative, '/')) {
    if (part == "..") return refuse("leaves the model's folder");
  }
  const std::string real_root = real_path(root.empty() ? "." : root);
  if (real_root.empty()) return Error::not_found("[file] folder '" + root + "' does not exist");
  return Walk(real_root, relative).run();
}

}  // namespace polaris
