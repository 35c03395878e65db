#include "ir/op_util/infer.h"
#include "ir/op_util/matmul.h"

namespace polaris {
namespace {

constexpr DTypeSet kTypes =
    kFloatTypes | dtype_set(DType::kI32, DType::kI64, DType::kU32, DType::kU64);

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kTypes), check_same_dtype(c, 0, 1)); !s) return s;
  const auto shape = matmul_output(c.in(0).shape, c.in(1).shape);
  if (!shape) {
    return c.fail("shapes, got " + c.in(0).shape.to_string() + " @ " + c.in(1).shape.to_string() +
                  ", wanted equal inner dims and batch dims that broadcast");
  }
  set_output(c, 0, c.in(0).dtype, *shape);
  return Status::success();
}

std::vector<std::uint64_t> read_u64(const RefTensor& t) {
  const auto values = read_i64(t);
  return {values.begin(), values.end()};
}

Status reference(RefContext& c) {
  const MatMulGeometry g = matmul_geometry(c.in(0).type.shape, c.in(1).type.shape);
  RefTensor& y = c.out(0);
  if (is_float(y.type.dtype)) {
    matmul_each(g, read_f64(c.in(0)), read_f64(c.in(1)),
                [&](std::int64_t i, std::int64_t, std::int64_t, double v) { put_f64(y, i, v); });
  } else {
    matmul_each(g, read_u64(c.in(0)), read_u64(c.in(1)),
                [&](std::int64_t i, std::int64_t, std::int64_t, std::uint64_t v) {
                  put_i64(y, i, static_cast<std::int64_t>(v));
                });
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  return 2 * n.outputs[0].shape.elements() * n.inputs[0].shape.back();
}

constexpr Port kInputs[] = {{"A"}, {"B"}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_mat_mul{
    .name = "MatMul",
    .doc = "NumPy's matmul: the last two dims multiply as matrices, the others broadcast.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
