#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/text/ast.h"
#include "pass/editor.h"

namespace polaris {

/// One `pattern { ... } => { ... }`, checked: ops resolved, every name bound.
struct RewriteRule {
  struct PatternNode {
    const OpDef* op = nullptr;
    NodeText text;
    std::vector<AttrText> wanted;  // what attributes must hold, in the op's own terms
  };
  struct Alias {
    std::string from;  // a value of the pattern
    std::string to;    // the matched value that replaces it
  };
  std::vector<PatternNode> pattern;         // the last one is where matching starts
  std::map<std::string, std::size_t> made;  // value of the pattern -> its node
  std::map<std::string, ConstText> constants;
  std::map<std::string, TypeText> wildcard_types;
  std::vector<const OpDef*> replacement_ops;
  GraphText replacement;
  std::vector<std::string> results;  // values of the pattern that the replacement gives
  std::vector<Alias> aliases;
};

/// What a pattern was found to stand for.
struct Match {
  std::map<std::string, ValueId> values;
  std::map<std::string, AttrLiteral> variables;
  std::vector<NodeId> nodes;  // as the rule's pattern
};

/// Errors: text errors with the place.
Result<RewriteRule> make_rule(GraphText pattern, GraphText replacement, const OpSet& ops);
/// The pattern with its last node at `root`, or nothing.
std::optional<Match> match_rule(const RewriteRule& rule, const Editor& editor, NodeId root);
/// Puts the replacement in; false (and nothing changed) where infer refuses it or the types of what
/// it gives differ from those it replaces.
bool apply_match(const RewriteRule& rule, const Match& match, Editor& editor);

/// The attributes as literals, by name.
std::vector<AttrText> attribute_literals(const Attrs& attrs);
bool equal_literals(const AttrLiteral& a, const AttrLiteral& b);

}  // namespace polaris
