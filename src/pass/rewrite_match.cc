#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "pass/rewrite_rule.h"

namespace polaris {
namespace {

// Patterns with more commutative nodes match them in written order beyond these.
constexpr std::size_t kSwapsMax = 8;

class Matcher {
 public:
  Matcher(const RewriteRule& rule, const Editor& editor, std::size_t swaps)
      : rule_(rule), editor_(editor), swaps_(swaps) {}

  std::optional<Match> run(NodeId root);

 private:
  bool match_node(std::size_t at, NodeId id);
  bool match_attributes(const RewriteRule::PatternNode& wanted, const Node& node);
  bool match_argument(const ValueText& wanted, ValueId got);
  bool match_constant(const ConstText& wanted, ValueId got) const;
  bool match_type(const TypeText& wanted, ValueId got) const;
  bool match_results(const RewriteRule::PatternNode& wanted, const Node& node);
  bool interior_is_ours() const;
  bool swaps(std::size_t at) const;

  const RewriteRule& rule_;
  const Editor& editor_;
  std::size_t swaps_;
  Match match_;
  std::vector<std::pair<std::size_t, NodeId>> left_;
};

bool is_swappable(const RewriteRule::PatternNode& node) {
  return node.op->has_trait(kCommutative) && node.text.args.size() == 2;
}

/// Whether this try reads the node's two arguments the other way round.
bool Matcher::swaps(std::size_t at) const {
  if (!is_swappable(rule_.pattern[at])) return false;
  std::size_t number = 0;
  for (std::size_t i = 0; i < at; ++i) number += is_swappable(rule_.pattern[i]) ? 1 : 0;
  return number < kSwapsMax && (swaps_ >> number & 1u) != 0;
}

bool Matcher::match_constant(const ConstText& wanted, ValueId got) const {
  const auto& constant = editor_.value(got).constant;
  if (!constant) return false;
  if (wanted.any) return true;
  const Tensor& a = constant->data;
  const Tensor& b = wanted.constant->data;
  return a.type() == b.type() && !constant->scale && !wanted.constant->scale &&
         equal_bytes(a.bytes().data(), b.bytes().data(), a.bytes().size());
}

/// `?` and symbols stand for any dim.
bool Matcher::match_type(const TypeText& wanted, ValueId got) const {
  const TensorType& type = editor_.type(got);
  if (type.dtype != wanted.type.dtype || type.encoding != wanted.type.encoding ||
      type.shape.rank() != wanted.type.shape.rank()) {
    return false;
  }
  for (int i = 0; i < type.shape.rank(); ++i) {
    const std::int64_t dim = wanted.type.shape[i];
    if (is_static_dim(dim) && dim != type.shape[i]) return false;
  }
  return true;
}

bool Matcher::match_argument(const ValueText& wanted, ValueId got) {
  if (wanted.absent) return !got.valid();
  if (!got.valid()) return false;
  if (wanted.literal) {
    const Tensor* tensor = editor_.constant(got);
    if (tensor == nullptr || tensor->elements() == 0) return false;
    for (std::int64_t i = 0; i < tensor->elements(); ++i) {
      if (element_as_f64(*tensor, i) != *wanted.literal) return false;
    }
    return true;
  }
  const auto [bound, fresh] = match_.values.emplace(wanted.token, got);
  if (!fresh) return bound->second == got;
  if (const auto k = rule_.constants.find(wanted.token); k != rule_.constants.end()) {
    return match_constant(k->second, got);
  }
  if (const auto t = rule_.wildcard_types.find(wanted.token); t != rule_.wildcard_types.end()) {
    return match_type(t->second, got);
  }
  const auto made = rule_.made.find(wanted.token);
  if (made == rule_.made.end()) return true;
  const NodeId producer = editor_.value(got).producer;
  if (!producer.valid()) return false;
  left_.emplace_back(made->second, producer);
  return true;
}

bool Matcher::match_attributes(const RewriteRule::PatternNode& wanted, const Node& node) {
  std::vector<AttrText> got = attribute_literals(*node.attrs);
  if (got.size() != wanted.wanted.size()) return false;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const AttrText& want = wanted.wanted[i];
    if (want.name != got[i].name) return false;
    if (want.value.kind != AttrLiteral::Kind::kVariable) {
      if (!equal_literals(want.value, got[i].value)) return false;
      continue;
    }
    const auto [bound, fresh] = match_.variables.emplace(want.value.text, got[i].value);
    if (!fresh && !equal_literals(bound->second, got[i].value)) return false;
  }
  return true;
}

/// Binds the node's outputs; one that the pattern leaves out must have no reader.
bool Matcher::match_results(const RewriteRule::PatternNode& wanted, const Node& node) {
  const auto& results = wanted.text.results;
  for (std::size_t i = 0; i < std::max(node.outputs.size(), results.size()); ++i) {
    const ValueId output = i < node.outputs.size() ? node.outputs[i] : kNoValue;
    if (i >= results.size() || results[i].absent) {
      if (output.valid() && editor_.is_read(output)) return false;
      continue;
    }
    if (!output.valid()) return false;
    const auto [bound, fresh] = match_.values.emplace(results[i].token, output);
    if (!fresh && bound->second != output) return false;
  }
  return true;
}

bool Matcher::match_node(std::size_t at, NodeId id) {
  const RewriteRule::PatternNode& wanted = rule_.pattern[at];
  const Node& node = editor_.node(id);
  if (match_.nodes[at].valid()) return match_.nodes[at] == id;
  if (node.dead || node.op != wanted.op || !node.subgraphs.empty()) return false;
  std::vector<ValueId> inputs = node.inputs;
  while (inputs.size() > wanted.text.args.size() && !inputs.back().valid()) inputs.pop_back();
  inputs.resize(std::max(inputs.size(), wanted.text.args.size()));
  if (inputs.size() != wanted.text.args.size()) return false;
  if (swaps(at)) std::swap(inputs[0], inputs[1]);
  match_.nodes[at] = id;
  if (!match_results(wanted, node) || !match_attributes(wanted, node)) return false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!match_argument(wanted.text.args[i], inputs[i])) return false;
  }
  return true;
}

