#include "ir/op_util/elements.h"
#include "ir/op_util/ml.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kMlTypes | kStringTypes), check_rank(c, 0, 1),
                      check_dtype(c, 1, dtype_set(DType::kI64)));
      !s) {
    return s;
  }
  Shape out = c.in(0).shape;
  out.back() = c.in(1).shape.checked_elements().value_or(kUnknownDim);
  if (out.rank() == 1) out.insert(0, 1);
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

Status reference(RefContext& c) {
  const RefTensor& x = c.in(0);
  const std::int64_t features = feature_dim(x.type.shape);
  const std::vector<std::int64_t> picked = read_i64(c.in(1));
  for (const std::int64_t index : picked) {
    if (index >= 0 && index < features) continue;
    return c.fail("index, got " + std::to_string(index) + ", wanted 0 to " +
                  std::to_string(features - 1));
  }
  if (picked.empty()) return Status::success();
  const std::int64_t rows = c.out(0).type.shape.elements() / c.out(0).type.shape.back();
  std::int64_t to = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (const std::int64_t index : picked) {
      copy_elements(c.out(0), to++, x, row * features + index);
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"X", kStrings}, {"Y"}};
constexpr Port kOutputs[] = {{"Z"}};

}  // namespace

extern constinit const OpDef op_array_feature_extractor{
    .name = "ArrayFeatureExtractor",
    .domain = kMlDomain,
    .doc = "The elements of the last dim that the indices name; of one dim, as a row.",
    .since = 1,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
