#include "arch/decoder/norm.h"

#include <utility>
#include <vector>

#include "ir/op_attrs/normalization.h"

namespace polaris {
namespace {

ValueId norm_weight(ArchBuilder& b, const std::string& name, std::int64_t size, float offset) {
  if (offset == 0.0f) return b.weight_f32(name, Shape{size});
  const std::vector<double> values = b.weight_values(name, Shape{size});
  auto tensor = Tensor::allocate(DType::kF32, Shape{size});
  if (!tensor) return b.fail(tensor.error()), kNoValue;
  if (!b.ok()) return kNoValue;
  for (std::size_t i = 0; i < values.size(); ++i) {
    tensor->mutable_data<float>()[i] = static_cast<float>(values[i] + static_cast<double>(offset));
  }
  return b.constant(name, tensor.take());
}

template <class Attrs>
std::unique_ptr<Attrs> with_epsilon(float epsilon) {
  auto out = std::make_unique<Attrs>();
  out->epsilon = epsilon;
  return out;
}

}  // namespace

ValueId norm(ArchBuilder& b, const DecoderSpec& spec, const std::string& name, ValueId x,
             std::int64_t size) {
  const ValueId weight = norm_weight(b, name + ".weight", size, spec.norm_offset);
  if (spec.norm == NormKind::kRms) {
    return b.apply("RMSNormalization", name, {x, weight}, with_epsilon<RmsNormAttrs>(spec.epsilon));
  }
  std::vector<ValueId> operands{x, weight};
  const ValueId bias = b.optional_f32(name + ".bias", Shape{size});
  if (bias.valid()) operands.push_back(bias);
  return b.apply("LayerNormalization", name, std::move(operands),
                 with_epsilon<LayerNormAttrs>(spec.epsilon));
}

}  // namespace polaris
