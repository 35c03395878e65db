#include "ir/any_rank.h"
#include "ir/op_attrs/shape.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const Tensor& value = c.as<ConstantOfShapeAttrs>().value;
  if (value && value.elements() != 1) {
    return c.fail("value, got " + value.type().to_string() + ", wanted one element");
  }
  if (auto s = all_of(check_dtype(c, 0, dtype_set(DType::kI64)), check_rank(c, 0, 1, 1)); !s) {
    return s;
  }
  const auto dims = c.known_ints(0);
  const std::int64_t rank = dims ? static_cast<std::int64_t>(dims->size()) : c.in(0).shape[0];
  if (rank > kMaxRank) {
    return c.fail("rank, got " + dim_text(rank) + ", wanted at most " + std::to_string(kMaxRank));
  }
  Shape out = unknown_shape(rank);
  for (int i = 0; dims && i < out.rank(); ++i) {
    const KnownInt& dim = (*dims)[static_cast<std::size_t>(i)];
    if (dim.is_number() && dim.value < 0) {
      return c.fail("dim, got " + std::to_string(dim.value) + ", wanted 0 or more");
    }
    out[i] = dim.dim();
  }
  set_output(c, 0, value ? value.dtype() : DType::kF32, out);
  return Status::success();
}

Status reference(RefContext& c) {
  const Tensor& value = c.as<ConstantOfShapeAttrs>().value;
  RefTensor from{c.out(0).type, nullptr};
  if (value) from.data = const_cast<std::byte*>(value.bytes().data());
  for (std::int64_t i = 0, n = c.out(0).type.shape.elements(); i < n; ++i) {
    if (value) {
      copy_elements(c.out(0), i, from, 0);
    } else {
      put_i64(c.out(0), i, 0);
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"input", kHostRead}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_constant_of_shape{
    .name = "ConstantOfShape",
    .doc = "A tensor of the given shape, filled with one value.",
    .since = 24,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<ConstantOfShapeAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
