#include "quant/scheme.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace polaris {
namespace {

constexpr QuantScheme kSchemes[] = {
    {"copy", "", 0},        {"f32", "f32", 0},    {"f16", "f16", 1},      {"bf16", "bf16", 32},
    {"q8_0", "q8_0", 7},    {"q6_k", "q6_k", 18}, {"q5_k_m", "q5_k", 17}, {"q5_k_s", "q5_k", 16},
    {"q5_1", "q5_1", 9},    {"q5_0", "q5_0", 8},  {"q4_k_m", "q4_k", 15}, {"q4_k_s", "q4_k", 14},
    {"q4_1", "q4_1", 3},    {"q4_0", "q4_0", 2},  {"q3_k_l", "q3_k", 13}, {"q3_k_m", "q3_k", 12},
    {"q3_k_s", "q3_k", 11}, {"q2_k", "q2_k", 10},
};

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

}  // namespace

std::span<const QuantScheme> quant_schemes() { return kSchemes; }

const QuantScheme* find_quant_scheme(std::string_view name) {
  const auto* row = std::find_if(std::begin(kSchemes), std::end(kSchemes),
                                 [&](const QuantScheme& s) { return same_letters(s.name, name); });
  return row == std::end(kSchemes) ? nullptr : row;
}

}  // namespace polaris
