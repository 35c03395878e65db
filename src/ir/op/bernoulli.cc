#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/random.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = check_dtype(c, 0, kFloatTypes); !s) return s;
  return infer_random_like(c, c.as<BernoulliAttrs>().dtype, kAllTypes);
}

Status reference(RefContext& c) {
  const RandomNumbers random(c.as<BernoulliAttrs>().seed, c.node_name);
  for (std::int64_t i = 0, n = c.out(0).type.shape.elements(); i < n; ++i) {
    put_i64(c.out(0), i, random.uniform(i) < get_f64(c.in(0), i) ? 1 : 0);
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"input"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_bernoulli{
    .name = "Bernoulli",
    .doc = "1 with the probability that the element is, else 0; random as RandomUniform is.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .make_attrs = make_attrs<BernoulliAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
