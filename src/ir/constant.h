#pragma once
#include <memory>
#include <string>

#include "base/os/mapped_file.h"
#include "tensor/tensor.h"

namespace polaris {

/// A constant's bytes; encoded constants keep the file's bytes. `name` is the weight's name in the
/// file and survives all passes. Apart from graph.h so that backends can see it.
struct Constant {
  Tensor data;
  Tensor scale;       // affine encoding only
  Tensor zero_point;  // affine encoding only; null: zero
  std::string name;
  std::shared_ptr<const MappedFile>
      file;  // set where data views a mapping: its pages can be released
};

}  // namespace polaris
