#include "ir/scan_tensors.h"

#include <cstring>

namespace polaris {
namespace {

/// The bytes of what one index of dims [0, axis] holds.
std::size_t run_bytes(const TensorType& type, int axis) {
  TensorType run = type;
  for (int d = 0; d <= axis; ++d) run.shape.erase(0);
  return static_cast<std::size_t>(run.bytes().value_or(0));
}

}  // namespace

Result<Tensor> slice_tensor(const Tensor& whole, int axis, std::int64_t index) {
  TensorType type = whole.type();
  const auto length = static_cast<std::size_t>(type.shape[axis]);
  const std::int64_t outer = type.shape.elements_between(0, axis);
  const std::size_t run = run_bytes(type, axis);
  type.shape.erase(axis);
  auto out = Tensor::allocate(type);
  if (!out || out->bytes().empty()) return out;
  std::byte* to = out->mutable_bytes().data();
  const std::byte* from = whole.bytes().data() + static_cast<std::size_t>(index) * run;
  for (std::int64_t o = 0; o < outer; ++o, to += run, from += length * run) {
    std::memcpy(to, from, run);
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
  const std::size_t run = run_bytes(type, axis);
  std::byte* to = out->mutable_bytes().data();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const Tensor& one : parts) {
      std::memcpy(to, one.bytes().data() + static_cast<std::size_t>(o) * run, run);
      to += run;
    }
  }
  return out;
}

}  // namespace polaris
