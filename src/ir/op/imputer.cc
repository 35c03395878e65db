#include <cmath>

#include "ir/op_util/elements.h"
#include "ir/op_util/ml.h"

namespace polaris {
namespace {

struct ImputerAttrs final : AttrsOf<ImputerAttrs> {
  std::vector<float> imputed_value_floats;
  std::vector<std::int64_t> imputed_value_int64s;
  float replaced_value_float = 0;
  std::int64_t replaced_value_int64 = 0;

  void visit(AttrVisitor& v) override {
    v.field("imputed_value_floats", imputed_value_floats);
    v.field("imputed_value_int64s", imputed_value_int64s);
    v.field("replaced_value_float", replaced_value_float);
    v.field("replaced_value_int64", replaced_value_int64);
  }
};

Status infer(InferContext& c) {
  const auto& attrs = c.as<ImputerAttrs>();
  if (auto s = check_dtype(c, 0, kMlTypes); !s) return s;
  const bool real = is_float(c.in(0).dtype);
  if (auto s = check_per_feature(
          c, real ? "imputed_value_floats" : "imputed_value_int64s",
          real ? attrs.imputed_value_floats.size() : attrs.imputed_value_int64s.size());
      !s) {
    return s;
  }
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<ImputerAttrs>();
  const Shape& shape = c.in(0).type.shape;
  const std::int64_t features = shape.rank() == 0 ? 1 : feature_dim(shape);
  const bool real = is_float(c.in(0).type.dtype);
  const auto gap = static_cast<double>(attrs.replaced_value_float);
  for (std::int64_t i = 0, n = shape.elements(); i < n; ++i) {
    if (real) {
      const double x = get_f64(c.in(0), i);
      const bool missing = x == gap || (std::isnan(x) && std::isnan(gap));
      put_f64(c.out(0), i,
              missing ? static_cast<double>(feature_value(attrs.imputed_value_floats, i, features))
                      : x);
    } else {
      const std::int64_t x = get_i64(c.in(0), i);
      put_i64(c.out(0), i,
              x == attrs.replaced_value_int64
                  ? feature_value(attrs.imputed_value_int64s, i, features)
                  : x);
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"X"}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_imputer{
    .name = "Imputer",
    .domain = kMlDomain,
    .doc =
        "Elements equal to the value to replace (NaN: those that are NaN) become the imputed "
        "value, "
        "one or one for each feature.",
    .since = 1,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<ImputerAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
