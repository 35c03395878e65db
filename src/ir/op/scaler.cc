#include "ir/op_util/elements.h"
#include "ir/op_util/ml.h"

namespace polaris {
namespace {

struct ScalerAttrs final : AttrsOf<ScalerAttrs> {
  std::vector<float> offset;
  std::vector<float> scale;

  void visit(AttrVisitor& v) override {
    v.field("offset", offset);
    v.field("scale", scale);
  }
};

Status infer(InferContext& c) {
  const auto& attrs = c.as<ScalerAttrs>();
  if (auto s = check_dtype(c, 0, kMlTypes); !s) return s;
  if (!attrs.offset.empty()) {
    if (auto s = check_per_feature(c, "offset", attrs.offset.size()); !s) return s;
  }
  if (!attrs.scale.empty()) {
    if (auto s = check_per_feature(c, "scale", attrs.scale.size()); !s) return s;
  }
  set_output(c, 0, DType::kF32, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<ScalerAttrs>();
  const Shape& shape = c.in(0).type.shape;
  const std::int64_t features = shape.rank() == 0 ? 1 : feature_dim(shape);
  for (std::int64_t i = 0, n = shape.elements(); i < n; ++i) {
    double value = get_f64(c.in(0), i);
    if (!attrs.offset.empty()) {
      value -= static_cast<double>(feature_value(attrs.offset, i, features));
    }
    if (!attrs.scale.empty()) {
      value *= static_cast<double>(feature_value(attrs.scale, i, features));
    }
    put_f64(c.out(0), i, value);
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"X"}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_scaler{
    .name = "Scaler",
    .domain = kMlDomain,
    .doc = "(X - offset) * scale, of one value each or one for each feature.",
    .since = 1,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<ScalerAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
