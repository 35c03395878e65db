#pragma once
#include <cstdint>

#include "ir/op_def.h"

namespace polaris {

/// What a device does at best: the yardstick of `polaris bench`, made for nothing else. These ops
/// are in no op set, so no model has them; every backend has plain loops for them that share no
/// code with the kernels they are compared with.
///   limit.Fill()     float32[count], written once
///   limit.Copy(x)    x again
///   limit.Read(x)    float32[count / 64]: every element of x read, nothing else written
///   limit.Fma()      float32[count]: `rounds` rounds of kLimitChains independent multiply-adds for
///                    each element
struct LimitAttrs final : AttrsOf<LimitAttrs> {
  std::int64_t count = 0;  // a multiple of kLimitUnit
  std::int64_t rounds = 1;

  void visit(AttrVisitor& v) override {
    v.field("count", count);
    v.field("rounds", rounds);
  }
};

inline constexpr std::int64_t kLimitUnit = 16384;
inline constexpr std::int64_t kLimitReadPart = 64;  // elements read for each one written
inline constexpr int kLimitChains = 8;
/// Factor and addend of limit.Fma: values stay near 1, far from infinities and denormals.
inline constexpr float kLimitFactor = 0.75f;
inline constexpr float kLimitAddend = 0.25f;

extern const OpDef op_limit_fill;
extern const OpDef op_limit_copy;
extern const OpDef op_limit_read;
extern const OpDef op_limit_fma;

}  // namespace polaris
