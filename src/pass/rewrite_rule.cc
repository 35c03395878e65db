#include "pass/rewrite_rule.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/strings.h"
#include "ir/text/build.h"
#include "tensor/element.h"

namespace polaris {
namespace {

constexpr std::size_t kNodesMax = 64;

Result<const OpDef*> find_op(const NodeText& node, const OpSet& ops) {
  const OpDef* op = ops.find_full(node.op);
  if (op == nullptr) return text_error(node.place, "no operator " + printable(node.op));
  if (!node.subgraphs.empty()) return text_error(node.place, "a rewrite holds no subgraphs");
  if (node.results.empty()) return text_error(node.place, "a node needs a result");
  return op;
}

std::unique_ptr<Attrs> default_attrs(const OpDef& op) {
  if (op.make_attrs == nullptr) return std::make_unique<NoAttrs>();
  return op.make_attrs();
}

/// All attributes the node must have: the op's defaults under what is written. Written variables
/// stay variables.
Result<std::vector<AttrText>> wanted_attributes(const OpDef& op, const NodeText& node) {
  auto attrs = default_attrs(op);
  std::vector<AttrText> fixed;
  std::vector<AttrText> variables;
  for (const AttrText& attr : node.attrs) {
    const bool variable = attr.value.kind == AttrLiteral::Kind::kVariable;
    (variable ? variables : fixed).push_back(attr);
  }
  if (auto s = set_attributes(*attrs, fixed); !s) return s.error();
  std::vector<AttrText> out = attribute_literals(*attrs);
  for (const AttrText& variable : variables) {
    const auto named = std::find_if(
        out.begin(), out.end(), [&](const AttrText& attr) { return attr.name == variable.name; });
    if (named != out.end()) {
      named->value = variable.value;
    } else if (attrs->as_generic() != nullptr) {
      const auto after = std::find_if(
          out.begin(), out.end(), [&](const AttrText& attr) { return attr.name > variable.name; });
      out.insert(after, variable);
    } else {
      return text_error(variable.place, "the operator has no attribute '" + variable.name + "'");
    }
  }
  return out;
}

class RuleMaker {
 public:
  explicit RuleMaker(const OpSet& ops) : ops_(ops) {}
  Result<RewriteRule> make(GraphText pattern, GraphText replacement);

 private:
  Status take_pattern(GraphText& pattern);
  Status check_reachable() const;
  Status add_result(const ValueText& value);
  Status take_replacement(GraphText& replacement);
  Status check_arguments(const NodeText& node) const;
  Status refuse_others(const GraphText& text) const;

