#include "load/tflite/names.h"

#include <utility>

#include "base/strings.h"

namespace polaris::tflite {

#define POLARIS_TFLITE(code, name, import) void import(OperatorImport&);
#define POLARIS_TFLITE_NOT(code, name)
#define POLARIS_TFLITE_CUSTOM(name, import) void import(OperatorImport&);
#include "load/tflite/names.inc"
#undef POLARIS_TFLITE
#undef POLARIS_TFLITE_NOT
#undef POLARIS_TFLITE_CUSTOM

namespace {

constexpr OperatorRow kBuiltin[] = {
#define POLARIS_TFLITE(code, name, import) {code, #name, import},
#define POLARIS_TFLITE_NOT(code, name) {code, #name, nullptr},
#define POLARIS_TFLITE_CUSTOM(name, import)
#include "load/tflite/names.inc"
#undef POLARIS_TFLITE
#undef POLARIS_TFLITE_NOT
#undef POLARIS_TFLITE_CUSTOM
};

constexpr OperatorRow kCustom[] = {
#define POLARIS_TFLITE(code, name, import)
#define POLARIS_TFLITE_NOT(code, name)
#define POLARIS_TFLITE_CUSTOM(name, import) {kCustomOp, #name, import},
#include "load/tflite/names.inc"
#undef POLARIS_TFLITE
#undef POLARIS_TFLITE_NOT
#undef POLARIS_TFLITE_CUSTOM
};

constexpr bool codes_have_no_gaps() {
  std::int32_t next = 0;
  for (const OperatorRow& row : kBuiltin) {
    if (row.code != next++) return false;
  }
  return true;
}
static_assert(codes_have_no_gaps(), "names.inc lists builtin operators by code");

}  // namespace

std::span<const OperatorRow> builtin_operators() { return kBuiltin; }
std::span<const OperatorRow> custom_operators() { return kCustom; }

const OperatorRow* find_operator(const OpcodeDef& code) {
  if (code.builtin == kCustomOp) {
    for (const OperatorRow& row : kCustom) {
      if (row.name == code.custom) return &row;
    }
    return nullptr;
  }
  if (code.builtin < 0 || std::cmp_greater_equal(code.builtin, std::size(kBuiltin))) return nullptr;
  return &kBuiltin[code.builtin];
}

std::string operator_name(const OpcodeDef& code) {
  if (code.builtin == kCustomOp) return "CUSTOM '" + printable(code.custom) + "'";
  const OperatorRow* row = find_operator(code);
  return row != nullptr ? std::string(row->name) : "BUILTIN " + std::to_string(code.builtin);
}

}  // namespace polaris::tflite
