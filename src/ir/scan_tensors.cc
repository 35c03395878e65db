#include "ir/scan_tensors.h"

#include "tensor/tensor_writer.h"

namespace polaris {
namespace {

/// The elements of what one index of dims [0, axis] holds.
std::int64_t run_elements(const TensorType& type, int axis) {
  return type.shape.elements_between(axis + 1, type.shape.rank());
}

}  // namespace

Result<Tensor> slice_tensor(const Tensor& whole, int axis, std::int64_t index) {
  auto out = cut_tensor(whole, axis, index, 1);
  if (!out) return out;
  Shape shape = out->shape();
  shape.erase(axis);
  return out->reshaped(shape);
}

Result<Tensor> cut_tensor(const Tensor& whole, int axis, std::int64_t from, std::int64_t count) {
  TensorType type = whole.type();
  const std::int64_t length = type.shape[axis];
  const std::int64_t outer = type.shape.elements_between(0, axis);
  const std::int64_t run = run_elements(type, axis);
  type.shape[axis] = count;
  auto out = TensorWriter::begin(type);
  if (!out) return out.error();
  for (std::int64_t o = 0; o < outer; ++o) {
    out->add(whole, (o * length + from) * run, count * run);
  }
  return out->finish();
}

Result<Tensor> stack_tensors(std::span<const Tensor> parts, const TensorType& part, int axis) {
  TensorType type = part;
  type.shape.insert(axis, static_cast<std::int64_t>(parts.size()));
  std::vector<Tensor> rows;
  for (const Tensor& one : parts) {
    Shape shape = one.shape();
    shape.insert(axis, 1);
    rows.push_back(one.reshaped(shape));
  }
  return join_tensors(rows, type, axis);
}

Result<Tensor> join_tensors(std::span<const Tensor> parts, const TensorType& type, int axis) {
  if (!type.shape.checked_elements()) {
    return Error::invalid("[tensor] stacked parts, got " + type.to_string() +
                          ", wanted a size that fits");
  }
  auto out = TensorWriter::begin(type);
  if (!out) return out.error();
  const std::int64_t outer = type.shape.elements_between(0, axis);
  const std::int64_t run = run_elements(type, axis);
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const Tensor& one : parts) {
      const std::int64_t elements = one.shape()[axis] * run;
      out->add(one, o * elements, elements);
    }
  }
  return out->finish();
}

}  // namespace polaris