  const OpSet& ops_;
  RewriteRule rule_;
  std::set<std::string> known_;      // values that a replacement may read so far
  std::set<std::string> variables_;  // bound by the pattern
};

Status RuleMaker::refuse_others(const GraphText& text) const {
  if (!text.symbols.empty()) return text_error(text.symbols[0].place, "a rewrite has no symbols");
  if (!text.states.empty()) {
    return text_error(text.states[0].value.place, "a rewrite has no states");
  }
  if (!text.outputs.empty()) {
    return text_error(text.outputs[0].value.place,
                      "a rewrite has no outputs: equal names tie its two sides");
  }
  if (text.nodes.size() > kNodesMax) {
    return text_error(text.place, "more than " + std::to_string(kNodesMax) + " nodes");
  }
  return Status::success();
}

Status RuleMaker::take_pattern(GraphText& pattern) {
  if (auto s = refuse_others(pattern); !s) return s;
  if (pattern.nodes.empty()) return text_error(pattern.place, "a pattern needs a node");
  if (!pattern.updates.empty()) {
    return text_error(pattern.updates[0].state.place, "`update` stands in a replacement only");
  }
  for (InputText& input : pattern.inputs) {
    rule_.wildcard_types[input.value.token] = input.type;
    known_.insert(input.value.token);
  }
  for (ConstText& constant : pattern.constants) {
    if (!constant.any && !constant.constant) {
      return text_error(constant.value.place, "a pattern's constant is spelled out");
    }
    known_.insert(constant.value.token);
    rule_.constants[constant.value.token] = std::move(constant);
  }
  for (NodeText& node : pattern.nodes) {
    auto op = find_op(node, ops_);
    if (!op) return op.error();
    auto wanted = wanted_attributes(**op, node);
    if (!wanted) return wanted.error();
    for (const AttrText& attr : *wanted) {
      if (attr.value.kind == AttrLiteral::Kind::kVariable) variables_.insert(attr.value.text);
    }
    for (const ValueText& arg : node.args) {
      if (!arg.absent && !arg.literal) known_.insert(arg.token);
    }
    for (const ValueText& result : node.results) {
      if (result.absent) continue;
      if (rule_.made.contains(result.token) || known_.contains(result.token)) {
        return text_error(result.place,
                          "%" + printable(result.token) + " is read before this, or defined twice");
      }
      rule_.made[result.token] = rule_.pattern.size();
    }
    rule_.pattern.push_back({*op, std::move(node), wanted.take()});
  }
  for (const auto& [token, at] : rule_.made) known_.insert(token);
  return check_reachable();
}

/// Matching walks from the last node to what it reads, so that must be all of the pattern.
Status RuleMaker::check_reachable() const {
  std::vector<bool> reached(rule_.pattern.size(), false);
  reached.back() = true;
  for (std::size_t i = rule_.pattern.size(); i-- > 0;) {
    if (!reached[i]) {
      return text_error(rule_.pattern[i].text.place,
                        "this node does not lead to the pattern's last one");
    }
    for (const ValueText& arg : rule_.pattern[i].text.args) {
      const auto made = rule_.made.find(arg.token);
      if (!arg.absent && !arg.literal && made != rule_.made.end()) reached[made->second] = true;
    }
  }
  return Status::success();
}

Status RuleMaker::check_arguments(const NodeText& node) const {
  for (const ValueText& arg : node.args) {
    if (arg.absent || arg.literal || known_.contains(arg.token)) continue;
    return text_error(arg.place, "%" + printable(arg.token) + " is not known here");
  }
  for (const AttrText& attr : node.attrs) {
    if (attr.value.kind != AttrLiteral::Kind::kVariable) continue;
    if (!variables_.contains(attr.value.text)) {
      return text_error(attr.place, "$" + printable(attr.value.text) + " is not in the pattern");
    }
  }
  return Status::success();
}

/// What stands in for a value must be made before the value's readers run. The replacement goes
/// where the last node stood, so only that node's results can be given.
Status RuleMaker::add_result(const ValueText& value) {
  if (rule_.made.at(value.token) + 1 != rule_.pattern.size()) {
    return text_error(value.place,
                      "%" + printable(value.token) + " is not made by the pattern's last node");
  }
  rule_.results.push_back(value.token);
  return Status::success();
}

Status RuleMaker::take_replacement(GraphText& replacement) {
  if (auto s = refuse_others(replacement); !s) return s;
  if (!replacement.inputs.empty()) {
    return text_error(replacement.inputs[0].value.place, "`input` stands in a pattern only");
  }
  std::set<std::string> defined;
  for (const ConstText& constant : replacement.constants) {
    if (!constant.constant) {
      return text_error(constant.value.place, "a replacement's constant is spelled out");
    }
    if (!known_.insert(constant.value.token).second) {
      return text_error(constant.value.place, "the name is taken");
    }
  }
  for (const NodeText& node : replacement.nodes) {
    auto op = find_op(node, ops_);
    if (!op) return op.error();
    rule_.replacement_ops.push_back(*op);
    if (auto s = check_arguments(node); !s) return s;
    std::vector<AttrText> fixed = node.attrs;
    std::erase_if(fixed, [](const AttrText& attr) {
      return attr.value.kind == AttrLiteral::Kind::kVariable;
    });
    auto attrs = default_attrs(**op);
    if (auto s = set_attributes(*attrs, fixed); !s) return s;
    for (const ValueText& result : node.results) {
      if (result.absent) continue;
      if (!defined.insert(result.token).second ||
          (known_.contains(result.token) && !rule_.made.contains(result.token))) {
        return text_error(result.place, "%" + printable(result.token) + " is taken");
      }
      known_.insert(result.token);
      if (!rule_.made.contains(result.token)) continue;
      if (auto s = add_result(result); !s) return s;
    }
  }
  for (const UpdateText& update : replacement.updates) {
    if (!rule_.made.contains(update.state.token)) {
      return text_error(update.state.place, "not a value that the pattern makes");
    }
    if (!known_.contains(update.value.token)) {
      return text_error(update.value.place,
                        "%" + printable(update.value.token) + " is not known here");
    }
    if (auto s = add_result(update.state); !s) return s;
    rule_.aliases.push_back({update.state.token, update.value.token});
  }
  if (rule_.results.empty()) {
    return text_error(replacement.place, "the replacement gives none of the pattern's values");
  }
  return Status::success();
}

Result<RewriteRule> RuleMaker::make(GraphText pattern, GraphText replacement) {
  if (auto s = take_pattern(pattern); !s) return s.error();
  if (auto s = take_replacement(replacement); !s) return s.error();
  rule_.replacement = std::move(replacement);
  return std::move(rule_);
}

/// Builds the replacement of one match.
class Applier {
 public:
  Applier(const RewriteRule& rule, const Match& match, Editor& editor)
      : rule_(rule), match_(match), editor_(editor), values_(match.values) {}
  bool run();

