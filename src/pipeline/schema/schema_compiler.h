#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "pipeline/schema/list_states.h"
#include "pipeline/schema/schema_branch.h"
#include "pipeline/schema/schema_case.h"
#include "pipeline/schema/schema_tree.h"
#include "text/grammar/byte_automaton.h"
#include "text/grammar/grammar.h"
#include "text/grammar/json_text.h"
#include "text/grammar/rules.h"

namespace polaris::schema {

/// Makes rules of schemas: one for each set of terms that some value must keep together.
class SchemaCompiler {
 public:
  SchemaCompiler(const SchemaTree& tree, grammar::Rules& rules)
      : tree_(tree), rules_(rules), json_(rules) {}
  /// Errors: as compile_schema.
  Result<grammar::RuleId> run();

 private:
  using Expr = std::optional<grammar::ExprId>;  // nothing: no value fits
  using Met = std::optional<grammar::ByteAutomaton>;
  using GrammarPtr = std::shared_ptr<const grammar::Grammar>;
  struct Member {
    grammar::ExprId text = 0;  // with its name
    bool required = false;
  };
  struct Other {  // properties that nobody names
    Terms terms;
    std::vector<NodeId> patterns;  // that their names are of
    Met name;                      // nothing: any name that is not told of
  };
  struct Others {
    Expr any;
    Expr last;  // the one that is asked for
    bool wanted = false;
  };

  bool fail(Error error);
  bool fail(NodeId id, ErrorCode code, const std::string& what);

  // What terms come to.
  std::optional<NodeId> referred(NodeId reference);
  bool is_schema(NodeId id);
  void open_schema(Branch& branch, const Part& part);
  bool open(Branch& branch);
  void find_cases(Branch branch, std::vector<Case>& out);
  std::vector<Case> cases_of(const Terms& terms);
  std::vector<Terms> ways(const Branch& branch, const Part& choice);
  std::vector<Terms> subsets(NodeId list);
  std::vector<Terms> one_of(const Branch& branch, NodeId list, const Owners& owners);
  std::vector<Terms> ways_to_differ(NodeId id);
  std::vector<Terms> ways_to_fail(NodeId schema);
  std::vector<Terms> ways_to_break(NodeId schema, NodeId keyword);

  /// Whether nothing fits, as far as can be told; what is being asked already is taken to fit.
  bool is_never(const Case& c, int depth);
  bool is_never(const Terms& terms, int depth);
  bool has_numbers(const Case& c);
  bool has_texts(const Case& c);
  bool has_lists(const Case& c, int depth);
  bool has_objects(const Case& c, int depth);

  /// Whether a value of the schema's own text fits.
  bool admits(const Case& c, NodeId value);
  bool admits(const Terms& terms, NodeId value);
  bool admits_text(const Case& c, std::string_view text);
  bool admits_number(const Case& c, NodeId value);
  bool admits_list(const Case& c, NodeId value);
  bool admits_object(const Case& c, NodeId value);
  bool admits_name(const Case& c, std::string_view name);
  bool takes(const GrammarPtr& grammar, std::string_view text);
  unsigned kind_of(NodeId value) const;

  /// A rule of its own, which is made later.
  Expr value(Terms terms);
  void define(grammar::RuleId rule, const Terms& terms);
  Expr of_case(const Case& c);
  Expr written(NodeId value);
  std::vector<std::string> words_of(const Case& c) const;

  bool is_plain_number(const Case& c) const;
  const Met& met_numbers(const Case& c);
  Expr numbers(const Case& c);

  bool is_plain_text(const Case& c) const;
  const Met& met_texts(const Case& c);
  Expr texts(const Case& c);
  bool demand_texts(const Case& c, std::vector<grammar::Demand>& demands);
  Met meet(const std::vector<grammar::Demand>& demands, bool some);
  const GrammarPtr& pattern_grammar(NodeId id, std::string_view pattern);
  const GrammarPtr& format_grammar(NodeId id);
  GrammarPtr length_grammar(std::uint64_t min, std::uint64_t max);
  GrammarPtr texts_grammar(const std::vector<std::string>& texts);

  bool is_plain_list(const Case& c, int depth);
  bool is_unique_anyway(const Case& c, int depth);
  std::optional<ListStates> list_states(const Case& c, int depth);
  std::optional<ListStates> unique_states(const Case& c);
  std::optional<std::vector<ListStates::Step>> told_values(const Terms& terms);
  Expr lists(const Case& c);
  Expr plain_elements(const Case& c);
  Expr counted_elements(const Case& c);
  Expr written_value(const ListStates::Step& step);

  bool is_of_pattern(NodeId pattern, std::string_view name);
  Terms terms_of_member(const Case& c, std::string_view name);
  std::vector<Other> others_of(const Case& c);
  Met other_names(const Case& c, const Case& name, const OfPattern& matches);
  std::optional<Terms> terms_of_other(const Other& other, const Term& asked);
  Expr other_member(const Case& c, const Other& other, const Terms& terms);
  Expr other_members(const Case& c, const Others& rest, std::uint64_t before);
  Expr members(const Case& c, const std::vector<Member>& own, const Others& rest);
  Expr objects(const Case& c);

  grammar::ExprId rule_of(grammar::ExprId body);
  std::string name_of(const Terms& terms) const;
  /// As a repeat has it; `most`: more than can be is no bound.
  std::uint32_t count(std::uint64_t wanted, std::string_view what);

  const SchemaTree& tree_;
  grammar::Rules& rules_;
  grammar::JsonText json_;
  Status status_;
  NodeId at_ = 0;         // whose rule is made, for messages
  std::size_t work_ = 0;  // cases looked at
  std::map<Terms, grammar::RuleId> made_;
  std::deque<std::pair<grammar::RuleId, Terms>> waiting_;
  std::map<Terms, bool> never_;
  std::map<std::string, GrammarPtr, std::less<>> grammars_;  // of patterns and formats
  std::map<std::vector<std::string>, Met> met_;              // by what was met
  std::set<NodeId> checked_;
};

}  // namespace polaris::schema
