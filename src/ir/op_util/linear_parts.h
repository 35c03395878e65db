#pragma once
#include <cstdint>
#include <vector>

#include "ir/decompose.h"
#include "ir/op_def.h"

/// Products x[..., K] @ w[N, K]^T with what stands around them in a decoder, as the ops of that
/// kind share it. A norm by the root of a row's mean square is dealt over two products: the first
/// gives its result times the norm's scale, and of every kSquaresOf elements of a row the sum of
/// squares; the second divides its own result.
namespace polaris {

/// Input w is a matrix that x can be multiplied with. Errors: invalid.
Status check_linear(const InferContext& c, int x, int w);
/// The shape of the product.
Shape linear_shape(const Shape& x, const Shape& w);
/// The shape of the sums of squares of rows x, as far as it is known.
Shape squares_shape(const Shape& x);
/// Input `squares` (absent: fine) has the sums of squares of the rows x. Errors: invalid.
Status check_squares(const InferContext& c, int squares, int x);

/// Operands of a product, read once.
struct LinearOperands {
  LinearOperands(const RefContext& c, int x_input, int w_input);
  double dot(std::int64_t row, std::int64_t j) const;

  std::vector<double> x, w;
  std::int64_t rows, n, k;
};
/// 1 / sqrt(mean square + epsilon) of row `row` of x; 1 where the sums are absent.
double inverse_root(const RefContext& c, int squares, int x, std::int64_t row, float epsilon);

/// The same of decompositions. A weight as a plain value of type `dtype`:
ValueId plain_weight(DecomposeContext& d, ValueId value, DType dtype);
ValueId linear_product(DecomposeContext& d, ValueId x, ValueId w);
/// sqrt(mean square + epsilon) of the rows x, [..., 1].
ValueId root_of_squares(DecomposeContext& d, ValueId squares, ValueId x, float epsilon);

}  // namespace polaris
