#include "ir/op_util/elements.h"
#include "ir/op_util/ml.h"

namespace polaris {
namespace {

struct BinarizerAttrs final : AttrsOf<BinarizerAttrs> {
  float threshold = 0;

  void visit(AttrVisitor& v) override { v.field("threshold", threshold); }
};

Status infer(InferContext& c) {
  if (auto s = check_dtype(c, 0, kMlTypes); !s) return s;
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const auto threshold = static_cast<double>(c.as<BinarizerAttrs>().threshold);
  for (std::int64_t i = 0, n = c.in(0).type.shape.elements(); i < n; ++i) {
    put_i64(c.out(0), i, get_f64(c.in(0), i) > threshold ? 1 : 0);
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"X"}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_binarizer{
    .name = "Binarizer",
    .domain = kMlDomain,
    .doc = "1 where an element is greater than the threshold, else 0.",
    .since = 1,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<BinarizerAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
