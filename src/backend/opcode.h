#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

/// The functions of elementwise ops by number, as elementwise.inc lists them. No functions here:
/// sources of every instruction set include it.
namespace polaris {

enum Opcode : std::uint32_t {
#define POLARIS_OP(op, code, number, form, types, cpu) code = (number),
#define POLARIS_OP_AS(op, code, form, types, cpu)
#define POLARIS_FORM(code, number, form, types, cpu) code = (number),
#include "backend/elementwise.inc"
#undef POLARIS_OP
#undef POLARIS_OP_AS
#undef POLARIS_FORM
};

/// Dtypes that an op takes.
enum ElementTypes : std::uint32_t {
  kFloats = 1,
  kInts = 2,
  kBools = 4,
  kNumbers = kFloats | kInts,
  kAll = kFloats | kInts | kBools
};

/// How the cpu runs an op.
enum class CpuForm : std::uint8_t {
  kVector,     // float32 by a vector function
  kScalar,     // by OpDef.scalar; integers and comparisons by their loops
  kElsewhere,  // in a family of its own
};

inline constexpr std::size_t kUnaryCodes = 64;   // from 0
inline constexpr std::size_t kBinaryCodes = 32;  // from kUnaryCodes
inline constexpr std::size_t kOpcodes = 128;

/// What the cpu must have for an opcode.
struct CpuCode {
  bool vector = false;
  bool ints = false;
};
inline constexpr std::array<CpuCode, kOpcodes> kCpuCodes = [] {
  std::array<CpuCode, kOpcodes> out{};
#define POLARIS_OP_AS(op, code, form, types, cpu)       \
  out[code].vector |= CpuForm::cpu == CpuForm::kVector; \
  out[code].ints |= CpuForm::cpu != CpuForm::kElsewhere && ((types)&kInts) != 0;
#define POLARIS_OP(op, code, number, form, types, cpu) POLARIS_OP_AS(op, code, form, types, cpu)
#define POLARIS_FORM(code, number, form, types, cpu) POLARIS_OP_AS(, code, form, types, cpu)
#include "backend/elementwise.inc"
#undef POLARIS_OP
#undef POLARIS_OP_AS
#undef POLARIS_FORM
  return out;
}();

}  // namespace polaris
