#include "backend/cpu/conv_epilogue.h"

#include <limits>

#include "backend/elementwise.h"

namespace polaris::cpu {

void ConvEpilogue::finish(const float* add, float* y, std::int64_t n) const {
  if (add != nullptr) simd->binary[kOpAdd - kUnaryCodes](y, 1, add, 1, y, n);
  if (clamps) simd->clamp(y, y, n, low, high);
  apply(y, n);
}

const ConvAttrs& conv_attrs(const NodeDesc& node) {
  return node.op->name == "FusedConv" ? node.attributes<FusedConvAttrs>().conv
                                      : node.attributes<ConvAttrs>();
}

ConvEpilogue conv_epilogue(const CpuTarget& target, const NodeDesc& node) {
  ConvEpilogue out;
  out.simd = target.simd;
  if (node.op->name != "FusedConv") return out;
  const auto& attrs = node.attributes<FusedConvAttrs>();
  if (attrs.activation == "Relu" || attrs.activation == "Clip") {
    const bool clip = attrs.activation == "Clip";
    out.clamps = true;
    out.low = clip ? attrs.alpha : 0.0f;
    out.high = clip ? attrs.beta : std::numeric_limits<float>::infinity();
  } else if (const ElementwiseRow* row = find_elementwise(attrs.activation)) {
    out.function = target.simd->unary[row->opcode];
    out.p = attrs.alpha;
    out.q = attrs.beta;
  }
  return out;
}

}  // namespace polaris::cpu
