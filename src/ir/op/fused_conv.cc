#include <cmath>
#include <memory>

#include "ir/builtin_op.h"
#include "ir/op_attrs/conv.h"
#include "ir/op_util/compose.h"
#include "ir/op_util/conv.h"
#include "ir/op_util/conv_activation.h"

namespace polaris {
namespace {

enum In { kX, kW, kB, kZ };

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, kX, kFloatTypes), check_same_dtype(c, kX, kW),
                      check_same_dtype(c, kX, kB), check_same_dtype(c, kX, kZ));
      !s) {
    return s;
  }
  const auto& attrs = c.as<FusedConvAttrs>();
  if (!attrs.activation.empty() && !is_conv_activation(attrs.activation)) {
    return c.fail("activation, got '" + attrs.activation + "', wanted one that it may apply");
  }
  if (std::isnan(attrs.alpha) || std::isnan(attrs.beta)) {
    return c.fail("alpha and beta, got NaN, wanted numbers");
  }
  if (auto s = infer_conv(c, attrs.conv, kX, kW, kB, c.in(kX).dtype); !s) return s;
  if (!c.has(kZ)) return Status::success();
  const Shape& sum = c.out(0).shape;
  const Shape& z = c.in(kZ).shape;
  if (auto s = check_rank(c, kZ, sum.rank(), sum.rank()); !s) return s;
  for (int i = 0; i < sum.rank(); ++i) {
    if (auto s = check_dims(c, "dim " + std::to_string(i) + " of Z", z[i], sum[i]); !s) return s;
  }
  return Status::success();
}

/// The activation as a function of one number.
class Activation {
 public:
  explicit Activation(const FusedConvAttrs& attrs) : attrs_(attrs) {
    if (attrs.activation.empty() || clips()) return;
    op_ = find_builtin_op(attrs.activation);
    own_ = activation_attrs(attrs);
    if (own_ == nullptr) own_ = std::make_unique<NoAttrs>();
  }
  double operator()(double x) const {
    if (op_ != nullptr) return op_->scalar(*own_, x, 0.0);
    if (!clips()) return x;
    if (x < static_cast<double>(attrs_.alpha)) x = static_cast<double>(attrs_.alpha);
    return x > static_cast<double>(attrs_.beta) ? static_cast<double>(attrs_.beta) : x;
  }

 private:
  bool clips() const { return attrs_.activation == "Clip"; }

  const FusedConvAttrs& attrs_;
  const OpDef* op_ = nullptr;
  std::unique_ptr<Attrs> own_;
};

Status reference(RefContext& c) {
  const auto& attrs = c.as<FusedConvAttrs>();
  const auto g = conv_geometry(c.in(kX).type.shape, c.in(kW).type.shape, attrs.conv);
  if (!g) return c.fail(g.error().message());
  const Activation activation(attrs);
  conv_each(*g, read_f64(c.in(kX)), read_f64(c.in(kW)),
            [&](std::int64_t i, std::int64_t channel, double sum) {
              if (c.has(kB)) sum += get_f64(c.in(kB), channel);
              if (c.has(kZ)) sum += get_f64(c.in(kZ), i);
              put_f64(c.out(0), i, activation(sum));
            });
  return Status::success();
}

Status decompose(DecomposeContext& d) {
  const auto& attrs = d.as<FusedConvAttrs>();
  std::vector<ValueId> inputs = {d.input(kX), d.input(kW)};
  if (d.input(kB).valid()) inputs.push_back(d.input(kB));
  ValueId y = d.add("Conv", std::move(inputs), attrs.conv.clone());
  if (d.input(kZ).valid()) y = d.add("Add", {y, d.input(kZ)});
  if (attrs.activation == "Clip") {
    const DType dtype = d.type(d.input(kX)).dtype;
    const ValueId low = scalar_constant(d, dtype, static_cast<double>(attrs.alpha));
    const ValueId high = scalar_constant(d, dtype, static_cast<double>(attrs.beta));
    y = d.add("Clip", {y, low, high});
  } else if (!attrs.activation.empty()) {
    y = d.add(attrs.activation, {y}, activation_attrs(attrs));
  }
  d.set_output(0, y);
  return d.status();
}

std::int64_t flops(const NodeTypes& n) { return conv_flops(n, kW); }

constexpr Port kInputs[] = {{"X", kSpatial}, {"W"}, {"B", kOptional}, {"Z", kSpatial | kOptional}};
constexpr Port kOutputs[] = {{"Y", kSpatial}};

}  // namespace

extern constinit const OpDef op_fused_conv{
    .name = "FusedConv",
    .domain = "polaris",
    .doc =
        "activation(Conv(X, W, B) + Z): `activation` is the name of Relu, Clip (between alpha and "
        "beta), LeakyRelu, HardSigmoid, HardSwish, Sigmoid, Swish or Tanh, or nothing.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<FusedConvAttrs>,
    .infer = infer,
    .reference = reference,
    .decompose = decompose,
    .flops = flops,
};

}  // namespace polaris
