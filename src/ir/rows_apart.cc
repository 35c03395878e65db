#include "ir/rows_apart.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/strings.h"
#include "ir/any_rank.h"
#include "ir/op_attrs/attention.h"
#include "ir/op_attrs/gather.h"
#include "ir/op_attrs/matmul.h"
#include "ir/op_attrs/normalization.h"
#include "ir/op_attrs/reduce.h"
#include "ir/op_attrs/shape.h"
#include "ir/op_util/infer.h"
#include "tensor/element.h"

namespace polaris {
namespace {

/// What a value has of the tokens.
struct Rows {
  enum class Kind : std::uint8_t {
    kNone,   // nothing: the same whatever tokens there are
    kSizes,  // it tells how many there are
    kAxis,   // along one axis, `each` places in a row are one token's
  };
  Kind kind = Kind::kNone;
  int axis = 0;
  std::int64_t each = 1;

  bool none() const { return kind == Kind::kNone; }
  bool any() const { return kind == Kind::kAxis; }
  static Rows at(int axis, std::int64_t each = 1) { return {Kind::kAxis, axis, each}; }
  /// Whether tokens stand one by one along that axis.
  bool one_at(int wanted) const { return any() && axis == wanted && each == 1; }
};

class RowsCheck {
 public:
  RowsCheck(const Graph& graph, const DecoderContract& contract)
      : graph_(graph), contract_(contract), rows_(graph.value_count()) {}

  Status run() {
    for (ValueId input : graph_.inputs()) {
      if (graph_.value(input).type.shape.rank() == 1) rows_[input] = Rows::at(0);
    }
    for (NodeId id : graph_.order()) {
      const Node& node = graph_.node(id);
      if (node.dead) continue;
      const auto made = rows_of(node);
      if (!made) {
        return Error::unsupported("[decoder] " + op_full_name(*node.op) + " node '" +
                                  printable(node.name) +
                                  "' mixes tokens, or nothing here knows that it does not; wanted "
                                  "tokens apart outside of attention");
      }
      for (ValueId output : node.outputs) {
        if (output.valid()) rows_[output] = *made;
      }
    }
    return Status::success();
  }

 private:
  const Shape& shape(ValueId id) const { return graph_.value(id).type.shape; }
  Rows of(const Node& node, std::size_t i) const {
    return i < node.inputs.size() && node.inputs[i].valid() ? rows_[node.inputs[i]] : Rows{};
  }
  /// Inputs from `first` on but `but` have nothing of the tokens.
  bool others_none(const Node& node, std::size_t first = 1, std::size_t but = SIZE_MAX) const {
    for (std::size_t i = first; i < node.inputs.size(); ++i) {
      if (i != but && !of(node, i).none()) return false;
    }
    return true;
  }
  int rank(const Node& node, std::size_t i) const { return shape(node.inputs[i]).rank(); }
  std::optional<Rows> kept_unless(const Rows& x, bool mixed) const {
    return mixed ? std::nullopt : std::optional(x);
  }

  /// What all outputs have; nothing where tokens are mixed.
  std::optional<Rows> rows_of(const Node& node) const {
    const bool all_none = others_none(node, 0);
    if (all_none) return Rows{};
    if (!node.subgraphs.empty()) return std::nullopt;
    if (node.op->is("Shape") || node.op->is("Size")) return Rows{Rows::Kind::kSizes};
    if (node.op->has_trait(kStateful) || node.op->is("PagedAttention", "polaris")) {
      return paged(node);
    }
    const bool any =
        std::ranges::any_of(node.inputs, [&](ValueId v) { return v.valid() && rows_[v].any(); });
    if (!any) return Rows{Rows::Kind::kSizes};
    if (is_view(node) || node.op->is("Expand")) return moved_rows(node);
    if (of(node, 0).any() && others_none(node)) return along_one(node);
    return of_several(node);
  }

  /// polaris.KvWrite, polaris.PagedAttention: rows [tokens, ...] and what tells where they go.
  std::optional<Rows> paged(const Node& node) const {
    const bool reads = node.op->is("PagedAttention", "polaris");
    if (!reads && !node.op->is("KvWrite", "polaris")) return std::nullopt;
    const auto at_0 = [&](std::size_t i) { return of(node, i).one_at(0); };
    if (!reads) return at_0(2) && at_0(3) ? std::optional(Rows{}) : std::nullopt;
    return at_0(0) && of(node, 6).none() ? std::optional(Rows::at(0)) : std::nullopt;
  }

