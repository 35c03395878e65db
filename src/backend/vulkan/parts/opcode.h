#pragma once
#include <cstdint>

#include "tensor/dtype.h"

/// Type codes and operand modes that C++ and GLSL share.
namespace polaris::vulkan {

using uint = std::uint32_t;
#include "backend/vulkan/shader/code.glsl"

inline constexpr std::uint32_t kTypeNone = 255;

/// Type code of a dtype, or kTypeNone where shaders have none (float64, which stays on the cpu: a
/// Polaris card does it at a sixteenth of its speed; and small dtypes).
constexpr std::uint32_t type_code(DType dtype) {
  switch (dtype) {
    case DType::kF32: return kTypeF32;
    case DType::kF16: return kTypeF16;
    case DType::kBF16: return kTypeBF16;
    case DType::kF64: return kTypeNone;
    case DType::kI8: return kTypeI8;
    case DType::kU8: return kTypeU8;
    case DType::kI16: return kTypeI16;
    case DType::kU16: return kTypeU16;
    case DType::kI32: return kTypeI32;
    case DType::kU32: return kTypeU32;
    case DType::kI64: return kTypeI64;
    case DType::kU64: return kTypeU64;
    case DType::kBool: return kTypeBool;
    case DType::kF8E4M3FN:
    case DType::kF8E4M3FNUZ:
    case DType::kF8E5M2:
    case DType::kF8E5M2FNUZ:
    case DType::kF8E8M0:
    case DType::kF4E2M1:
    case DType::kI4:
    case DType::kU4:
    case DType::kI2:
    case DType::kU2:
    case DType::kString: return kTypeNone;
  }
  return kTypeNone;
}

}  // namespace polaris::vulkan
