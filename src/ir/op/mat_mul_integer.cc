#include "ir/op_util/infer.h"
#include "ir/op_util/integer_matmul.h"
#include "ir/op_util/matmul.h"

namespace polaris {
namespace {

constexpr DTypeSet kTypes = dtype_set(DType::kI8, DType::kU8);

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kTypes), check_dtype(c, 1, kTypes),
                      check_same_dtype(c, 0, 2), check_same_dtype(c, 1, 3));
      !s) {
    return s;
  }
  const auto shape = matmul_output(c.in(0).shape, c.in(1).shape);
  if (!shape) {
    return c.fail("shapes, got " + c.in(0).shape.to_string() + " @ " + c.in(1).shape.to_string() +
                  ", wanted equal inner dims and batch dims that broadcast");
  }
  if (auto s = all_of(check_zero_point(c, 2, 0, true), check_zero_point(c, 3, 1, false)); !s) {
    return s;
  }
  set_output(c, 0, DType::kI32, *shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const MatMulGeometry g = matmul_geometry(c.in(0).type.shape, c.in(1).type.shape);
  const auto a = centered(c.in(0), c.has(2) ? &c.in(2) : nullptr, true);
  const auto b = centered(c.in(1), c.has(3) ? &c.in(3) : nullptr, false);
  matmul_each(g, a, b, [&](std::int64_t i, std::int64_t, std::int64_t, std::uint32_t v) {
    put_i64(c.out(0), i, static_cast<std::int32_t>(v));
  });
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  return 2 * n.outputs[0].shape.elements() * n.inputs[0].shape.back();
}

constexpr Port kInputs[] = {{"A"}, {"B"}, {"a_zero_point", kOptional}, {"b_zero_point", kOptional}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_mat_mul_integer{
    .name = "MatMulInteger",
    .doc = "(A - a_zero_point) @ (B - b_zero_point) of 8-bit integers, accumulated in int32.",
    .since = 10,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