  static bool is_view(const Node& node) {
    return node.op->is("Reshape") || node.op->is("Squeeze") || node.op->is("Unsqueeze") ||
           node.op->is("Flatten");
  }

  /// Ops that put the elements of input 0 under other dims. Where to may be said by sizes: what
  /// comes out is looked at.
  std::optional<Rows> moved_rows(const Node& node) const {
    const Rows x = of(node, 0);
    if (!x.any()) return std::nullopt;
    const Shape& from = shape(node.inputs[0]);
    const Shape& to = shape(node.outputs[0]);
    if (is_view(node)) return viewed(x, from, to);
    const int axis = x.axis + to.rank() - from.rank();
    const bool kept = axis >= 0 && to[axis] == from[x.axis] && is_symbol_dim(to[axis]);
    return kept_unless(Rows::at(axis, x.each), !kept);
  }

  static std::optional<std::int64_t> product(const Shape& shape, int from, int to) {
    std::int64_t out = 1;
    for (int d = from; d < to; ++d) {
      if (!is_static_dim(shape[d]) || shape[d] < 1 || shape[d] > INT32_MAX / out) {
        return std::nullopt;
      }
      out *= shape[d];
    }
    return out;
  }

  /// As many elements stand before the axis, and a whole number of its places is one token's.
  static std::optional<Rows> viewed(const Rows& x, const Shape& from, const Shape& to) {
    int axis = 0;
    while (axis < to.rank() && is_static_dim(to[axis])) ++axis;
    if (axis == to.rank()) return std::nullopt;
    const auto before = product(from, 0, x.axis);
    const auto own = product(from, x.axis + 1, from.rank());
    const auto inner = product(to, axis + 1, to.rank());
    if (!before || !own || !inner || product(to, 0, axis) != before) return std::nullopt;
    if (x.each * *own % *inner != 0) return std::nullopt;
    return Rows::at(axis, x.each * *own / *inner);
  }

  /// Ops of input 0 alone, whatever else they read being fixed.
  std::optional<Rows> along_one(const Node& node) const {
    const Rows x = of(node, 0);
    const int r = rank(node, 0);
    const OpDef& op = *node.op;
    if (op.has_trait(kElementwise)) return elementwise(node);
    if (op.is("CastLike")) return x;
    if (op.is("Linear", "polaris")) return kept_unless(x, x.axis == r - 1);
    if (op.is("MatMul")) return kept_unless(x, x.axis == r - 1 || r < 2 || rank(node, 1) != 2);
    if (op.is("Gemm")) {
      const auto& attrs = node.attrs_as<GemmAttrs>();
      return kept_unless(x, attrs.transA || x.axis != 0);
    }
    if (op.is("Gather")) return gathered(node);
    if (op.is("LayerNormalization")) {
      return before_axis(x, node.attrs_as<LayerNormAttrs>().axis, r);
    }
    if (op.is("RMSNormalization")) return before_axis(x, node.attrs_as<RmsNormAttrs>().axis, r);
    if (op.is("Softmax") || op.is("LogSoftmax")) {
      return not_axis(x, node.attrs_as<SoftmaxAttrs>().axis, r);
    }
    if (op.is("TopK")) return not_axis(x, node.attrs_as<TopKAttrs>().axis, r);
    if (op.is("Split")) return not_axis(x, node.attrs_as<SplitAttrs>().axis, r);
    if (op.is("Concat")) return joined(node);
    if (op.is("Transpose")) return transposed(node);
    if (op.is("Slice")) return kept_unless(x, names_axis(node, 3, x.axis, r));
    if (op.is("RotaryEmbedding")) return std::nullopt;  // without positions of the tokens
    if (op.name.starts_with("Reduce")) return reduced(node);
    return std::nullopt;
  }

  /// Ops of several inputs that have tokens.
  std::optional<Rows> of_several(const Node& node) const {
    const OpDef& op = *node.op;
    if (op.has_trait(kElementwise)) return elementwise(node);
    if (op.is("Gather")) return gathered(node);
    if (op.is("Concat")) return joined(node);
    if (op.is("CastLike")) return of(node, 0);
    if (op.is("RotaryEmbedding")) return turned(node);
    return std::nullopt;
  }

  static std::optional<Rows> not_axis(const Rows& x, std::int64_t axis, int rank) {
    const auto at = normalize_axis(axis, rank);
    return at && *at != x.axis ? std::optional(x) : std::nullopt;
  }
  static std::optional<Rows> before_axis(const Rows& x, std::int64_t axis, int rank) {
    const auto at = normalize_axis(axis, rank);
    return at && x.axis < *at ? std::optional(x) : std::nullopt;
  }

