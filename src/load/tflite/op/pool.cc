// Pools over windows of the two axes between batch and channels.
#include "ir/op_attrs/conv.h"
#include "load/tflite/op/layers.h"

namespace polaris::tflite {
namespace {

ValueId pool(OperatorImport& o, std::string_view op, ValueId x) {
  auto attrs = std::make_unique<PoolAttrs>();
  attrs->auto_pad = auto_pad(o);
  attrs->strides = {o.option(2), o.option(1)};
  attrs->kernel_shape = {o.option(4), o.option(3)};
  return o.builder().add_with(op, {x}, std::move(attrs));
}

}  // namespace

void average_pool_2d(OperatorImport& o) {
  const ValueId y = pool(o, "AveragePool", channels_second(o, o.real(0), 4));
  give_channels_second(o, y, 4, o.byte_option(5));
}

void max_pool_2d(OperatorImport& o) {
  const ValueId y = pool(o, "MaxPool", channels_second(o, o.real(0), 4));
  give_channels_second(o, y, 4, o.byte_option(5));
}

void l2_pool_2d(OperatorImport& o) {
  const ValueId x = channels_second(o, o.real(0), 4);
  const ValueId y = pool(o, "AveragePool", o.add("Mul", {x, x}));
  give_channels_second(o, o.add("Sqrt", {y}), 4, o.byte_option(5));
}

}  // namespace polaris::tflite
