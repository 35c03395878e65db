#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polaris {

/// The whole of `text` as a decimal number, or nothing (empty, other characters, out of range).
std::optional<std::int64_t> parse_i64(std::string_view text);
std::optional<std::uint64_t> parse_u64(std::string_view text);
/// Decimal, exponent, "inf" and "nan" forms, independent of the locale.
std::optional<double> parse_f64(std::string_view text);

/// Shortest text that parse_f64 reads back as the same float / double.
std::string format_f32(float value);
std::string format_f64(double value);

/// Parts between separators; "" gives one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);
/// Without spaces, tabs, line ends and NULs at both ends.
std::string_view trim(std::string_view text);

/// For messages: text from a file, cut to `bytes_max`, with control characters and bytes that are
/// not ASCII as \xNN.
std::string printable(std::string_view text, std::size_t bytes_max = 96);

/// Length of the UTF-8 sequence at the front of `text`, or 0 where it is malformed (overlong,
/// surrogate, beyond U+10FFFF, cut).
std::size_t utf8_length(std::string_view text);

}  // namespace polaris
