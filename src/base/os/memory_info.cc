#include "base/os/memory_info.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/os/files.h"
#include "base/strings.h"

namespace polaris {
namespace {

// The value of a line "Name:   123 kB", in bytes; 0 where there is none.
std::int64_t field_bytes(std::string_view text, std::string_view name) {
  for (std::string_view line : split(text, '\n')) {
    if (!line.starts_with(name)) continue;
    std::string_view rest = trim(line.substr(name.size()));
    if (rest.ends_with(" kB")) rest.remove_suffix(3);
    return parse_i64(trim(rest)).value_or(0) * 1024;
  }
  return 0;
}

std::int64_t number_file(const std::string& path) {
  const auto text = read_file(path, 64);
  return text ? parse_i64(trim(*text)).value_or(0) : 0;
}

}  // namespace

HostMemory host_memory() {
  HostMemory out;
  if (const auto text = read_file("/proc/meminfo", 1 << 16)) {
    out.total_bytes = field_bytes(*text, "MemTotal:");
    out.available_bytes = field_bytes(*text, "MemAvailable:");
  }
  const std::int64_t limit = number_file("/sys/fs/cgroup/memory.max");
  if (limit > 0 && limit < out.total_bytes) {
    const std::int64_t used = number_file("/sys/fs/cgroup/memory.current");
    out.total_bytes = limit;
    out.available_bytes = std::clamp<std::int64_t>(limit - used, 0, out.available_bytes);
  }
  return out;
}

ProcessMemory process_memory() {
  ProcessMemory out;
  if (const auto text = read_file("/proc/self/status", 1 << 16)) {
    out.resident_bytes = field_bytes(*text, "VmRSS:");
    out.anonymous_bytes = field_bytes(*text, "RssAnon:");
    out.peak_bytes = field_bytes(*text, "VmHWM:");
  }
  return out;
}

bool reset_peak_memory() {
  const int fd = ::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = ::write(fd, "5", 1) == 1;
  ::close(fd);
  return done;
}

}  // namespace polaris
