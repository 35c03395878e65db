#pragma once
#include <span>
#include <string_view>

namespace polaris {

/// A chat template of ours, for files that ship none.
struct ChatFormat {
  std::string_view name;
  /// A vocabulary that has this control token was made for the format.
  std::string_view token;
  std::string_view source;
};

std::span<const ChatFormat> chat_formats();

}  // namespace polaris
