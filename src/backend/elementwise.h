#pragma once
#include <cstdint>
#include <string_view>

#include "backend/backend.h"
#include "backend/opcode.h"

namespace polaris {

enum class ElementForm : std::uint8_t {
  kUnary,
  kBinary,
  kVariadic,  // any number, folded from the left by a function of two
  kClip,      // min and max may be absent
  kWhere,     // bits of b or c by a
  kCopy,      // bits of a
  kCast,      // a, stored as the output's type
};
/// Operands of one call of the function.
constexpr int operands_of(ElementForm form) {
  switch (form) {
    case ElementForm::kUnary:
    case ElementForm::kCopy:
    case ElementForm::kCast: return 1;
    case ElementForm::kBinary:
    case ElementForm::kVariadic: return 2;
    case ElementForm::kClip:
    case ElementForm::kWhere: return 3;
  }
  return 0;
}

/// An op of elementwise.inc. Its attributes that are numbers are OpDef.numbers.
struct ElementwiseRow {
  std::string_view op;
  Opcode opcode;
  ElementForm form;
  std::uint32_t types;  // ElementTypes
  CpuForm cpu;
};

inline constexpr ElementwiseRow kElementwiseRows[] = {
#define POLARIS_OP_AS(op, code, form, types, cpu) \
  {#op, code, ElementForm::form, types, CpuForm::cpu},
#define POLARIS_OP(op, code, number, form, types, cpu) POLARIS_OP_AS(op, code, form, types, cpu)
#define POLARIS_FORM(code, number, form, types, cpu)
#include "backend/elementwise.inc"
#undef POLARIS_OP
#undef POLARIS_OP_AS
#undef POLARIS_FORM
};

/// Row of an op of domain "", or null.
const ElementwiseRow* find_elementwise(std::string_view op);

/// The function of a node: the row's, or that which its attributes choose.
Opcode opcode_of(const ElementwiseRow& row, const NodeDesc& node);

/// Number `i` of the node's attributes, 0 where the op has no such.
float number_of(const NodeDesc& node, std::size_t i);

}  // namespace polaris
