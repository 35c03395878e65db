#include "output_files.h"

#include <algorithm>
#include <set>

namespace polaris::cli {
namespace {

// Leaves room for a number, ".json" and the suffix of a file under way, in the 255 of most systems.
constexpr std::size_t kStemBytesMax = 200;

bool is_plain(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

std::string stem_of(const std::string& name) {
  std::string out = name.empty() ? "_" : name.substr(0, kStemBytesMax);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !is_plain(c); }, '_');
  return out;
}

}  // namespace

std::vector<std::string> output_files(std::span<const std::string> names) {
  std::vector<std::string> out(names.size());
  std::set<std::string> taken;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (stem_of(names[i]) == names[i] && taken.insert(names[i]).second) out[i] = names[i];
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!out[i].empty()) continue;
    const std::string stem = stem_of(names[i]);
    std::string next = stem;
    for (int number = 2; !taken.insert(next).second; ++number) {
      next = stem + "_" + std::to_string(number);
    }
    out[i] = next;
  }
  return out;
}

}  // namespace polaris::cli