/// Values that the replacement does not give must be read inside the match only.
bool Matcher::interior_is_ours() const {
  for (const auto& [token, at] : rule_.made) {
    const ValueId value = match_.values.at(token);
    if (std::find(rule_.results.begin(), rule_.results.end(), token) != rule_.results.end()) {
      continue;
    }
    if (!editor_.is_internal(value)) return false;
    for (NodeId user : editor_.users(value)) {
      if (std::find(match_.nodes.begin(), match_.nodes.end(), user) == match_.nodes.end()) {
        return false;
      }
    }
  }
  return true;
}

std::optional<Match> Matcher::run(NodeId root) {
  match_.nodes.assign(rule_.pattern.size(), NodeId{});
  left_.emplace_back(rule_.pattern.size() - 1, root);
  while (!left_.empty()) {
    const auto [at, id] = left_.back();
    left_.pop_back();
    if (!match_node(at, id)) return std::nullopt;
  }
  if (!interior_is_ours()) return std::nullopt;
  return std::move(match_);
}

}  // namespace

std::optional<Match> match_rule(const RewriteRule& rule, const Editor& editor, NodeId root) {
  const auto commutative = static_cast<std::size_t>(
      std::count_if(rule.pattern.begin(), rule.pattern.end(), is_swappable));
  const std::size_t tries = std::size_t{1} << std::min(commutative, kSwapsMax);
  for (std::size_t swaps = 0; swaps < tries; ++swaps) {
    if (auto match = Matcher(rule, editor, swaps).run(root)) return match;
  }
  return std::nullopt;
}

}  // namespace polaris
