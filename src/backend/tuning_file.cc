#include "backend/tuning_file.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "base/os/files.h"

namespace polaris {
namespace {

constexpr std::string_view kFormat = "polaris tuning 1";
constexpr std::int64_t kFileBytesMax = std::int64_t{16} << 20;
constexpr std::size_t kKeyDigits = 32;
constexpr std::size_t kNameBytesMax = 200;

/// One line, whatever a driver calls itself.
std::string in_line(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return out;
}

std::string head_of(const DeviceInfo& device) {
  return std::string(kFormat) + "\ndevice " + in_line(device.tuning_device) + "\nbuild " +
         in_line(device.tuning_build) + "\n";
}

/// Takes a line off the front; nothing where no line is left.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

bool is_key(std::string_view text) {
  return text.size() == kKeyDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Error bad(const std::string& path, std::string_view what) {
  return Error::invalid("[tuning] '" + path + "' is not used: " + std::string(what));
}

/// Why a whole file is of no use here, "" where it is.
std::string mismatch(std::string_view& rest, const DeviceInfo& device) {
  const std::string wanted[] = {"device " + in_line(device.tuning_device),
                                "build " + in_line(device.tuning_build)};
  for (const std::string& line : wanted) {
    const auto got = take_line(rest);
    if (!got) return "it is cut off";
    if (*got != line) {
      return "it was measured with " + std::string(*got) + ", this is " + line +
             "; polaris tune measures anew";
    }
  }
  return {};
}

}  // namespace

std::string tuning_path(const std::string& cache_folder, const DeviceInfo& device) {
  return cache_folder + "/polaris/tuning-" + hash_text(device.tuning_device).hex() + ".txt";
}

Result<Tuning> load_tuning(const std::string& path, const DeviceInfo& device) {
  Result<std::string> file = read_file(path, kFileBytesMax);
  if (!file) return file.error();
  std::string_view rest = *file;
  const auto format = take_line(rest);
  if (!format || *format != kFormat) {
    return bad(path, "its first line is not '" + std::string(kFormat) + "'");
  }
  // The hash first: what a damaged line says means nothing.
  const std::size_t last = file->rfind("\nhash ");
  const std::string_view whole = *file;
  if (last == std::string::npos ||
      whole.substr(last + 1) != "hash " + hash_text(whole.substr(0, last + 1)).hex() + "\n") {
    return bad(path, "it is damaged or cut off (its hash does not fit)");
  }
  if (std::string why = mismatch(rest, device); !why.empty()) return bad(path, why);
  Tuning tuning;
  for (auto line = take_line(rest); line && !line->starts_with("hash "); line = take_line(rest)) {
    const std::size_t space = line->find(' ');
    if (space == std::string_view::npos || !is_key(line->substr(0, space)) ||
        line->size() - space - 1 > kNameBytesMax) {
      return bad(path, "a line is no node and its kernel");
    }
    tuning.set(std::string(line->substr(0, space)), std::string(line->substr(space + 1)));
  }
  return tuning;
}

Status save_tuning(const std::string& path, const DeviceInfo& device, const Tuning& tuning) {
  std::string text = head_of(device);
  for (const auto& [node, kernel] : tuning.all())
    text.append(node).append(" ").append(kernel).append("\n");
  text += "hash " + hash_text(text).hex() + "\n";
  if (auto made = make_folder(path_folder(path)); !made) return made;
  return write_file(path, text);
}

}  // namespace polaris
