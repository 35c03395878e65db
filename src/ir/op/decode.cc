#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const std::vector<double> x = read_f64(c.in(0));
  for (std::size_t i = 0; i < x.size(); ++i) put_f64(c.out(0), static_cast<std::int64_t>(i), x[i]);
  return Status::success();
}

constexpr Port kInputs[] = {{"encoded", kAcceptsEncoded}};
constexpr Port kOutputs[] = {{"plain"}};

}  // namespace

// Not foldable: a decoded weight must never replace its encoded bytes in memory.
extern constinit const OpDef op_decode{
    .name = "Decode",
    .domain = "polaris",
    .doc = "An encoded tensor as plain elements of its type.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
