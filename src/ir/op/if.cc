#include "ir/any_rank.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const auto one = c.in(0).shape.checked_elements();
  if (c.in(0).dtype != DType::kBool || (one && *one != 1)) {
    return c.fail("cond, got " + c.in(0).to_string() + ", wanted one bool");
  }
  if (c.subgraphs.size() != 2) {
    return c.fail("branches, got " + std::to_string(c.subgraphs.size()) + ", wanted 2");
  }
  for (const Graph* branch : c.subgraphs) {
    if (branch->outputs().size() != c.outputs.size()) {
      return c.fail("outputs of a branch, got " + std::to_string(branch->outputs().size()) +
                    ", wanted " + std::to_string(c.outputs.size()));
    }
  }
  const auto cond = c.ints(0);
  for (std::size_t i = 0; i < c.outputs.size(); ++i) {
    const auto type = [&](std::size_t branch) -> const TensorType& {
      return c.subgraphs[branch]->value(c.subgraphs[branch]->outputs()[i]).type;
    };
    if (cond && cond->size() == 1) {
      c.outputs[i] = type((*cond)[0] != 0 ? 0 : 1);
      continue;
    }
    const auto merged = join_types(type(0), type(1));
    if (!merged) {
      return c.fail("output " + std::to_string(i) + " is " + type(0).to_string() +
                    " in one branch and " + type(1).to_string() +
                    " in the other, wanted one element type");
    }
    c.outputs[i] = *merged;
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"cond", kHostRead}, {"captures", kOptional | kVariadic}};
constexpr Port kOutputs[] = {{"outputs", kOptional | kVariadic}};

}  // namespace

extern constinit const OpDef op_if{
    .name = "If",
    .doc =
        "Runs the first branch where cond holds, else the second. Inputs after cond are handed to "
        "both branches.",
    .since = 25,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kControl,
    .infer = infer,
};

}  // namespace polaris
