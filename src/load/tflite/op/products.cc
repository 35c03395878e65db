// Matrix products.
#include <algorithm>
#include <utility>

#include "ir/op_attrs/matmul.h"
#include "load/tflite/op/layers.h"

namespace polaris::tflite {
namespace {

/// The last two axes exchanged.
ValueId exchanged(OperatorImport& o, ValueId value, int rank) {
  if (rank < 2) {
    o.fail("rank, got " + std::to_string(rank) + ", wanted 2 or more");
    return kNoValue;
  }
  std::vector<std::int64_t> perm;
  for (int i = 0; i < rank; ++i) perm.push_back(i);
  std::swap(perm[static_cast<std::size_t>(rank) - 1], perm[static_cast<std::size_t>(rank) - 2]);
  return o.builder().transpose(value, std::move(perm));
}

/// [rows, n] as the input's dims but for the last, and n.
ValueId with_dims_of(OperatorImport& o, ValueId rows, ValueId x, std::int64_t n) {
  Builder& b = o.builder();
  const int rank = b.rank(x);
  if (rank == 2) return rows;
  if (rank < 0) {
    o.unsupported("the input's rank is not known");
    return kNoValue;
  }
  const std::int64_t last = rank - 1;
  const ValueId dims = b.add("Shape", {x}, {{"start", std::int64_t{0}}, {"end", last}});
  return b.add("Reshape",
               {rows, b.add("Concat", {dims, b.ints({n})}, {{"axis", std::int64_t{0}}})});
}

}  // namespace

void fully_connected(OperatorImport& o) {
  Builder& b = o.builder();
  if (o.byte_option(1) != 0) return o.unsupported("shuffled weights");
  const ValueId w = weight(o, 1, {0, 1});
  const ValueId x = o.real(0);
  const std::int64_t n = b.dim(w, 0);
  const std::int64_t k = b.dim(w, 1);
  if (!o.ok()) return;
  if (b.rank(w) != 2 || n < 1 || k < 1) return o.fail("weights, wanted a matrix of known size");
  const ValueId flat = b.rank(x) == 2 && b.dim(x, 1) == k ? x : b.reshape(x, {-1, k});
  const ValueId rows = rounded_rows(o, flat, 1, {-1});
  auto attrs = std::make_unique<GemmAttrs>();
  attrs->transB = true;
  ValueId y = b.add_with("Gemm", {rows, w, bias(o, 2, 0, 1)}, std::move(attrs));
  if (o.flag(2)) y = with_dims_of(o, y, x, n);
  o.give_activated(y, o.byte_option(0));
}

void batch_matmul(OperatorImport& o) {
  ValueId x = o.real(0);
  ValueId y = o.real(1);
  if (o.flag(0)) x = exchanged(o, x, o.rank(0));
  if (o.flag(1)) y = exchanged(o, y, o.rank(1));
  o.give(0, o.add("MatMul", {x, y}));
}

}  // namespace polaris::tflite
