#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace polaris {

/// How the weights of a model are to be stored, under the names that llama.cpp has for it.
struct QuantScheme {
  std::string_view name;        // "q4_k_m"
  std::string_view storage;     // of most matrices: "q4_k"; empty: each as it is
  std::uint32_t file_type = 0;  // what general.file_type says
};

std::span<const QuantScheme> quant_schemes();
/// Null where there is none of that name; letters of either case.
const QuantScheme* find_quant_scheme(std::string_view name);

}  // namespace polaris
