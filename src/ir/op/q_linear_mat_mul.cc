#include "ir/op_util/infer.h"
#include "ir/op_util/integer_matmul.h"
#include "ir/op_util/matmul.h"
#include "ir/op_util/quantize.h"

namespace polaris {
namespace {

constexpr DTypeSet kTypes = dtype_set(DType::kI8, DType::kU8);

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kTypes), check_dtype(c, 1, kFloatTypes),
                      check_same_dtype(c, 0, 2), check_dtype(c, 3, kTypes),
                      check_dtype(c, 4, kFloatTypes), check_same_dtype(c, 3, 5),
                      check_dtype(c, 6, kFloatTypes), check_dtype(c, 7, kTypes));
      !s) {
    return s;
  }
  const auto shape = matmul_output(c.in(0).shape, c.in(3).shape);
  if (!shape) {
    return c.fail("shapes, got " + c.in(0).shape.to_string() + " @ " + c.in(3).shape.to_string() +
                  ", wanted equal inner dims and batch dims that broadcast");
  }
  for (int i : {6, 7}) {
    for (std::int64_t dim : c.in(i).shape) {
      if (auto s = check_dims(c, "size of y's parameters", dim, 1); !s) return s;
    }
  }
  if (auto s = all_of(check_zero_point(c, 1, 0, true), check_zero_point(c, 2, 0, true),
                      check_zero_point(c, 4, 3, false), check_zero_point(c, 5, 3, false));
      !s) {
    return s;
  }
  set_output(c, 0, c.in(7).dtype, *shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const MatMulGeometry g = matmul_geometry(c.in(0).type.shape, c.in(3).type.shape);
  const auto a = centered(c.in(0), &c.in(2), true);
  const auto b = centered(c.in(3), &c.in(5), false);
  const double y_scale = get_f64(c.in(6), 0);
  const auto y_zero = static_cast<std::int32_t>(get_i64(c.in(7), 0));
  const QuantRange range = quant_range(c.in(7).type.dtype);
  matmul_each(g, a, b,
              [&](std::int64_t i, std::int64_t row, std::int64_t column, std::uint32_t sum) {
                const double a_scale = get_f64(c.in(1), parameter_at(c.in(1), row));
                const double b_scale = get_f64(c.in(4), parameter_at(c.in(4), column));
                const float m = requantize_multiplier(a_scale, b_scale, y_scale);
                put_i64(c.out(0), i, requantize(static_cast<std::int32_t>(sum), m, y_zero, range));
              });
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  return 2 * n.outputs[0].shape.elements() * n.inputs[0].shape.back();
}

constexpr Port kInputs[] = {{"a"},       {"a_scale"},      {"a_zero_point"}, {"b"},
                            {"b_scale"}, {"b_zero_point"}, {"y_scale"},      {"y_zero_point"}};
constexpr Port kOutputs[] = {{"y"}};

}  // namespace

extern constinit const OpDef op_q_linear_mat_mul{
    .name = "QLinearMatMul",
    .doc =
        "Matmul of quantized operands: int32 sums, one float multiplier a_scale * b_scale / "
        "y_scale, rounded half to even once.",
    .since = 21,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
