// Ops that move elements: those that say where from (OpDef::move), and Concat, Split, Pad.
#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/cpu/kernel.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/strided_copy.h"
#include "backend/cpu/transpose_copy.h"
#include "backend/node_move.h"
#include "base/bytes.h"
#include "ir/op_attrs/shape.h"

namespace polaris::cpu {
namespace {

void absorb_from(CpuKernel& kernel, const NodeDesc& node, std::size_t first) {
  for (std::size_t i = first; i < node.inputs.size(); ++i) {
    if (node.inputs[i].constant != nullptr) kernel.absorb(static_cast<int>(i));
  }
}

KernelResult select_bytes(const NodeDesc& node) {
  const std::int64_t bytes = node.outputs[0].type.bytes().value_or(0);
  auto kernel = make_kernel("copy", [bytes](const Launch& l) {
    if (l.inputs[0] == l.outputs[0]) return;
    l.pool->parallel_for(bytes, 1 << 18, [&](std::int64_t from, std::int64_t to, int) {
      copy_bytes(l.outputs[0] + from, l.inputs[0] + from, static_cast<std::size_t>(to - from));
    });
  });
  absorb_from(*kernel, node, 1);
  return KernelResult(std::move(kernel));
}

/// What the op itself says (OpDef::move).
KernelResult select_move(const CpuTarget& target, const NodeDesc& node) {
  const auto move = node_move(node);
  if (!move) return unsupported(node, "which elements move is not known");
  const std::int64_t count = node.outputs[0].type.shape.elements();
  const bool whole = count == node.inputs[0].type.shape.elements();
  if (whole && (count <= 1 || move->loops[0].stride == 1) && move->loops.size() <= 1) {
    return select_bytes(node);
  }
  const ElementWidth width = width_of(node.inputs[0].type.dtype);
  const auto transposed = width.raw() == 4 ? TransposeCopy::of(*target.simd, *move) : std::nullopt;
  if (transposed) {
    auto kernel = make_kernel(
        "move " + std::string(node.op->name) + " by tiles",
        [copy = *transposed](const Launch& l) { copy.run(*l.pool, l.inputs[0], l.outputs[0]); });
    absorb_from(*kernel, node, 1);
    return KernelResult(std::move(kernel));
  }
  const StridedCopy copy(width, *move);
  auto kernel = make_kernel("move " + std::string(node.op->name), [copy](const Launch& l) {
    copy.run(*l.pool, l.inputs[0], l.outputs[0]);
  });
  absorb_from(*kernel, node, 1);
  return KernelResult(std::move(kernel));
}

/// Blocks of `run` bytes, one per outer index, between a whole and its part at `offset`.
struct PartCopy {
  std::int64_t outer = 1;
  std::int64_t whole = 0;  // bytes from outer index to outer index in the whole
  std::int64_t run = 0;
  std::int64_t offset = 0;
};

void copy_parts(ThreadPool& pool, const PartCopy& p, const std::byte* from, std::int64_t from_step,
                std::byte* to, std::int64_t to_step) {
  if (p.run == 0 || from == nullptr || to == nullptr) return;
  parallel_rows(pool, p.outer, p.run / 4, [&](std::int64_t first, std::int64_t end, int) {
    for (std::int64_t o = first; o < end; ++o) {
      if (from + o * from_step == to + o * to_step) continue;  // the planner put it in place
      copy_bytes(to + o * to_step, from + o * from_step, static_cast<std::size_t>(p.run));
    }
  });
}

/// The parts of `whole` along an axis.
std::vector<PartCopy> part_copies(const TensorType& whole, int axis,
                                  std::span<const OperandDesc> parts) {
  const ElementWidth width = width_of(whole.dtype);
  const std::int64_t inner = width.of(whole.shape.elements_between(axis + 1, whole.shape.rank()));
  std::vector<PartCopy> out;
  std::int64_t offset = 0;
  for (const OperandDesc& part : parts) {
    const std::int64_t run = part.type.shape[axis] * inner;
    out.push_back({whole.shape.elements_between(0, axis), whole.shape[axis] * inner, run, offset});
    offset += run;
  }
  return out;
}

KernelResult select_concat(const NodeDesc& node) {
  const TensorType& out = node.outputs[0].type;
  const auto axis = normalize_axis(node.attributes<ConcatAttrs>().axis, out.shape.rank());
  if (!axis) return unsupported(node, "axis out of range");
  return KernelResult(
      make_kernel("concat", [parts = part_copies(out, *axis, node.inputs)](const Launch& l) {
        for (std::size_t i = 0; i < parts.size(); ++i) {
          copy_parts(*l.pool, parts[i], l.inputs[i], parts[i].run, l.outputs[0] + parts[i].offset,
                     parts[i].whole);
        }
      }));
}

KernelResult select_split(const NodeDesc& node) {
  const TensorType& in = node.inputs[0].type;
  const auto axis = normalize_axis(node.attributes<SplitAttrs>().axis, in.shape.rank());
  if (!axis) return unsupported(node, "axis out of range");
  auto kernel =
      make_kernel("split", [parts = part_copies(in, *axis, node.outputs)](const Launch& l) {
        for (std::size_t i = 0; i < parts.size(); ++i) {
          copy_parts(*l.pool, parts[i], l.inputs[0] + parts[i].offset, parts[i].whole, l.outputs[i],
                     parts[i].run);
        }
      });
  absorb_from(*kernel, node, 1);
  return KernelResult(std::move(kernel));
}

/// For each output dim and index, the input index it repeats, or -1 for the constant.
struct PadPlan {
  Shape in, out, strides;
  std::vector<std::int64_t> source[kMaxRank];
  // Of the last dim: outputs [run_begin, run_end) are neighbours in the input.
  std::int64_t run_begin = 0;
  std::int64_t run_end = 0;
  ElementWidth width{1};
};

std::int64_t pad_source(std::int64_t at, std::int64_t size, std::string_view mode) {
  if (at >= 0 && at < size) return at;
  if (mode == "constant" || size == 0) return -1;
  if (mode == "edge") return at < 0 ? 0 : size - 1;
  const auto modulo = [](std::int64_t v, std::int64_t n) { return (v % n + n) % n; };
  if (mode == "wrap") return modulo(at, size);
  if (size == 1) return 0;
  const std::int64_t folded = modulo(at, 2 * (size - 1));
  return folded < size ? folded : 2 * (size - 1) - folded;
}

void pad_row(const PadPlan& p, const Launch& l, std::int64_t row, const std::byte* value) {
  const int last = p.out.rank() - 1;
  std::int64_t rest = row;
  std::int64_t from = 0;
  bool inside = true;
  for (int d = last - 1; d >= 0; --d) {
    const std::int64_t at = p.source[d][static_cast<std::size_t>(rest % p.out[d])];
    rest /= p.out[d];
    inside = inside && at >= 0;
    from += at * p.strides[d];
  }
  std::byte* to = l.outputs[0] + p.width.of(row * p.out[last]);
  const std::vector<std::int64_t>& source = p.source[last];
  for (std::int64_t i = 0; i < p.out[last];) {
    const std::int64_t at = inside ? source[static_cast<std::size_t>(i)] : -1;
    // Neighbours that are neighbours in the input, too, are copied together.
    std::int64_t run = 1;
    if (at >= 0 && i == p.run_begin) run = std::max<std::int64_t>(1, p.run_end - i);
    const std::int64_t bytes = p.width.of(run);
    copy_bytes(to, at >= 0 ? l.inputs[0] + p.width.of(from + at) : value,
               static_cast<std::size_t>(bytes));
    to += bytes;
    i += run;
  }
}

/// The outputs of the last dim that lie in the input.
void find_run(PadPlan& plan, std::int64_t before) {
  const std::int64_t size = plan.out.back();
  plan.run_begin = std::clamp<std::int64_t>(before, 0, size);
  plan.run_end = std::clamp<std::int64_t>(before + plan.in.back(), plan.run_begin, size);
}

KernelResult select_pad(const NodeDesc& node) {
  const auto pads = known_ints(node, 1);
  const auto axes = known_ints(node, 3);
  auto plan = std::make_shared<PadPlan>();
  plan->in = node.inputs[0].type.shape;
  plan->out = node.outputs[0].type.shape;
  plan->strides = row_major_strides(plan->in);
  plan->width = width_of(node.inputs[0].type.dtype);
  const int rank = plan->in.rank();
  if (!pads || !axes) return unsupported(node, "pads are not known");
  const std::size_t n = axes->empty() ? static_cast<std::size_t>(rank) : axes->size();
  if (pads->size() != 2 * n || rank == 0) return unsupported(node, "pads do not fit the axes");
  Shape before = Shape::filled(rank, 0);
  for (std::size_t i = 0; i < n; ++i) {
    const auto axis =
        normalize_axis(axes->empty() ? static_cast<std::int64_t>(i) : (*axes)[i], rank);
    if (!axis) return unsupported(node, "axis out of range");
    before[*axis] = (*pads)[i];
  }
  const std::string& mode = node.attributes<PadAttrs>().mode;
  for (int d = 0; d < rank; ++d) {
    for (std::int64_t i = 0; i < plan->out[d]; ++i) {
      plan->source[d].push_back(pad_source(i - before[d], plan->in[d], mode));
    }
  }
  find_run(*plan, before[rank - 1]);
  const std::int64_t rows = plan->out.elements_between(0, rank - 1);
  auto kernel = make_kernel("pad_" + mode, [plan, rows](const Launch& l) {
    std::byte zero[8] = {};
    const std::byte* value = l.inputs[2] != nullptr ? l.inputs[2] : zero;
    parallel_rows(*l.pool, rows, plan->out.back(), [&](std::int64_t from, std::int64_t to, int) {
      for (std::int64_t r = from; r < to; ++r) pad_row(*plan, l, r, value);
    });
  });
  if (node.inputs[1].constant != nullptr) kernel->absorb(1);
  if (has_input(node, 3) && node.inputs[3].constant != nullptr) kernel->absorb(3);
  return KernelResult(std::move(kernel));
}

struct Row {
  std::string_view op;
  KernelResult (*select)(const NodeDesc&);
};
constexpr Row kRows[] = {{"Concat", select_concat}, {"Split", select_split}, {"Pad", select_pad}};
constexpr auto kOps = [] {
  std::array<std::string_view, std::size(kRows)> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kRows[i].op;
  return names;
}();

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  if (!node.inputs[0].type.encoding.is_plain()) return unsupported(node, "encoded data");
  if (node.op->move != nullptr) return select_move(target, node);
  return std::ranges::find(kRows, node.op->name, &Row::op)->select(node);
}

}  // namespace

extern const KernelFamily family_move;
constinit const KernelFamily family_move{
    .name = "move", .ops = kOps, .candidates = one_kernel<select>, .moves = true};

}  // namespace polaris::cpu
