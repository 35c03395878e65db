#include <cmath>

#include "ir/op_attrs/matmul.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

constexpr DTypeSet kTypes =
    kFloatTypes | dtype_set(DType::kI32, DType::kI64, DType::kU32, DType::kU64);

Status infer(InferContext& c) {
  const auto& attrs = c.as<GemmAttrs>();
  if (auto s =
          all_of(check_dtype(c, 0, kTypes), check_same_dtype(c, 0, 1), check_same_dtype(c, 0, 2),
                 check_rank(c, 0, 2, 2), check_rank(c, 1, 2, 2), check_rank(c, 2, 0, 2));
      !s) {
    return s;
  }
  const auto whole = [](float v) { return std::trunc(v) == v && std::fabs(v) < 1e9f; };
  if (!is_float(c.in(0).dtype) && (!whole(attrs.alpha) || !whole(attrs.beta))) {
    return c.fail("alpha and beta of integers, wanted whole numbers");
  }
  const Shape& a = c.in(0).shape;
  const Shape& b = c.in(1).shape;
  if (auto s = check_dims(c, "inner dim of B", b[attrs.transB ? 1 : 0], a[attrs.transA ? 0 : 1]);
      !s) {
    return s;
  }
  const Shape out{a[attrs.transA ? 1 : 0], b[attrs.transB ? 0 : 1]};
  if (c.has(2)) {
    const auto both = broadcast_shapes(out, c.in(2).shape);
    const bool fits = both && (!out.is_static() || *both == out);
    if (!fits) {
      return c.fail("C shape, got " + c.in(2).shape.to_string() +
                    ", wanted one that broadcasts to " + out.to_string());
    }
  }
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

/// T is double, or uint64 for wrapping integers.
template <class T, class Store>
void multiply(RefContext& c, const std::vector<T>& a, const std::vector<T>& b,
              const std::vector<T>& bias, T alpha, T beta, Store store) {
  const auto& attrs = c.as<GemmAttrs>();
  const Shape& out = c.out(0).type.shape;
  const Shape& in = c.in(0).type.shape;
  const std::int64_t k = in[attrs.transA ? 0 : 1];
  Walk walk(out);
  const int at = walk.add_broadcast(c.has(2) ? c.in(2).type.shape : Shape{});
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    const std::int64_t row = walk.at()[0];
    const std::int64_t column = walk.at()[1];
    T sum{0};
    for (std::int64_t j = 0; j < k; ++j) {
      const std::int64_t ia = attrs.transA ? j * out[0] + row : row * k + j;
      const std::int64_t ib = attrs.transB ? column * k + j : j * out[1] + column;
      sum += a[static_cast<std::size_t>(ia)] * b[static_cast<std::size_t>(ib)];
    }
    const T add = c.has(2) ? beta * bias[static_cast<std::size_t>(walk[at])] : T{0};
    store(i, alpha * sum + add);
  }
}

std::vector<std::uint64_t> read_u64(const RefTensor& t) {
  const auto values = read_i64(t);
  return {values.begin(), values.end()};
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<GemmAttrs>();
  RefTensor& y = c.out(0);
  if (is_float(y.type.dtype)) {
    multiply<double>(c, read_f64(c.in(0)), read_f64(c.in(1)),
                     c.has(2) ? read_f64(c.in(2)) : std::vector<double>{},
                     static_cast<double>(attrs.alpha), static_cast<double>(attrs.beta),
                     [&](std::int64_t i, double v) { put_f64(y, i, v); });
  } else {
    const auto factor = [](float v) {
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(v));
    };
    multiply<std::uint64_t>(
        c, read_u64(c.in(0)), read_u64(c.in(1)),
        c.has(2) ? read_u64(c.in(2)) : std::vector<std::uint64_t>{}, factor(attrs.alpha),
        factor(attrs.beta),
        [&](std::int64_t i, std::uint64_t v) { put_i64(y, i, static_cast<std::int64_t>(v)); });
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  const auto& attrs = static_cast<const GemmAttrs&>(*n.attrs);
  return 2 * n.outputs[0].shape.elements() * n.inputs[0].shape[attrs.transA ? 0 : 1];
}

constexpr Port kInputs[] = {{"A"}, {"B"}, {"C", kOptional}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_gemm{
    .name = "Gemm",
    .doc = "alpha * A' @ B' + beta * C for matrices, A' and B' transposed where asked.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<GemmAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
