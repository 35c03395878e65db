#include "wire/flexbuffer.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace polaris {
namespace {

enum Kind : unsigned { kInt = 1, kUint = 2, kFloat = 3, kMap = 9, kBool = 26 };
// Indirect numbers lie elsewhere, where an offset leads.
constexpr unsigned kIndirect = 5;  // kInt + 5 = indirect int, and so on

template <class T>
T load_as(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

class FlexReader {
 public:
  explicit FlexReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  Result<std::map<std::string, double, std::less<>>> run() {
    const std::size_t end = bytes_.size();
    if (end < 3) return Error::invalid("a FlexBuffer of " + std::to_string(end) + " bytes");
    const auto width = std::to_integer<std::size_t>(bytes_[end - 1]);
    const auto packed = std::to_integer<unsigned>(bytes_[end - 2]);
    if (!is_width(width) || end - 2 < width || packed >> 2 != kMap) {
      return Error::invalid("the root of a FlexBuffer, wanted a map");
    }
    const auto map = follow(end - 2 - width, width);
    std::map<std::string, double, std::less<>> out;
    if (!map || !read_map(*map, std::size_t{1} << (packed & 3), out)) {
      return Error::invalid("a FlexBuffer's offset leads outside");
    }
    return out;
  }

 private:
  static bool is_width(std::size_t width) {
    return width == 1 || width == 2 || width == 4 || width == 8;
  }
  bool holds(std::size_t at, std::size_t size) const {
    return at <= bytes_.size() && size <= bytes_.size() - at;
  }
  std::uint64_t unsigned_at(std::size_t at, std::size_t width) const {
    const std::byte* from = bytes_.data() + at;
    switch (width) {
      case 1: return load_as<std::uint8_t>(from);
      case 2: return load_as<std::uint16_t>(from);
      case 4: return load_as<std::uint32_t>(from);
      default: return load_as<std::uint64_t>(from);
    }
  }
  /// Offsets lead back from where they stand.
  std::optional<std::size_t> follow(std::size_t at, std::size_t width) const {
    if (!holds(at, width)) return std::nullopt;
    const std::uint64_t back = unsigned_at(at, width);
    if (back > at) return std::nullopt;
    return at - static_cast<std::size_t>(back);
  }

  bool read_map(std::size_t at, std::size_t width,
                std::map<std::string, double, std::less<>>& out) const {
    // In front of the values: where the keys are, how wide their offsets, how many.
    if (at < 3 * width) return false;
    const auto keys = follow(at - 3 * width, width);
    const std::uint64_t key_width = unsigned_at(at - 2 * width, width);
    const std::uint64_t count = unsigned_at(at - width, width);
    if (!keys || !is_width(key_width) || count > bytes_.size()) return false;
    const auto n = static_cast<std::size_t>(count);
    if (!holds(at, n * width + n) || !holds(*keys, n * key_width)) return false;
    for (std::size_t i = 0; i < n; ++i) {
      const auto key = follow(*keys + i * key_width, key_width);
      if (!key || !read_value(at + i * width, width, bytes_[at + n * width + i], *key, out)) {
        return false;
      }
    }
    return true;
  }

  bool read_value(std::size_t at, std::size_t width, std::byte packed, std::size_t key,
                  std::map<std::string, double, std::less<>>& out) const {
    auto kind = std::to_integer<unsigned>(packed) >> 2;
    if (kind >= kInt + kIndirect && kind <= kFloat + kIndirect) {
      const auto place = follow(at, width);
      width = std::size_t{1} << (std::to_integer<unsigned>(packed) & 3);
      if (!place || !holds(*place, width)) return false;
      at = *place;
      kind -= kIndirect;
    }
    double value = 0;
    if (kind == kInt) {
      // The sign stands in the topmost bit of `width` bytes.
      const auto shift = 64 - 8 * width;
      value =
          static_cast<double>(static_cast<std::int64_t>(unsigned_at(at, width) << shift) >> shift);
    } else if (kind == kUint || kind == kBool) {
      value = static_cast<double>(unsigned_at(at, width));
    } else if (kind == kFloat && width == 4) {
      value = static_cast<double>(load_as<float>(bytes_.data() + at));
    } else if (kind == kFloat && width == 8) {
      value = load_as<double>(bytes_.data() + at);
    } else {
      return true;
    }
    const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + key,
                                bytes_.size() - key);
    const std::size_t length = rest.find('\0');
    if (length == rest.npos) return false;
    out.emplace(rest.substr(0, length), value);
    return true;
  }

  std::span<const std::byte> bytes_;
};

}  // namespace

Result<std::map<std::string, double, std::less<>>> read_flex_numbers(
    std::span<const std::byte> bytes) {
  return FlexReader(bytes).run();
}

}  // namespace polaris