 private:
  bool add_node(const NodeText& text, const OpDef& op);
  std::optional<ValueId> argument(const ValueText& arg);
  bool types_fit(const std::string& token) const;
  void undo();

  const RewriteRule& rule_;
  const Match& match_;
  Editor& editor_;
  std::map<std::string, ValueId> values_;
  std::map<std::string, ValueId> made_;  // results of the replacement's nodes
  std::vector<NodeId> added_;
};

std::optional<ValueId> Applier::argument(const ValueText& arg) {
  if (arg.absent) return kNoValue;
  if (!arg.literal) {
    const auto fresh = made_.find(arg.token);
    return fresh != made_.end() ? fresh->second : values_.at(arg.token);
  }
  // A bare number has the element type of what the pattern gives.
  const ValueId result = match_.values.at(rule_.results[0]);
  auto scalar = Tensor::allocate(editor_.type(result).dtype, {});
  if (!scalar) return std::nullopt;
  store_f64(scalar->dtype(), scalar->mutable_bytes().data(), 0, *arg.literal);
  return editor_.add_constant("", scalar.take());
}

bool Applier::add_node(const NodeText& text, const OpDef& op) {
  std::vector<ValueId> inputs;
  for (const ValueText& arg : text.args) {
    const auto value = argument(arg);
    if (!value) return false;
    inputs.push_back(*value);
  }
  std::vector<AttrText> written = text.attrs;
  for (AttrText& attr : written) {
    if (attr.value.kind == AttrLiteral::Kind::kVariable) {
      attr.value = match_.variables.at(attr.value.text);
    }
  }
  auto attrs = default_attrs(op);
  if (!set_attributes(*attrs, written)) return false;
  const NodeId root = match_.nodes.back();
  const int outputs = static_cast<int>(text.results.size());
  if (!editor_.types_of(op_full_name(op), inputs, attrs.get(), outputs)) return false;
  const std::string name = editor_.node(root).name + "." + text.results[0].token;
  auto id = editor_.add(root, op_full_name(op), std::move(inputs), name, std::move(attrs), outputs);
  if (!id) return false;
  added_.push_back(*id);
  for (std::size_t i = 0; i < text.results.size(); ++i) {
    if (!text.results[i].absent) made_[text.results[i].token] = editor_.node(*id).outputs[i];
  }
  return true;
}

bool Applier::types_fit(const std::string& token) const {
  const TensorType& old = editor_.type(values_.at(token));
  const TensorType& made = editor_.type(made_.at(token));
  if (old.dtype != made.dtype || old.shape.rank() != made.shape.rank()) return false;
  for (int i = 0; i < old.shape.rank(); ++i) {
    const bool both = is_static_dim(old.shape[i]) && is_static_dim(made.shape[i]);
    if (both && old.shape[i] != made.shape[i]) return false;
  }
  return editor_.may_replace(values_.at(token), made_.at(token));
}

void Applier::undo() {
  for (std::size_t i = added_.size(); i-- > 0;) editor_.remove_if_dead(added_[i]);
}

bool Applier::run() {
  for (const ConstText& constant : rule_.replacement.constants) {
    values_[constant.value.token] = editor_.add_constant(constant.constant);
  }
  for (std::size_t i = 0; i < rule_.replacement.nodes.size(); ++i) {
    if (!add_node(rule_.replacement.nodes[i], *rule_.replacement_ops[i])) return undo(), false;
  }
  for (const RewriteRule::Alias& alias : rule_.aliases) {
    const auto fresh = made_.find(alias.to);
    made_[alias.from] = fresh != made_.end() ? fresh->second : values_.at(alias.to);
  }
  for (const std::string& token : rule_.results) {
    if (!types_fit(token)) return undo(), false;
  }
  for (const std::string& token : rule_.results)
    editor_.replace(values_.at(token), made_.at(token));
  for (std::size_t i = match_.nodes.size(); i-- > 0;) editor_.remove_if_dead(match_.nodes[i]);
  return true;
}

}  // namespace

Result<RewriteRule> make_rule(GraphText pattern, GraphText replacement, const OpSet& ops) {
  return RuleMaker(ops).make(std::move(pattern), std::move(replacement));
}

bool apply_match(const RewriteRule& rule, const Match& match, Editor& editor) {
  return Applier(rule, match, editor).run();
}

}  // namespace polaris
