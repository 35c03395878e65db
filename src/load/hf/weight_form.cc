#include "load/hf/weight_form.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/strings.h"
#include "tensor/element.h"

namespace polaris::hf {
namespace {

using Made = Result<std::shared_ptr<const Constant>>;

Error bad(const Constant& tensor, const std::string& wanted) {
  return Error::invalid("[hf] tensor '" + printable(tensor.name) + "', got " +
                        tensor.data.type().to_string() + ", wanted " + wanted);
}

Made with_data(const Constant& from, Tensor data) {
  auto out = std::make_shared<Constant>();
  out->name = from.name;
  out->data = std::move(data);
  return std::shared_ptr<const Constant>(std::move(out));
}

/// Biases, of one axis, stay as they are.
Made transposed(const std::shared_ptr<const Constant>& tensor) {
  const Tensor& data = tensor->data;
  if (data.shape().rank() == 1) return tensor;
  if (data.shape().rank() != 2 || is_small(data.dtype())) return bad(*tensor, "a matrix");
  const std::int64_t rows = data.shape()[0];
  const std::int64_t columns = data.shape()[1];
  auto out = Tensor::allocate(data.dtype(), Shape{columns, rows});
  if (!out) return out.error();
  const ElementWidth width = width_of(data.dtype());
  const std::byte* from = data.bytes().data();
  std::byte* to = out->mutable_bytes().data();
  constexpr std::int64_t kTile = 32;  // so that both sides stay in the cache
  for (std::int64_t r0 = 0; r0 < rows; r0 += kTile) {
    for (std::int64_t c = 0; c < columns; ++c) {
      for (std::int64_t r = r0; r < std::min(r0 + kTile, rows); ++r) {
        copy_bytes(to + width.of(c * rows + r), from + width.of(r * columns + c),
                   static_cast<std::size_t>(width.of(1)));
      }
    }
  }
  return with_data(*tensor, out.take());
}

Made plus_one(const std::shared_ptr<const Constant>& tensor) {
  const Tensor& data = tensor->data;
  if (!is_float(data.dtype()) || data.shape().rank() != 1)
    return bad(*tensor, "floats of one axis");
  auto out = Tensor::allocate(DType::kF32, data.shape());
  if (!out) return out.error();
  for (std::int64_t i = 0; i < data.elements(); ++i) {
    out->mutable_data<float>()[i] = static_cast<float>(element_as_f64(data, i) + 1.0);
  }
  return with_data(*tensor, out.take());
}

Made from_row(const std::shared_ptr<const Constant>& tensor, std::int64_t first) {
  const Tensor& data = tensor->data;
  if (data.shape().rank() != 2 || is_small(data.dtype()) || first < 0 || data.shape()[0] <= first) {
    return bad(*tensor, "a matrix of more than " + std::to_string(first) + " rows");
  }
  TensorType type = data.type();
  type.shape = Shape{data.shape()[0] - first, data.shape()[1]};
  const std::size_t row = data.bytes().size() / static_cast<std::size_t>(data.shape()[0]);
  auto out = std::make_shared<Constant>();
  out->name = tensor->name;
  out->file = tensor->file;
  out->data =
      Tensor::view(type, data.bytes().subspan(static_cast<std::size_t>(first) * row), data.owner());
  return std::shared_ptr<const Constant>(std::move(out));
}

}  // namespace

Made in_form(const std::shared_ptr<const Constant>& tensor, WeightForm form,
             std::int64_t first_row) {
  switch (form) {
    case WeightForm::kAsIs: return tensor;
    case WeightForm::kTransposed: return transposed(tensor);
    case WeightForm::kPlusOne: return plus_one(tensor);
    case WeightForm::kFromRow: return from_row(tensor, first_row);
  }
  return tensor;
}

}  // namespace polaris::hf
