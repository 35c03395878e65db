#include "backend/cpu/elementwise.h"

#include "backend/cpu/elementwise_table.h"
#include "ir/op_attrs/elementwise.h"

namespace polaris::cpu {
namespace {

template <class A>
const A& as(const Attrs* attrs) {
  return static_cast<const A&>(*attrs);
}

}  // namespace

const ElementwiseRow* find_elementwise(std::string_view op) {
  for (const ElementwiseRow& row : kElementwiseRows) {
    if (row.op == op) return &row;
  }
  return nullptr;
}

std::optional<UnaryChoice> unary_choice(const ElementwiseRow& row, const Attrs* attrs) {
  if (!row.unary) return std::nullopt;
  UnaryChoice out{*row.unary, 0, 0};
  switch (*row.unary) {
    case Unary::kLeakyRelu: out.p = as<LeakyReluAttrs>(attrs).alpha; break;
    case Unary::kElu: out.p = as<EluAttrs>(attrs).alpha; break;
    case Unary::kCelu: out.p = as<CeluAttrs>(attrs).alpha; break;
    case Unary::kSwish: out.p = as<SwishAttrs>(attrs).alpha; break;
    case Unary::kThresholdedRelu: out.p = as<ThresholdedReluAttrs>(attrs).alpha; break;
    case Unary::kSelu:
      out.p = as<SeluAttrs>(attrs).alpha;
      out.q = as<SeluAttrs>(attrs).gamma;
      break;
    case Unary::kHardSigmoid:
      out.p = as<HardSigmoidAttrs>(attrs).alpha;
      out.q = as<HardSigmoidAttrs>(attrs).beta;
      break;
    case Unary::kGelu:
      if (as<GeluAttrs>(attrs).approximate == "tanh") out.op = Unary::kGeluTanh;
      break;
    default: break;
  }
  return out;
}

}  // namespace polaris::cpu
