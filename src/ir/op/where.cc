#include "ir/op_util/elements.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kBoolTypes), check_same_dtype(c, 1, 2)); !s) return s;
  auto shape = broadcast_inputs(c, 3);
  if (!shape) return shape.error();
  set_output(c, 0, c.in(1).dtype, *shape);
  return Status::success();
}

Status reference(RefContext& c) {
  Walk walk(c.out(0).type.shape);
  for (int i = 0; i < 3; ++i) walk.add_broadcast(c.in(i).type.shape);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    const int from = get_i64(c.in(0), walk[0]) != 0 ? 1 : 2;
    copy_elements(c.out(0), i, c.in(from), walk[from]);
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"condition"}, {"X"}, {"Y"}};
constexpr Port kOutputs[] = {{"output"}};
constexpr InPlace kInPlace[] = {{0, 1}, {0, 2}};

}  // namespace

extern constinit const OpDef op_where{
    .name = "Where",
    .doc = "X where the condition holds, Y elsewhere.",
    .since = 16,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kElementwise | kFoldable,
    .size_rule = SizeRule::kMove,
    .moved = 0b110,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
};

}  // namespace polaris
