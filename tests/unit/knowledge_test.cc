#include "ir/knowledge.h"

#include <doctest/doctest.h>

#include <random>
#include <set>

#include "ir/evaluate_graph.h"
#include "ir/infer.h"
#include "ir/op_attrs/shape.h"
#include "ir/op_set.h"
#include "ir/text/text.h"

namespace polaris {
namespace {

constexpr std::int64_t kLowest = 2;
constexpr std::int64_t kHighest = 300;

std::vector<std::int64_t> sizes_to_try() {
  std::vector<std::int64_t> out;
  for (std::int64_t n = 0; n <= kHighest + 20; ++n) out.push_back(n);
  for (std::int64_t n : {511, 1000, 3001, 4096}) out.push_back(n);
  return out;
}

/// f over a dim n and constants: x[n] -> Shape -> Gather -> f.
struct Trial {
  Graph graph;
  Graph plain;  // without what reads f, which is its output
  ValueId f;
  std::vector<ValueId> equal;  // f == K, for K from kLowest on
};

class Builder {
 public:
  explicit Builder(const OpSet& ops) : ops_(ops) {
    const std::int64_t n = symbol_dim(t_.graph.add_symbol({"n", Symbol::Kind::kFree, 0}));
    x_ = t_.graph.add_input("x", {DType::kF32, {n}, {}});
    list_ = add("Shape", {x_});
    scalar_ = add("Gather", {list_, number(0)});
  }
  ValueId add(std::string_view op, std::vector<ValueId> inputs) {
    return add(ops_.find(op), std::move(inputs));
  }
  ValueId add(const OpDef* op, std::vector<ValueId> inputs) {
    const std::string name = "v" + std::to_string(count_++);
    return t_.graph.node(t_.graph.add_node(op, nullptr, std::move(inputs), 1, name)).outputs[0];
  }
  ValueId number(std::int64_t v) {
    return t_.graph.add_constant("", *Tensor::from<std::int64_t>(DType::kI64, {}, {&v, 1}));
  }
  Trial& finish(ValueId f) {
    t_.f = f;
    t_.plain = t_.graph.clone();
    t_.plain.mark_output(f, "f");
    for (std::int64_t k = kLowest; k <= kHighest; ++k) {
      t_.equal.push_back(add("Equal", {f, number(k)}));
    }
    return t_;
  }
  ValueId list(std::int64_t v) {
    return t_.graph.add_constant("", *Tensor::from<std::int64_t>(DType::kI64, {1}, {&v, 1}));
  }
  ValueId yes() {
    const std::uint8_t v = 1;
    return t_.graph.add_constant("", *Tensor::from<std::uint8_t>(DType::kBool, {}, {&v, 1}));
  }
  /// What an input of f may be: the size itself (the first two), or a constant.
  std::vector<ValueId> pool() {
    return {scalar_,   list_,   number(0), number(1), number(2), number(3),
            number(8), list(1), list(3),   list(-1),  yes()};
  }
  Trial& trial() { return t_; }

