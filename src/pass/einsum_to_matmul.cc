#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "ir/op_attrs/matmul.h"
#include "ir/op_attrs/reduce.h"
#include "ir/op_attrs/shape.h"
#include "ir/op_util/einsum.h"
#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

using Labels = EinsumLabels;

bool has(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

Labels join(std::initializer_list<Labels> parts) {
  Labels out;
  for (const Labels& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

/// A value and what its dims stand for.
struct Term {
  ValueId value;
  Labels labels;
};

/// How the labels of two terms meet in a product of which `kept` is wanted.
struct Split {
  Labels batch;     // in both, kept
  Labels left;      // of the first alone
  Labels right;     // of the second alone
  Labels contract;  // in both, summed over
};

Split split_of(const Labels& a, const Labels& b, const Labels& kept) {
  Split out;
  for (const int label : a) {
    (!has(b, label) ? out.left : has(kept, label) ? out.batch : out.contract).push_back(label);
  }
  for (const int label : b) {
    if (!has(a, label)) out.right.push_back(label);
  }
  return out;
}

/// Sizes by label, where they are certain: every operand says the same.
class Dims {
 public:
  /// False where two sizes of a label are not sure to be one: Einsum also broadcasts.
  bool add(const Labels& labels, const Shape& shape) {
    for (std::size_t d = 0; d < labels.size(); ++d) {
      const std::int64_t dim = shape[static_cast<int>(d)];
      const auto [at, fresh] = dims_.emplace(labels[d], dim);
      if (!fresh && (at->second != dim || dim == kUnknownDim)) return false;
      if (dim == 0) return false;  // in a shape that is wanted, 0 is a dim to be copied
      if (std::count(labels.begin(), labels.end(), labels[d]) > 1) return false;  // a diagonal
    }
    return true;
  }
  /// Their sizes are known, and so is their product: an operand with free dims may claim any.
  bool are_static(const Labels& labels) const {
    std::optional<std::int64_t> out = 1;
    for (const int label : labels) {
      if (!is_static_dim(dims_.at(label))) return false;
      out = checked_mul(*out, dims_.at(label));
      if (!out) return false;
    }
    return true;
  }
  std::vector<std::int64_t> of(const Labels& labels) const {
    std::vector<std::int64_t> out;
    for (const int label : labels) out.push_back(dims_.at(label));
    return out;
  }
  std::int64_t product(const Labels& labels) const {
    std::int64_t out = 1;  // are_static() was asked
    for (const int label : labels) out *= dims_.at(label);
    return out;
  }

 private:
  std::map<int, std::int64_t> dims_;
};

/// Labels that become one dim must have known sizes, also the one that another's merging moves.
bool is_possible(const Split& s, const Dims& dims) {
  if (s.contract.empty()) return s.batch.size() + s.left.size() + s.right.size() <= kMaxRank;
  if (s.batch.size() + std::max<std::size_t>(s.left.size(), 1) + 1 > kMaxRank) return false;
  if (s.batch.size() + s.left.size() + s.right.size() > kMaxRank) return false;
  if (s.contract.size() > 1 && !(dims.are_static(s.contract) && dims.are_static(s.right))) {
    return false;
  }
  return s.right.size() <= 1 || dims.are_static(s.right);
}

/// Builds the plain ops, before node `at`.
class Builder {
 public:
  Builder(Editor& editor, NodeId at, const Dims& dims)
      : editor_(editor), at_(at), dims_(dims), name_(editor.node(at).name) {}

  int count() const { return count_; }

  /// The sums over the labels that are not in `kept`.
  Result<Term> sum_out(Term term, const Labels& kept) {
    std::vector<std::int64_t> axes;
    Labels left;
    for (std::size_t d = 0; d < term.labels.size(); ++d) {
      if (has(kept, term.labels[d])) {
        left.push_back(term.labels[d]);
      } else {
        axes.push_back(static_cast<std::int64_t>(d));
      }
    }
    if (axes.empty()) return term;
    auto attrs = std::make_unique<ReduceAttrs>();
    attrs->keepdims = false;
    return made("ReduceSum", {term.value, ints(axes)}, std::move(left), std::move(attrs));
  }

  Result<Term> in_order(Term term, const Labels& order) {
    if (term.labels == order) return term;
    auto attrs = std::make_unique<TransposeAttrs>();
    for (const int label : order) {
      const auto at = std::find(term.labels.begin(), term.labels.end(), label);
      attrs->perm.push_back(at - term.labels.begin());
    }
    return made("Transpose", {term.value}, order, std::move(attrs));
  }

  /// The products, summed over what both have and is not wanted: [batch, left, right].
  Result<Term> multiply(const Term& a, const Term& b, const Split& s) {
    return s.contract.empty() ? scale(a, b, s) : contract(a, b, s);
  }

 private:
  Result<Term> scale(const Term& a, const Term& b, const Split& s) {
    auto first = in_order(a, join({s.batch, s.left}));
    if (first) first = widen(first.take(), s.batch.size() + s.left.size(), s.right.size());
    if (!first) return first;
    auto second = in_order(b, join({s.batch, s.right}));
    if (second) second = widen(second.take(), s.batch.size(), s.left.size());
    if (!second) return second;
    return made("Mul", {first->value, second->value}, join({s.batch, s.left, s.right}));
  }

  /// [batch, left, contract] by [batch, 1 for each left but one, contract, right].
  Result<Term> contract(const Term& a, const Term& b, const Split& s) {
    const std::size_t outer = s.batch.size() + s.left.size();
    auto first = in_order(a, join({s.batch, s.left, s.contract}));
    if (first && s.contract.size() > 1) {
      first = reshape(first.take(), outer, {dims_.product(s.contract)});
    }
    if (first && s.left.empty()) first = widen(first.take(), s.batch.size(), 1);
    if (!first) return first;
    auto second = in_order(b, join({s.batch, s.contract, s.right}));
    if (second && s.contract.size() > 1) {
      std::vector<std::int64_t> last = {dims_.product(s.contract)};
      if (!s.right.empty()) last.push_back(dims_.product(s.right));
      second = reshape(second.take(), s.batch.size(), last);
    } else if (second && s.right.size() > 1) {
      second = reshape(second.take(), s.batch.size() + 1, {dims_.product(s.right)});
    }
    if (second && s.right.empty()) second = widen(second.take(), s.batch.size() + 1, 1);
    if (second && !s.batch.empty() && s.left.size() > 1) {
      second = widen(second.take(), s.batch.size(), s.left.size() - 1);
    }
    if (!second) return second;
    auto product = made("MatMul", {first->value, second->value}, join({s.batch, s.left, s.right}));
    if (product && s.right.empty()) product = narrow(product.take(), -1);
    if (product && s.left.empty()) {
      product = narrow(product.take(), static_cast<std::int64_t>(s.batch.size()));
    }
    if (product && s.right.size() > 1) product = reshape(product.take(), outer, dims_.of(s.right));
    return product;
  }

  /// `count` dims of 1 in front of dim `at`; labels stay what they were.
  Result<Term> widen(Term term, std::size_t at, std::size_t count) {
    if (count == 0) return term;
    std::vector<std::int64_t> axes;
    for (std::size_t i = 0; i < count; ++i) axes.push_back(static_cast<std::int64_t>(at + i));
    return made("Unsqueeze", {term.value, ints(axes)}, std::move(term.labels));
  }
  Result<Term> narrow(Term term, std::int64_t axis) {
    return made("Squeeze", {term.value, ints({axis})}, std::move(term.labels));
  }
  /// The first `kept` dims as they are, then `last`.
  Result<Term> reshape(Term term, std::size_t kept, const std::vector<std::int64_t>& last) {
    std::vector<std::int64_t> shape(kept, 0);
    shape.insert(shape.end(), last.begin(), last.end());
    return made("Reshape", {term.value, ints(shape)}, std::move(term.labels));
  }
  Result<Term> made(std::string_view op, std::vector<ValueId> inputs, Labels labels,
                    std::unique_ptr<Attrs> attrs = nullptr) {
    auto value = add_value(editor_, at_, op, std::move(inputs),
                           name_ + ".step" + std::to_string(count_++), std::move(attrs));
    if (!value) return value.error();
    return Term{*value, std::move(labels)};
  }
  ValueId ints(const std::vector<std::int64_t>& values) {
    auto tensor =
        Tensor::from<std::int64_t>(DType::kI64, {static_cast<std::int64_t>(values.size())}, values);
    return tensor ? editor_.add_constant(name_ + ".c" + std::to_string(count_++), tensor.take())
                  : kNoValue;
  }

  Editor& editor_;
  NodeId at_;
  const Dims& dims_;
  std::string name_;
  int count_ = 0;
};

/// What the output and the operands after `i` still want.
Labels wanted_after(const EinsumEquation& equation, std::size_t i) {
  Labels out = equation.output;
  for (std::size_t k = i + 1; k < equation.inputs.size(); ++k) {
    out = join({out, equation.inputs[k]});
  }
  return out;
}

Labels only(const Labels& labels, const Labels& kept) {
  Labels out;
  for (const int label : labels) {
    if (has(kept, label)) out.push_back(label);
  }
  return out;
}

/// The product with operand i, of a term with `have`.
Split step(const EinsumEquation& equation, std::size_t i, const Labels& have) {
  const Labels wanted = wanted_after(equation, i);
  const Labels& other = equation.inputs[i];
  return split_of(only(have, join({wanted, other})), only(other, join({wanted, have})), wanted);
}

bool is_possible(const EinsumEquation& equation, const Dims& dims) {
  Labels have = equation.inputs[0];
  for (std::size_t i = 1; i < equation.inputs.size(); ++i) {
    const Split s = step(equation, i, have);
    if (!is_possible(s, dims)) return false;
    have = join({s.batch, s.left, s.right});
  }
  return true;
}

Result<Term> build(Builder& builder, const Node& node, const EinsumEquation& equation) {
  Term term{node.inputs[0], equation.inputs[0]};
  for (std::size_t i = 1; i < equation.inputs.size(); ++i) {
    const Split s = step(equation, i, term.labels);
    const Labels wanted = wanted_after(equation, i);
    auto first = builder.sum_out(term, join({wanted, equation.inputs[i]}));
    if (!first) return first;
    auto second =
        builder.sum_out({node.inputs[i], equation.inputs[i]}, join({wanted, term.labels}));
    if (!second) return second;
    auto product = builder.multiply(*first, *second, s);
    if (!product) return product;
    term = product.take();
  }
  auto summed = builder.sum_out(std::move(term), equation.output);
  if (!summed) return summed;
  return builder.in_order(summed.take(), equation.output);
}

Status rewrite(Editor& editor, NodeId id) {
  const Node& node = editor.node(id);
  std::vector<Shape> shapes;
  for (const ValueId input : node.inputs) {
    const TensorType& type = editor.type(input);
    if (!is_float(type.dtype) || is_small(type.dtype) || !type.encoding.is_plain()) {
      return Status::success();
    }
    shapes.push_back(type.shape);
  }
  const auto& attrs = static_cast<const EinsumAttrs&>(*node.attrs);
  const auto equation = labelled_equation(attrs.equation, shapes);
  if (!equation) return equation.error();
  Dims dims;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (!dims.add(equation->inputs[i], shapes[i])) return Status::success();
  }
  if (!is_possible(*equation, dims)) return Status::success();
  const ValueId old = node.outputs[0];
  Builder builder(editor, id, dims);
  auto result = build(builder, node, *equation);
  if (!result) return result.error();
  if (builder.count() == 0 || !editor.may_replace(old, result->value)) return Status::success();
  editor.replace(old, result->value);
  editor.remove_if_dead(id);
  return Status::success();
}

Result<bool> run(Graph& graph, const Targets&, const OpSet& ops) {
  Editor editor(graph, ops);
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    const Node& node = graph.node(id);
    if (node.dead || !node.op->is("Einsum")) continue;
    if (auto done = rewrite(editor, id); !done) return done.error();
  }
  return editor.changed();
}

constexpr std::string_view kStartsAt[] = {"Einsum"};

}  // namespace

extern constinit const Pass pass_einsum_to_matmul{
    .name = "einsum_to_matmul",
    .doc =
        "Einsum of floats becomes MatMul, Mul and ReduceSum of transposed operands, two at a time "
        "from the left, where labels have the same size for certain.",
    .run = run,
    .starts_at = kStartsAt,
};

}  // namespace polaris
