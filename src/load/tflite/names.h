#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "load/tflite/importer.h"

namespace polaris::tflite {

/// How an operator comes into a graph; errors are the builder's.
using Import = void (*)(OperatorImport&);

struct OperatorRow {
  std::int32_t code = 0;
  std::string_view name;
  Import import = nullptr;  // null: not supported
};

/// Builtin operators by code, without gaps.
std::span<const OperatorRow> builtin_operators();
/// Custom operators that are known here.
std::span<const OperatorRow> custom_operators();
/// Null where there is none.
const OperatorRow* find_operator(const OpcodeDef& code);
/// "CONV_2D", "CUSTOM 'X'", "BUILTIN 999".
std::string operator_name(const OpcodeDef& code);

}  // namespace polaris::tflite
