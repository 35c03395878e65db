#include "ir/scan_tensors.h"

#include "tensor/element.h"

namespace polaris {
namespace {

/// The elements of what one index of dims [0, axis] holds.
std::int64_t run_elements(const TensorType& type, int axis) {
  return type.shape.elements_between(axis + 1, type.shape.rank());
}

}  // namespace

Result<Tensor> slice_tensor(const Tensor& whole, int axis, std::int64_t index) {
  TensorType type = whole.type();
  const std::int64_t length = type.shape[axis];
  const std::int64_t outer = type.shape.elements_between(0, axis);
  const std::int64_t run = run_elements(type, axis);
  type.shape.erase(axis);
  auto out = Tensor::allocate(type);
  if (!out || out->bytes().empty()) return out;
  std::byte* to = out->mutable_bytes().data();
  for (std::int64_t o = 0; o < outer; ++o) {
    copy_elements(type.dtype, to, o * run, whole.bytes().data(), (o * length + index) * run, run);
  }
  return out;
}

Result<Tensor> stack_tensors(std::span<const Tensor> parts, const TensorType& part, int axis) {
  TensorType type = part;
  type.shape.insert(axis, static_cast<std::int64_t>(parts.size()));
  if (!type.bytes()) {
    return Error::invalid("[tensor] stacked parts, got " + type.to_string() +
                          ", wanted a size that fits");
  }
  auto out = Tensor::allocate(type);
  if (!out || out->bytes().empty()) return out;
  const std::int64_t outer = type.shape.elements_between(0, axis);
  const std::int64_t run = run_elements(type, axis);
  std::byte* to = out->mutable_bytes().data();
  std::int64_t at = 0;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const Tensor& one : parts) {
      copy_elements(type.dtype, to, at, one.bytes().data(), o * run, run);
      at += run;
    }
  }
  return out;
}

}  // namespace polaris
