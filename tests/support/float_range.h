#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ir/op_def.h"

/// Elementwise ops of floats over all that a float32 can be, and how far off each may be.
namespace polaris::test {

/// How far a result may be off: units in the last place of what is wanted, and an absolute part.
/// docs/performance.md has the same table.
struct FloatBound {
  double units = 0;
  double absolute = 0;
};

/// A unary op with attributes.
struct UnaryCase {
  const OpDef* op = nullptr;
  std::shared_ptr<Attrs> attrs;
  std::string name;  // "Celu alpha 1e+06"
  FloatBound bound;
};

/// All that are bounded, with their default attributes and with very small and very large ones.
std::vector<UnaryCase> unary_cases();

/// Every exponent, both signs, a few mantissas, what is no normal number, and many small ones.
std::vector<float> whole_range();

bool is_subnormal_or_zero(double v);

/// "" where `got` is within the bound of `want`, else how far it is off. Subnormal numbers may
/// count as zeros, and what overflows within the units may do so on either side.
std::string float_fault(float got, float want, const FloatBound& bound);

}  // namespace polaris::test
