#include "tensor/values.h"

#include <utility>

namespace polaris {
namespace {

Error bad_item(const TensorType& got, const TensorType& wanted) {
  return Error::invalid("[tensor] item, got " + got.to_string() + ", wanted a plain one of " +
                        wanted.to_string());
}

}  // namespace

Shape join_shapes(const Shape& a, const Shape& b) {
  if (a.rank() != b.rank()) return Shape::filled(kMaxRank, kUnknownDim);
  Shape out = a;
  for (int d = 0; d < out.rank(); ++d) {
    if (a[d] != b[d]) out[d] = kUnknownDim;
  }
  return out;
}

Result<Tensor> make_sequence(const TensorType& element, std::vector<Tensor> items) {
  if (std::cmp_greater(items.size(), kSequenceItemsMax)) {
    return Error::exhausted("[tensor] items of a sequence, got " + std::to_string(items.size()) +
                            ", wanted at most " + std::to_string(kSequenceItemsMax));
  }
  TensorType type{element.dtype,
                  items.empty() ? element.shape : items.front().shape(),
                  {},
                  ValueKind::kSequence};
  for (const Tensor& item : items) {
    const bool fits = item && item.type().is_tensor() && item.type().encoding.is_plain();
    if (!fits || item.dtype() != element.dtype) return bad_item(item.type(), type);
    type.shape = join_shapes(type.shape, item.shape());
  }
  return Tensor::of_items(type, std::move(items));
}

Result<Tensor> make_optional(const TensorType& type, std::optional<Tensor> value) {
  const bool sequence = type.kind == ValueKind::kSequence;
  TensorType out{type.dtype,
                 value ? value->shape() : type.shape,
                 {},
                 sequence ? ValueKind::kOptionalSequence : ValueKind::kOptional};
  std::vector<Tensor> items;
  if (value) {
    const TensorType& got = value->type();
    const bool fits = got.kind == type.kind && got.dtype == type.dtype && got.encoding.is_plain();
    if (!fits || (!sequence && !got.is_tensor())) return bad_item(got, out);
    items.push_back(std::move(*value));
  }
  return Tensor::of_items(out, std::move(items));
}

std::vector<Tensor> tensors_of(const Tensor& value) {
  if (value.type().is_tensor()) return {value};
  std::vector<Tensor> out;
  for (const Tensor& item : value.items()) {
    const auto inner = tensors_of(item);
    out.insert(out.end(), inner.begin(), inner.end());
  }
  return out;
}

}  // namespace polaris
