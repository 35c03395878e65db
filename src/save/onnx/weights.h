#pragma once
#include <optional>
#include <string>

#include "base/result.h"
#include "ir/constant.h"

namespace polaris::onnx {

/// What a constant is in ONNX: a tensor, or integers that DequantizeLinear makes it of.
struct Written {
  Tensor data;
  Tensor scale;  // null: `data` is all
  Tensor zero_point;
  std::int64_t axis = 1;
  std::int64_t block = 0;
  bool decoded = false;  // blocks that ONNX cannot hold became floats
};

/// Numbers are those that the constant decodes to, to the bit. Errors: as Tensor::allocate.
Result<Written> written_form(const Constant& constant);

/// Bytes of what written_form() gives, or more.
std::int64_t written_bytes_max(const Constant& constant);

}  // namespace polaris::onnx
