#include "ir/strided_move.h"

#include "base/checked.h"
#include "ir/op_util/elements.h"

namespace polaris {
namespace {

/// Whether the loops make `made` elements, one at least, all of them of an input of `whole`.
bool fits(const StridedMove& move, std::int64_t made, std::int64_t whole) {
  std::int64_t count = 1;
  std::int64_t low = move.start;
  std::int64_t high = move.start;
  for (const auto& [size, stride] : move.loops) {
    const auto more = checked_mul(count, size);
    const auto reach = checked_mul(size - 1, stride);
    if (size < 1 || !more || !reach) return false;
    const auto bound = checked_add(*reach < 0 ? low : high, *reach);
    if (!bound) return false;
    (*reach < 0 ? low : high) = *bound;
    count = *more;
  }
  return count == made && low >= 0 && high < whole;
}

StridedMove joined(const StridedMove& move) {
  StridedMove out{move.start, {}};
  for (const auto& [size, stride] : move.loops) {
    if (size == 1) continue;
    if (!out.loops.empty() && out.loops.back().stride == stride * size) {
      out.loops.back() = {out.loops.back().size * size, stride};
    } else {
      out.add(size, stride);
    }
  }
  return out;
}

}  // namespace

std::optional<StridedMove> strided_move(const NodeTypes& n) {
  if (n.op->move == nullptr) return std::nullopt;
  const std::int64_t made = n.outputs[0].shape.elements();
  if (made == 0) return StridedMove{0, {{0, 0}}};
  const auto move = n.op->move(n);
  if (!move || !fits(*move, made, n.inputs[0].shape.elements())) return std::nullopt;
  return joined(*move);
}

Status move_reference(RefContext& c) {
  std::vector<TensorType> inputs;
  std::vector<Tensor> known(c.inputs.size());
  std::vector<const Tensor*> values(c.inputs.size());
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const bool there = c.has(static_cast<int>(i));
    inputs.push_back(there ? c.inputs[i].type : TensorType{});
    if (!there || (c.op->input_flags(static_cast<int>(i)) & kHostRead) == 0) continue;
    auto copy = Tensor::from<std::int64_t>(DType::kI64, inputs[i].shape, read_i64(c.inputs[i]));
    if (!copy) return copy.error();
    known[i] = copy.take();
    values[i] = &known[i];
  }
  const TensorType& out = c.out(0).type;
  const auto move = strided_move({c.op, c.attrs, inputs, {&out, 1}, values});
  if (!move) return c.fail("inputs and attributes contradict each other");
  auto loops = move->loops;
  std::int64_t run = 1;
  if (!loops.empty() && loops.back().stride == 1) {
    run = loops.back().size;
    loops.pop_back();
  }
  std::vector<std::int64_t> at(loops.size());
  std::int64_t from = move->start;
  for (std::int64_t to = 0, count = out.shape.elements(); to < count; to += run) {
    copy_elements(c.out(0), to, c.in(0), from, run);
    for (std::size_t d = loops.size(); d-- > 0;) {
      const auto& [size, stride] = loops[d];
      from += stride;
      if (++at[d] < size) break;
      from -= stride * size;
      at[d] = 0;
    }
  }
  return Status::success();
}

std::optional<ViewOf> move_view(const NodeTypes& n, int) {
  const auto move = strided_move(n);
  if (!move || !n.inputs[0].encoding.is_plain()) return std::nullopt;
  const auto& loops = move->loops;
  if (loops.size() > 1 || (!loops.empty() && loops[0].size > 0 && loops[0].stride != 1)) {
    return std::nullopt;
  }
  const DType dtype = n.inputs[0].dtype;
  const std::int64_t count = n.outputs[0].shape.elements();
  // A run of packed elements shares no byte with its neighbours.
  const bool whole = count == n.inputs[0].shape.elements();
  if (!fills_bytes(dtype, move->start) || (!whole && !fills_bytes(dtype, count))) {
    return std::nullopt;
  }
  const auto offset = bytes_of(dtype, move->start);
  return offset ? std::optional(ViewOf{0, *offset}) : std::nullopt;
}

std::optional<StridedMove> move_all(const NodeTypes& n) {
  return StridedMove{0, {{n.inputs[0].shape.elements(), 1}}};
}

std::optional<std::vector<std::int64_t>> host_ints(const NodeTypes& n, std::size_t i) {
  std::vector<std::int64_t> out;
  if (i >= n.inputs.size()) return out;
  const Tensor* value = i < n.values.size() ? n.values[i] : nullptr;
  if (value == nullptr) {
    // An absent input stands as a scalar.
    if (n.inputs[i].shape.rank() != 0) return std::nullopt;
    return out;
  }
  for (std::int64_t e = 0; e < value->elements(); ++e) out.push_back(element_as_i64(*value, e));
  return out;
}

}  // namespace polaris
