#include "ir/any_rank.h"
#include "ir/op_attrs/shape.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/view.h"
#include "ir/strided_move.h"

namespace polaris {
namespace {

/// The -1 of a reshape: what is left of `in` once the dims of `out` (but `hole`) are taken from it.
/// A symbolic dim that stands on both sides cancels. Nothing where the sizes do not divide.
std::optional<std::int64_t> fill_hole(const Shape& in, const Shape& out, int hole) {
  Shape left = in;
  std::int64_t taken = 1;
  for (int i = 0; i < out.rank(); ++i) {
    if (i == hole) continue;
    if (is_static_dim(out[i])) {
      taken = dim_mul(taken, out[i]);
      continue;
    }
    int at = 0;
    while (at < left.rank() && left[at] != out[i]) ++at;
    if (at == left.rank() || out[i] == kUnknownDim) return kUnknownDim;
    left[at] = 1;
  }
  std::int64_t rest = 1;
  std::int64_t sizes = 1;
  for (std::int64_t dim : left) {
    if (is_static_dim(dim)) {
      sizes = dim_mul(sizes, dim);
    } else {
      rest = rest == 1 ? dim : kUnknownDim;
    }
  }
  if (!is_static_dim(taken) || !is_static_dim(sizes) || taken == 0) return kUnknownDim;
  if (is_static_dim(rest)) {
    if (sizes % taken != 0) return std::nullopt;
    return sizes / taken;
  }
  return sizes == taken ? rest : kUnknownDim;
}

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 1, dtype_set(DType::kI64)), check_rank(c, 1, 1, 1)); !s) {
    return s;
  }
  const Shape& in = c.in(0).shape;
  const auto wanted = c.known_ints(1);
  if (!wanted) {
    const std::int64_t rank = c.in(1).shape[0];
    if (rank > kMaxRank) return c.fail("rank, wanted at most " + std::to_string(kMaxRank));
    set_output(c, 0, c.in(0).dtype, unknown_shape(rank));
    return Status::success();
  }
  if (wanted->size() > static_cast<std::size_t>(kMaxRank)) {
    return c.fail("rank, got " + std::to_string(wanted->size()) + ", wanted at most " +
                  std::to_string(kMaxRank));
  }
  Shape out;
  int hole = -1;
  for (std::size_t i = 0; i < wanted->size(); ++i) {
    const KnownInt& element = (*wanted)[i];
    const int at = static_cast<int>(i);
    const bool copies = !c.as<ReshapeAttrs>().allowzero;
    std::int64_t dim = element.value;
    if (!element.is_number()) {
      // A dim of size 0 asks for the input's.
      dim = element.dim();
      if (copies && at < in.rank() && in[at] != dim) dim = kUnknownDim;
    } else if (dim == -1 && hole < 0) {
      hole = at;
      dim = 1;
    } else if (dim < 0 || (dim == 0 && copies && at >= in.rank())) {
      return c.fail("dim " + std::to_string(at) + " of the shape, got " + std::to_string(dim));
    } else if (dim == 0 && copies) {
      dim = in[at];
    }
    out.push_back(dim);
  }
  const auto rest = hole >= 0 ? fill_hole(in, out, hole) : std::optional<std::int64_t>(0);
  if (hole >= 0 && rest) out[hole] = *rest;
  const auto before = in.checked_elements();
  const auto after = out.checked_elements();
  if (!rest || (before && after && *before != *after)) {
    if (hole >= 0) out[hole] = 1;
    return c.fail("elements, got " + in.to_string() + ", wanted " +
                  (hole >= 0 ? "a multiple of those of " : "as many as in ") + out.to_string());
  }
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

constexpr Port kInputs[] = {{"data"}, {"shape", kHostRead}};
constexpr Port kOutputs[] = {{"reshaped"}};

}  // namespace

extern constinit const OpDef op_reshape{
    .name = "Reshape",
    .doc = "The same elements under another shape; -1 is what is left, 0 the input's dim.",
    .since = 23,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<ReshapeAttrs>,
    .infer = infer,
    .reference = copy_reference,
    .inplace = kViewInPlace,
    .view = view_all,
    .move = move_all,
};

}  // namespace polaris
