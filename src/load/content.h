#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace polaris {

/// What a file that no loader knows looks like, for messages: "is empty", "is a gzip archive" ...;
/// empty where nothing is recognized.
std::string_view describe_content(std::span<const std::byte> file);

}  // namespace polaris
