#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace polaris::cli {

/// The numbers that an option takes: from `low` (without it where `above`) to `high`.
template <class T>
struct Bounds {
  T low = 0;
  T high = std::numeric_limits<T>::max();
  bool above = false;
};

/// "1 to 8", "1 or more", "above 0, at most 1": as help and errors say it.
template <class T>
std::string bounds_text(const Bounds<T>& bounds);
/// `value` where it is one that the bounds allow, as help shows it; else nothing is shown.
template <class T>
std::string default_text(T value, const Bounds<T>& bounds);
/// The number that `text` is; nothing where it is none, of this kind, within the bounds.
template <class T>
std::optional<T> read_number(const std::string& text, const Bounds<T>& bounds);
/// What is wrong with `text` as such a number: "got 'TEXT', wanted ...", or "".
template <class T>
std::string number_error(const std::string& text, const Bounds<T>& bounds);

/// An option that takes one number; every number of the command line is declared through this, so
/// that none is taken which the help rules out. `value` holds the default.
template <class T>
CLI::Option* add_number(CLI::App& app, const std::string& names, T& value,
                        std::type_identity_t<Bounds<T>> bounds, const std::string& doc) {
  const auto take = [&value, bounds](const std::string& text) {
    value = read_number(text, bounds).value_or(value);
  };
  const auto check = [bounds](const std::string& text) { return number_error(text, bounds); };
  return app.add_option_function<std::string>(names, take, doc + " (" + bounds_text(bounds) + ")")
      ->check(check, "")
      ->type_name("N")
      ->default_str(default_text(value, bounds));
}

/// The same for a list of numbers, with commas or given several times; each within the bounds.
template <class T>
CLI::Option* add_numbers(CLI::App& app, const std::string& names, std::vector<T>& values,
                         std::type_identity_t<Bounds<T>> bounds, const std::string& doc) {
  const auto take = [&values, bounds](const std::vector<std::string>& texts) {
    values.clear();
    for (const std::string& text : texts) values.push_back(read_number(text, bounds).value_or(T{}));
  };
  const auto check = [bounds](const std::string& text) { return number_error(text, bounds); };
  return app
      .add_option_function<std::vector<std::string>>(names, take,
                                                     doc + " (" + bounds_text(bounds) + ")")
      ->check(check, "")
      ->delimiter(',')
      ->type_name("N");
}

}  // namespace polaris::cli
