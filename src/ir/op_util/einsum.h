#pragma once
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tensor/shape.h"

/// Einsum's equation.
namespace polaris {

/// Labels are letters; those that stand for the dims of an ellipsis have numbers from 0 on, the
/// last dim 0.
using EinsumLabels = std::vector<int>;

struct EinsumEquation {
  std::vector<EinsumLabels> inputs;
  EinsumLabels output;
};

/// The equation with a label for each dim of the operands. Errors: invalid, without a prefix.
Result<EinsumEquation> labelled_equation(std::string_view text, const std::vector<Shape>& shapes);

}  // namespace polaris
