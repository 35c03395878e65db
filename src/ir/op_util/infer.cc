#include "ir/op_util/infer.h"

#include "base/checked.h"
#include "ir/ports.h"

namespace polaris {
namespace {

std::string input_text(const InferContext& c, int i) {
  return port_text(c.op->inputs, "input", static_cast<std::size_t>(i));
}

std::string set_text(DTypeSet set) {
  std::string out;
  for (int i = 0; i < kDTypeCount; ++i) {
    if (!contains(set, static_cast<DType>(i))) continue;
    if (!out.empty()) out += ", ";
    out += dtype_name(static_cast<DType>(i));
  }
  return out;
}

}  // namespace

Status check_dtype(const InferContext& c, int i, DTypeSet allowed) {
  if (!c.has(i) || contains(allowed, c.in(i).dtype)) return Status::success();
  return c.fail(input_text(c, i) + " type, got " + std::string(dtype_name(c.in(i).dtype)) +
                ", wanted " + set_text(allowed));
}

Status check_same_dtype(const InferContext& c, int i, int j) {
  if (!c.has(i) || !c.has(j) || c.in(i).dtype == c.in(j).dtype) return Status::success();
  return c.fail(input_text(c, j) + " type, got " + std::string(dtype_name(c.in(j).dtype)) +
                ", wanted that of " + input_text(c, i) + ", " +
                std::string(dtype_name(c.in(i).dtype)));
}

Status check_rank(const InferContext& c, int i, int low, int high) {
  if (!c.has(i)) return Status::success();
  const int rank = c.in(i).shape.rank();
  if (rank >= low && rank <= high) return Status::success();
  std::string wanted = std::to_string(low);
  if (high != low) wanted += " to " + std::to_string(high);
  return c.fail(input_text(c, i) + " rank, got " + c.in(i).shape.to_string() + ", wanted " +
                wanted);
}

std::string dim_text(std::int64_t dim) {
  if (dim == kUnknownDim) return "?";
  if (is_symbol_dim(dim)) return "s" + std::to_string(symbol_of(dim));
  return std::to_string(dim);
}

Status check_dims(const InferContext& c, std::string_view what, std::int64_t got,
                  std::int64_t wanted) {
  if (got == wanted || !is_static_dim(got) || !is_static_dim(wanted)) return Status::success();
  return c.fail(std::string(what) + ", got " + dim_text(got) + ", wanted " + dim_text(wanted));
}

Result<int> check_axis(const InferContext& c, std::int64_t axis, int rank) {
  const auto out = normalize_axis(axis, rank);
  if (out) return *out;
  return c.fail("axis, got " + std::to_string(axis) + ", wanted one of a tensor of rank " +
                std::to_string(rank));
}

std::int64_t dim_mul(std::int64_t a, std::int64_t b) {
  if (a == 1) return b;
  if (b == 1) return a;
  if (a == 0 || b == 0) return 0;
  if (!is_static_dim(a) || !is_static_dim(b)) return kUnknownDim;
  return checked_mul(a, b).value_or(kUnknownDim);
}

std::int64_t dim_add(std::int64_t a, std::int64_t b) {
  if (a == 0) return b;
  if (b == 0) return a;
  if (!is_static_dim(a) || !is_static_dim(b)) return kUnknownDim;
  return checked_add(a, b).value_or(kUnknownDim);
}

void set_output(InferContext& c, int i, DType dtype, const Shape& shape) {
  set_output(c, i, TensorType{dtype, shape, {}});
}

void set_output(InferContext& c, int i, const TensorType& type) {
  if (static_cast<std::size_t>(i) < c.outputs.size()) c.out(i) = type;
}

}  // namespace polaris
