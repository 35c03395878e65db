#include "tensor/tensor_writer.h"

#include <utility>

#include "tensor/element.h"

namespace polaris {

Result<TensorWriter> TensorWriter::begin(const TensorType& type) {
  TensorWriter out(type);
  if (type.dtype == DType::kString) return out;
  auto tensor = Tensor::allocate(type);
  if (!tensor) return tensor.error();
  out.tensor_ = tensor.take();
  return out;
}

void TensorWriter::add(const Tensor& from, std::int64_t at, std::int64_t count) {
  if (type_.dtype == DType::kString) {
    for (std::int64_t i = 0; i < count; ++i) strings_.push_back(from.string(at + i));
    return;
  }
  if (count == 0) return;
  copy_elements(type_.dtype, tensor_.mutable_bytes().data(), at_, from.bytes().data(), at, count);
  at_ += count;
}

Result<Tensor> TensorWriter::finish() {
  if (type_.dtype == DType::kString) return Tensor::strings(type_.shape, strings_);
  return std::move(tensor_);
}

}  // namespace polaris