  /// Whether the axes in input `i`, which may not be known, may name `axis`.
  bool names_axis(const Node& node, std::size_t i, int axis, int rank) const {
    if (i >= node.inputs.size() || !node.inputs[i].valid()) return true;
    const auto& constant = graph_.value(node.inputs[i]).constant;
    if (!constant || !constant->data.type().encoding.is_plain()) return true;
    for (std::int64_t e = 0; e < constant->data.elements(); ++e) {
      const auto at =
          normalize_axis(load_i64(constant->data.dtype(), constant->data.bytes().data(), e), rank);
      if (!at || *at == axis) return true;
    }
    return false;
  }

  /// Inputs are lined up from their last dims on; what has no tokens broadcasts over them.
  std::optional<Rows> elementwise(const Node& node) const {
    const int r = shape(node.outputs[0]).rank();
    std::optional<Rows> out;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const Rows x = of(node, i);
      if (x.kind == Rows::Kind::kSizes) return std::nullopt;
      if (!x.any()) continue;
      const Rows lined = Rows::at(x.axis + r - rank(node, i), x.each);
      if (out && (out->axis != lined.axis || out->each != lined.each)) return std::nullopt;
      out = lined;
    }
    for (std::size_t i = 0; out && i < node.inputs.size(); ++i) {
      if (!node.inputs[i].valid() || of(node, i).any()) continue;
      const int at = out->axis - (r - rank(node, i));
      if (at >= 0 && shape(node.inputs[i])[at] != 1) return std::nullopt;
    }
    return out;
  }

  std::optional<Rows> gathered(const Node& node) const {
    const Rows x = of(node, 0);
    const Rows indices = of(node, 1);
    const auto at = normalize_axis(node.attrs_as<GatherAttrs>().axis, rank(node, 0));
    if (!at || x.kind == Rows::Kind::kSizes || indices.kind == Rows::Kind::kSizes) {
      return std::nullopt;
    }
    if (!x.any()) return Rows::at(*at + indices.axis, indices.each);
    const bool picks = node.inputs[1] == graph_.inputs()[contract_.logit_rows];
    if (*at == x.axis) return kept_unless(x, !picks || x.each != 1);
    if (indices.any()) return std::nullopt;
    return x.axis < *at ? x : Rows::at(x.axis + rank(node, 1) - 1, x.each);
  }

  std::optional<Rows> joined(const Node& node) const {
    const Rows x = of(node, 0);
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      const Rows other = of(node, i);
      if (!other.any() || other.axis != x.axis || other.each != x.each) return std::nullopt;
    }
    if (!x.any()) return std::nullopt;
    return not_axis(x, node.attrs_as<ConcatAttrs>().axis, rank(node, 0));
  }

  std::optional<Rows> transposed(const Node& node) const {
    const auto& perm = node.attrs_as<TransposeAttrs>().perm;
    const Rows x = of(node, 0);
    if (perm.empty()) return Rows::at(rank(node, 0) - 1 - x.axis, x.each);
    const auto at = std::ranges::find(perm, x.axis);
    if (at == perm.end()) return std::nullopt;
    return Rows::at(static_cast<int>(at - perm.begin()), x.each);
  }

  std::optional<Rows> reduced(const Node& node) const {
    const Rows x = of(node, 0);
    const auto& attrs = node.attrs_as<ReduceAttrs>();
    if (!attrs.keepdims || names_axis(node, 1, x.axis, rank(node, 0))) return std::nullopt;
    return x;
  }

  /// Positions or tables with a row for each token.
  std::optional<Rows> turned(const Node& node) const {
    const Rows x = of(node, 0);
    if (!x.one_at(rank(node, 0) == 4 ? 2 : 1)) return std::nullopt;
    const bool has_positions = node.inputs.size() > 3 && node.inputs[3].valid();
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      const Rows other = of(node, i);
      const bool wanted = has_positions == (i == 3);
      if (wanted ? !other.one_at(1) : !other.none()) return std::nullopt;
    }
    return x;
  }

  const Graph& graph_;
  const DecoderContract& contract_;
  IdVector<ValueId, Rows> rows_;
};

}  // namespace

Status check_rows_apart(const Graph& graph, const DecoderContract& contract) {
  return RowsCheck(graph, contract).run();
}

}  // namespace polaris
