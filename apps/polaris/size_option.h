#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace polaris::cli {

/// "2GiB", "512 MiB", "1.5g", "4096": bytes, in powers of 1024. Nothing where it is no size above
/// 0, or beyond what 63 bits hold.
std::optional<std::int64_t> parse_size(const std::string& text);
/// What is wrong with a size, or "".
std::string size_error(const std::string& text);

}  // namespace polaris::cli
