#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace polaris {

/// GPT-2's way to write any bytes as letters: printable bytes of Latin-1 stand for themselves, the
/// others for U+0100 and up (Radford et al. 2019).
std::string_view byte_letter(std::uint8_t byte);
std::string to_byte_letters(std::string_view bytes);
/// The bytes that letters stand for; what is no such letter stays as it is.
std::string from_byte_letters(std::string_view letters);

}  // namespace polaris