 private:
  const OpSet& ops_;
  Trial t_;
  ValueId x_;
  ValueId list_;
  ValueId scalar_;
  int count_ = 0;
};

/// Index tuples into a pool of `pool` entries, of `arity`, that name the size at least once.
std::vector<std::vector<std::size_t>> combinations(std::size_t arity, std::size_t pool) {
  std::vector<std::vector<std::size_t>> out;
  std::vector<std::size_t> at(arity, 0);
  for (bool more = true; more;) {
    if (std::any_of(at.begin(), at.end(), [](std::size_t i) { return i < 2; })) out.push_back(at);
    std::size_t i = 0;
    while (i < arity && ++at[i] == pool) at[i++] = 0;
    more = i < arity;
  }
  return out;
}

bool is_whole(DType dtype) { return is_integer(dtype) || dtype == DType::kBool; }

/// f at size n, or a null Tensor where f refuses it.
Tensor result_at(const Trial& trial, std::int64_t n) {
  const Tensor x = *Tensor::allocate(DType::kF32, {n});
  auto values = evaluate_graph(trial.plain, {&x, 1});
  return values ? values->outputs[0] : Tensor();
}

/// What stands in the graph's types must hold for the size that came.
bool type_holds(const TensorType& said, const TensorType& is, std::int64_t n) {
  if (said.dtype != is.dtype || said.shape.rank() != is.shape.rank()) return false;
  for (int d = 0; d < said.shape.rank(); ++d) {
    if (is_static_dim(said.shape[d]) && said.shape[d] != is.shape[d]) return false;
    if (is_symbol_dim(said.shape[d]) && is.shape[d] != n) return false;
  }
  return true;
}

bool same(const Tensor& a, const Tensor& b) {
  return a.type() == b.type() &&
         std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end());
}

/// Everything that load-time knowledge says of the trial holds at every size that f takes.
void check_trial(Trial& trial, const std::string& label, const std::vector<std::int64_t>& sizes) {
  IdVector<ValueId, Tensor> known;
  if (!infer_graph(trial.graph, &known)) return;
  const auto at = [&](ValueId id) { return known[id]; };
  const TensorType& type = trial.graph.value(trial.f).type;
  const auto lies = [&](const std::string& what, std::int64_t n) {
    FAIL_CHECK(label, ": ", what, " does not hold for n = ", n);
  };
  for (std::int64_t n : sizes) {
    const Tensor is = result_at(trial, n);
    if (!is) continue;
    if (!type_holds(type, is.type(), n)) return lies("type " + type.to_string(), n);
    if (at(trial.f) && !same(at(trial.f), is)) return lies("its value", n);
    if (!is_whole(is.dtype()) || is.elements() != 1) continue;
    const std::int64_t value = element_as_i64(is, 0);
    for (std::size_t k = 0; k < trial.equal.size(); ++k) {
      const Tensor said = at(trial.equal[k]);
      if (!said) continue;
      const std::int64_t wanted = kLowest + static_cast<std::int64_t>(k);
      if ((element_as_i64(said, 0) != 0) == (value == wanted)) continue;
      return lies("Equal with " + std::to_string(wanted), n);
    }
  }
}

TEST_CASE("what is known of f(n) and of f(n) == K holds for every size, for every foldable op") {
  const OpSet ops = OpSet::builtin();
  const std::vector<std::int64_t> sizes = sizes_to_try();
  const std::vector<std::int64_t> few{0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 16, 24, 101, 224, 299, 3001};
  int trials = 0;
  std::set<std::string_view> swept;
  for (const OpDef* op : ops.all()) {
    if (!op->has_trait(kFoldable) || op->reference == nullptr) continue;
    std::size_t arity = 0;
    while (arity < op->inputs.size() && (op->inputs[arity].flags & kOptional) == 0) ++arity;
    if (arity == 0 || arity > 3) continue;
    const bool variadic = (op->inputs[arity - 1].flags & kVariadic) != 0;
    for (const auto& picks : combinations(variadic ? 2 : arity, Builder(ops).pool().size())) {
      Builder builder(ops);
      const std::vector<ValueId> from = builder.pool();
      std::vector<ValueId> inputs;
      std::string label(op->name);
      for (std::size_t pick : picks) {
        inputs.push_back(from[pick]);
        label += " " + std::to_string(pick);
      }
      const ValueId f = builder.add(op, inputs);
      if (!infer_graph(builder.trial().graph)) continue;
      check_trial(builder.finish(f), label, trials % 16 == 0 ? sizes : few);
      swept.insert(op->name);
      ++trials;
    }
  }
  MESSAGE("swept ", swept.size(), " ops in ", trials, " trials");
  CHECK(swept.size() > 60);
}

}  // namespace
}  // namespace polaris
