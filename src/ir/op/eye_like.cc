#include "ir/op_attrs/select.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kAllTypes), check_rank(c, 0, 2, 2)); !s) return s;
  const DType wanted = c.as<EyeLikeAttrs>().dtype;
  const DType dtype = wanted == kTypeOfInput ? c.in(0).dtype : wanted;
  if (!contains(kAllTypes, dtype)) {
    return c.fail("dtype, got " + std::string(dtype_name(dtype)) + ", wanted a number or bool");
  }
  set_output(c, 0, dtype, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const std::int64_t k = c.as<EyeLikeAttrs>().k;
  const Shape& shape = c.out(0).type.shape;
  for (std::int64_t i = 0, n = shape.elements(); i < n; ++i) {
    put_i64(c.out(0), i, i % shape[1] - i / shape[1] == k ? 1 : 0);
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"input"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_eye_like{
    .name = "EyeLike",
    .doc = "A matrix as large as the input with ones on its k-th diagonal and zeros elsewhere.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kTypeOnly,
    .make_attrs = make_attrs<EyeLikeAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
