#include <algorithm>

#include "ir/op_attrs/signal.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/fourier.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/known_count.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

/// The axis as far as it is known. Errors: invalid, out of range or the last.
Result<KnownInt> axis_of(const InferContext& c) {
  const int rank = c.in(0).shape.rank();
  std::int64_t axis = -2;
  if (c.has(2)) {
    const auto known = known_count(c, 2, "axis", -rank);
    if (!known) return known;
    if (!known->is_number()) return KnownInt{};
    axis = known->value;
  }
  const auto at = check_axis(c, axis, rank);
  if (!at) return at.error();
  if (*at == rank - 1) {
    return c.fail("axis, got the last, which holds the parts of the numbers, wanted another");
  }
  return KnownInt{KnownInt::Kind::kNumber, *at};
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<DftAttrs>();
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_rank(c, 0, 2)); !s) return s;
  Shape out = c.in(0).shape;
  const std::int64_t parts = out.back();
  if (is_static_dim(parts) && (parts < 1 || parts > 2 || (attrs.onesided && parts == 2))) {
    return c.fail("last dim, got " + dim_text(parts) + ", wanted 1" +
                  (attrs.onesided ? ", as onesided needs" : " or 2"));
  }
  const auto axis = axis_of(c);
  if (!axis) return axis.error();
  KnownInt length;
  if (c.has(1)) {
    const auto known = known_count(c, 1, "dft_length", 1);
    if (!known) return known.error();
    length = *known;
  }
  if (!axis->is_number()) {
    for (std::int64_t& dim : std::span(&out[0], static_cast<std::size_t>(out.rank() - 1))) {
      dim = kUnknownDim;
    }
  } else {
    std::int64_t& dim = out[static_cast<int>(axis->value)];
    if (c.has(1)) dim = length.dim();
    if (attrs.onesided) dim = is_static_dim(dim) ? dim / 2 + 1 : kUnknownDim;
  }
  out.back() = 2;
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

Status reference(RefContext& c) {
  if (c.out(0).type.shape.elements() == 0) return Status::success();
  const auto& attrs = c.as<DftAttrs>();
  const Shape& in = c.in(0).type.shape;
  const Shape& out = c.out(0).type.shape;
  const int axis = *normalize_axis(c.has(2) ? get_i64(c.in(2), 0) : -2, in.rank());
  const std::int64_t parts = in.back();
  const std::int64_t size = c.has(1) ? get_i64(c.in(1), 0) : in[axis];
  const std::int64_t inner = in.elements_between(axis + 1, in.rank() - 1);
  const Fourier fourier(size, attrs.inverse);
  for (std::int64_t line = 0; line < in.elements_between(0, axis) * inner; ++line) {
    const std::int64_t outer = line / inner;
    const auto at = [&](std::int64_t k, std::int64_t dim) {
      return (outer * dim + k) * inner + line % inner;
    };
    std::vector<Complex> x(static_cast<std::size_t>(size));
    for (std::int64_t k = 0; k < std::min(size, in[axis]); ++k) {
      const std::int64_t from = at(k, in[axis]) * parts;
      x[static_cast<std::size_t>(k)] = {get_f64(c.in(0), from),
                                        parts == 2 ? get_f64(c.in(0), from + 1) : 0};
    }
    const std::vector<Complex> y = fourier.transform(x);
    for (std::int64_t k = 0; k < out[axis]; ++k) {
      const std::int64_t to = at(k, out[axis]) * 2;
      put_f64(c.out(0), to, y[static_cast<std::size_t>(k)].re);
      put_f64(c.out(0), to + 1, y[static_cast<std::size_t>(k)].im);
    }
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return work_of({40, n.outputs[0].shape.elements()}); }

constexpr Port kInputs[] = {
    {"input"}, {"dft_length", kOptional | kHostRead}, {"axis", kOptional | kHostRead}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_dft{
    .name = "DFT",
    .doc =
        "Discrete Fourier transform along an axis, or its inverse, of real or complex numbers "
        "(last "
        "dim 1 or 2), cut or filled with zeros to dft_length; onesided: the first half.",
    .since = 20,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<DftAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
