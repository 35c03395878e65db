#pragma once
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace polaris {

/// A plain tensor in the making, of runs of elements of others, in its own row-major order. What is
/// read from must live until finish().
class TensorWriter {
 public:
  /// Errors as Tensor::allocate.
  static Result<TensorWriter> begin(const TensorType& type);
  /// The next `count` elements are those of `from` from `at` on, which has the same dtype.
  void add(const Tensor& from, std::int64_t at, std::int64_t count);
  /// Errors as Tensor::strings.
  Result<Tensor> finish();

 private:
  explicit TensorWriter(const TensorType& type) : type_(type) {}

  TensorType type_;
  Tensor tensor_;  // not of strings
  std::vector<std::string_view> strings_;
  std::int64_t at_ = 0;
};

}  // namespace polaris
