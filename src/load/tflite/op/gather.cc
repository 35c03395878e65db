// Elements by index, and the way back.
#include <cmath>
#include <limits>
#include <utility>

#include "load/tflite/importer.h"

namespace polaris::tflite {
namespace {

constexpr std::int64_t kAxis0 = 0;

/// With batch dims: the axis moves behind them, GatherND takes rows, and what stood before the axis
/// moves back in front of the indices' dims.
ValueId gather_batched(OperatorImport& o, std::int64_t batch, std::int64_t axis) {
  Builder& b = o.builder();
  const std::int64_t rank = o.rank(0);
  const std::int64_t index_rank = o.rank(1);
  if (batch > axis || batch > index_rank || index_rank < 0) {
    o.fail("batch dims, got " + std::to_string(batch));
    return kNoValue;
  }
  std::vector<std::int64_t> perm;
  for (std::int64_t i = 0; i < rank; ++i) {
    if (i == batch) perm.push_back(axis);
    if (i != axis) perm.push_back(i);
  }
  if (batch == rank - 1) perm = {};
  ValueId x = o.moved(0);
  if (axis != batch) x = b.transpose(x, perm);
  const ValueId index = b.add("Unsqueeze", {o.index(1), b.ints({-1})});
  const ValueId found = b.add("GatherND", {x, index}, {{"batch_dims", batch}});
  if (axis == batch) return found;
  const std::int64_t before = axis - batch;  // axes that move in front again
  const std::int64_t indices = index_rank - batch;
  std::vector<std::int64_t> back;
  for (std::int64_t i = 0; i < batch; ++i) back.push_back(i);
  for (std::int64_t i = 0; i < before; ++i) back.push_back(batch + indices + i);
  for (std::int64_t i = 0; i < indices; ++i) back.push_back(batch + i);
  for (std::int64_t i = batch + indices + before; i < rank - 1 + indices; ++i) back.push_back(i);
  return b.transpose(found, back);
}

/// Rows `index` of a tensor of `shape` filled with `start`, each joined with `rows` by `reduction`.
ValueId scattered(OperatorImport& o, ValueId start, ValueId shape, ValueId index, ValueId rows,
                  std::string_view reduction) {
  const ValueId whole = o.add("Expand", {start, shape});
  return o.add("ScatterND", {whole, index, rows}, {{"reduction", reduction}});
}

/// Inputs: data, ids, number of rows. Negative ids are dropped: their rows go to one that is cut.
void segments(OperatorImport& o, std::string_view reduction, double start) {
  Builder& b = o.builder();
  const ValueId data = o.real(0);
  const int ids_rank = o.rank(1);
  const ValueId count = b.reshape(o.index(2), {1});
  if (!o.ok()) return;
  if (ids_rank < 1) return o.unsupported("the rank of the ids is not known");
  const std::int64_t inner = ids_rank;
  const ValueId rest = b.add("Shape", {data}, {{"start", inner}});
  const ValueId rows = b.add("Add", {count, b.ints({1})});
  const ValueId shape = b.add("Concat", {rows, rest}, {{"axis", kAxis0}});
  const ValueId ids = o.index(1);
  const ValueId kept = b.add("Where", {b.add("Less", {ids, b.int_scalar(0)}), count, ids});
  const ValueId all = scattered(o, b.number(start, o.dtype(0)), shape,
                                b.add("Unsqueeze", {kept, b.ints({-1})}), data, reduction);
  o.give(0, b.add("Slice", {all, b.ints({0}), count, b.ints({0})}));
}

double lowest(DType dtype) {
  if (dtype == DType::kI32) return std::numeric_limits<std::int32_t>::min();
  return static_cast<double>(std::numeric_limits<float>::lowest());
}
double highest(DType dtype) {
  if (dtype == DType::kI32) return std::numeric_limits<std::int32_t>::max();
  return static_cast<double>(std::numeric_limits<float>::max());
}

}  // namespace

void gather(OperatorImport& o) {
  const int rank = o.rank(0);
  const auto axis = normalize_axis(o.option(0), rank < 0 ? 0 : rank);
  if (!o.ok()) return;
  if (!axis) return o.fail("axis, got " + std::to_string(o.option(0)));
  std::int64_t batch = o.option(1);
  if (batch < 0) batch += o.rank(1);
  if (batch < 0) return o.fail("batch dims, got " + std::to_string(batch));
  if (batch > 0) return o.give_moved(0, gather_batched(o, batch, *axis));
  o.give_moved(0, o.add("Gather", {o.moved(0), o.index(1)}, {{"axis", std::int64_t{*axis}}}));
}

void gather_nd(OperatorImport& o) { o.give_moved(0, o.add("GatherND", {o.moved(0), o.index(1)})); }

// Inputs: ids, rows.
void embedding_lookup(OperatorImport& o) {
  const bool stays = OperatorImport::same_quantization(o.in(1), o.out());
  const ValueId found = o.add("Gather", {stays ? o.raw(1) : o.real(1), o.index(0)});
  stays ? o.give_raw(0, found) : o.give(0, found);
}

// Inputs: indices, updates, shape. Updates of one place add up.
void scatter_nd(OperatorImport& o) {
  Builder& b = o.builder();
  const ValueId zero = b.number(0, o.quantized(1) ? DType::kF32 : o.dtype(1));
  o.give(0, scattered(o, zero, o.index(2), o.index(0), o.real(1), "add"));
}

// Inputs: indices, shape, values, the value elsewhere.
void sparse_to_dense(OperatorImport& o) {
  Builder& b = o.builder();
  ValueId index = o.index(0);
  const int rank = o.rank(0);
  if (rank == 0) index = b.reshape(index, {1, 1});
  if (rank == 1) index = b.add("Unsqueeze", {index, b.ints({-1})});
  const ValueId count =
      b.add("Shape", {index}, {{"start", std::int64_t{0}}, {"end", std::int64_t{1}}});
  const ValueId values = b.add("Expand", {o.raw(2), count});
  o.give_raw(0, scattered(o, b.reshape(o.raw(3), std::initializer_list<std::int64_t>{}), o.index(1),
                          index, values, "none"));
}

// Inputs: indices, depth, on, off.
void one_hot(OperatorImport& o) {
  Builder& b = o.builder();
  const ValueId off = b.reshape(o.raw(3), {1});
  const ValueId on = b.reshape(o.raw(2), {1});
  const ValueId values = b.add("Concat", {off, on}, {{"axis", kAxis0}});
  // ONNX counts indices from the back where they are negative; here those are nowhere.
  const ValueId index = o.index(0);
  const ValueId nowhere = b.int_scalar(INT32_MAX);
  const ValueId kept = b.add("Where", {b.add("Less", {index, b.int_scalar(0)}), nowhere, index});
  o.give_raw(0, b.add("OneHot", {kept, o.index(1), values}, {{"axis", o.option(0)}}));
}

// Inputs: data, ids from 0 on, in order.
void segment_sum(OperatorImport& o) {
  Builder& b = o.builder();
  const ValueId data = o.raw(0);
  const ValueId ids = o.index(1);
  const bool keep = true;
  const ValueId last = b.add("ReduceMax", {ids}, {{"keepdims", keep}});
  const ValueId rest = b.add("Shape", {data}, {{"start", std::int64_t{1}}});
  const ValueId rows = b.add("Add", {last, b.ints({1})});
  const ValueId shape = b.add("Concat", {rows, rest}, {{"axis", kAxis0}});
  o.give_raw(0, scattered(o, b.number(0, o.dtype(0)), shape,
                          b.add("Unsqueeze", {ids, b.ints({-1})}), data, "add"));
}

void unsorted_segment_sum(OperatorImport& o) { segments(o, "add", 0); }
void unsorted_segment_prod(OperatorImport& o) { segments(o, "mul", 1); }
void unsorted_segment_max(OperatorImport& o) { segments(o, "max", lowest(o.dtype(0))); }
void unsorted_segment_min(OperatorImport& o) { segments(o, "min", highest(o.dtype(0))); }

}  // namespace polaris::tflite
