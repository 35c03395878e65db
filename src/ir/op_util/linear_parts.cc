#include "ir/op_util/linear_parts.h"

#include <cmath>

#include "base/checked.h"
#include "ir/op_attrs/matmul.h"
#include "ir/op_util/compose.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {

Status check_linear(const InferContext& c, int x, int w) {
  return all_of(check_dtype(c, w, kFloatTypes), check_rank(c, x, 1), check_rank(c, w, 2, 2),
                c.in(x).shape.empty() || c.in(w).shape.rank() != 2
                    ? Status::success()
                    : check_dims(c, "last dim of x", c.in(x).shape.back(), c.in(w).shape[1]));
}

Shape linear_shape(const Shape& x, const Shape& w) {
  Shape out = x;
  out.back() = w[0];
  return out;
}

Shape squares_shape(const Shape& x) {
  Shape out = x;
  out.back() = is_static_dim(x.back()) ? ceil_div(x.back(), kSquaresOf) : kUnknownDim;
  return out;
}

Status check_squares(const InferContext& c, int squares, int x) {
  if (!c.has(squares)) return Status::success();
  const Shape wanted = squares_shape(c.in(x).shape);
  const Shape& got = c.in(squares).shape;
  if (auto s = all_of(check_dtype(c, squares, dtype_set(DType::kF32)),
                      check_rank(c, squares, wanted.rank(), wanted.rank()));
      !s) {
    return s;
  }
  for (int i = 0; i < wanted.rank(); ++i) {
    if (auto s = check_dims(c, "dim of the squares", got[i], wanted[i]); !s) return s;
  }
  return Status::success();
}

LinearOperands::LinearOperands(const RefContext& c, int x_input, int w_input)
    : x(read_f64(c.in(x_input))),
      w(read_f64(c.in(w_input))),
      rows(c.in(x_input).type.shape.elements_between(0, c.in(x_input).type.shape.rank() - 1)),
      n(c.in(w_input).type.shape[0]),
      k(c.in(w_input).type.shape[1]) {}

double LinearOperands::dot(std::int64_t row, std::int64_t j) const {
  const double* a = x.data() + row * k;
  const double* b = w.data() + j * k;
  double sum = 0;
  for (std::int64_t i = 0; i < k; ++i) sum += a[i] * b[i];
  return sum;
}

double inverse_root(const RefContext& c, int squares, int x, std::int64_t row, float epsilon) {
  if (!c.has(squares)) return 1.0;
  const std::int64_t sums = c.in(squares).type.shape.back();
  const auto size = static_cast<double>(c.in(x).type.shape.back());
  double sum = 0;
  for (std::int64_t i = 0; i < sums; ++i) sum += get_f64(c.in(squares), row * sums + i);
  return 1.0 / std::sqrt(sum / size + static_cast<double>(epsilon));
}

ValueId plain_weight(DecomposeContext& d, ValueId value, DType dtype) {
  if (!d.type(value).encoding.is_plain()) value = d.add("polaris.Decode", {value});
  return cast_to(d, value, dtype);
}

ValueId linear_product(DecomposeContext& d, ValueId x, ValueId w) {
  const ValueId turned = transpose_by(d, plain_weight(d, w, d.type(x).dtype), {1, 0});
  return d.add("MatMul", {x, turned});
}

ValueId root_of_squares(DecomposeContext& d, ValueId squares, ValueId x, float epsilon) {
  const std::int64_t size = d.type(x).shape.back();
  if (!is_static_dim(size)) {
    d.fail(Error::unsupported("[mean square] decomposition over rows of no fixed size"));
    return kNoValue;
  }
  const ValueId sum = d.add("ReduceSum", {squares, int64_constant(d, {-1})});
  const ValueId mean =
      d.add("Div", {sum, scalar_constant(d, DType::kF32, static_cast<double>(size))});
  const ValueId shifted =
      d.add("Add", {mean, scalar_constant(d, DType::kF32, static_cast<double>(epsilon))});
  return d.add("Sqrt", {shifted});
}

}  // namespace polaris
