#pragma once
#include <string>

#include "tensor/tensor.h"

namespace polaris {

/// A constant's bytes; encoded constants keep the file's bytes. `name` is the weight's name in the
/// file and survives all passes. Apart from graph.h so that backends can see it.
struct Constant {
  Tensor data;
  Tensor scale;       // affine encoding only
  Tensor zero_point;  // affine encoding only; null: zero
  std::string name;
};

}  // namespace polaris
