#include "arch/decoder/embedding.h"

#include "ir/op_attrs/elementwise.h"

namespace polaris {

ValueId multiplied(ArchBuilder& b, const std::string& name, ValueId x, float factor) {
  if (!b.ok()) return kNoValue;
  auto scale = Tensor::from<float>(DType::kF32, Shape{}, {{factor}});
  if (!scale) return b.fail(scale.error()), kNoValue;
  return b.apply("Mul", name, {x, b.constant(name + ".factor", scale.take())});
}

ValueId embedded(ArchBuilder& b, const std::string& name, const Shape& shape, ValueId rows) {
  const ValueId table = b.weight(name + ".weight", shape);
  if (!b.ok()) return kNoValue;
  const ValueId out = b.apply("Gather", name, {table, rows});
  if (b.graph().value(table).type.dtype == DType::kF32) return out;
  return b.apply("Cast", name + ".f32", {out}, std::make_unique<CastAttrs>());
}

ValueId embed(ArchBuilder& b, const DecoderSpec& spec, const DecoderInputs& in) {
  ValueId rows = embedded(b, "token_embd", {spec.vocab, spec.width}, in.tokens);
  if (!spec.turned) {
    const Shape positions{spec.position_rows, spec.width};
    const ValueId own = embedded(b, "position_embd", positions, in.positions);
    rows = b.apply("Add", "position_embd.added", {rows, own});
  }
  if (spec.embedding_scale == 1.0f) return rows;
  return multiplied(b, "token_embd.scaled", rows, spec.embedding_scale);
}

}  // namespace polaris
