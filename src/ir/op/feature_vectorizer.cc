#include "base/checked.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/ml.h"

namespace polaris {
namespace {

struct FeatureVectorizerAttrs final : AttrsOf<FeatureVectorizerAttrs> {
  std::vector<std::int64_t> inputdimensions;

  void visit(AttrVisitor& v) override { v.field("inputdimensions", inputdimensions); }
};

/// Columns of the output up to each input, and of all. Errors: invalid.
Result<std::vector<std::int64_t>> column_starts(const InferContext& c) {
  std::vector<std::int64_t> out{0};
  for (const std::int64_t size : c.as<FeatureVectorizerAttrs>().inputdimensions) {
    const auto next = size < 0 ? std::nullopt : checked_add(out.back(), size);
    if (!next) return c.fail("inputdimensions, got " + std::to_string(size));
    out.push_back(*next);
  }
  return out;
}

Status infer(InferContext& c) {
  const auto& sizes = c.as<FeatureVectorizerAttrs>().inputdimensions;
  if (auto s = check_count(c, "inputdimensions", sizes.size(), c.inputs.size()); !s) return s;
  const auto starts = column_starts(c);
  if (!starts) return starts.error();
  std::int64_t rows = kUnknownDim;
  for (int i = 0; i < c.input_count(); ++i) {
    if (auto s = all_of(check_dtype(c, i, kMlTypes), check_rank(c, i, 1, 2)); !s) return s;
    const std::int64_t own = row_dim(c.in(i).shape);
    if (auto s = check_dims(c, "rows of input " + std::to_string(i), own, rows); !s) return s;
    if (!is_static_dim(rows)) rows = own;
  }
  set_output(c, 0, DType::kF32, Shape{rows, starts->back()});
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& sizes = c.as<FeatureVectorizerAttrs>().inputdimensions;
  const std::int64_t columns = c.out(0).type.shape[1];
  std::int64_t start = 0;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    const RefTensor& x = c.inputs[k];
    const std::int64_t features = feature_dim(x.type.shape);
    for (std::int64_t row = 0; row < c.out(0).type.shape[0]; ++row) {
      for (std::int64_t i = 0; i < sizes[k]; ++i) {
        put_f64(c.out(0), row * columns + start + i,
                i < features ? get_f64(x, row * features + i) : 0);
      }
    }
    start += sizes[k];
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"X", kVariadic}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_feature_vectorizer{
    .name = "FeatureVectorizer",
    .domain = kMlDomain,
    .doc =
        "The rows of all inputs side by side as floats, each cut or filled up with zeros to its "
        "number of columns.",
    .since = 1,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<FeatureVectorizerAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
