#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "pipeline/schema/schema_case.h"
#include "pipeline/schema/schema_tree.h"
#include "text/grammar/json_text.h"
#include "text/grammar/rules.h"

namespace polaris::schema {

/// Makes rules of schemas: one for each set of schemas that some value must fit together.
class SchemaCompiler {
 public:
  SchemaCompiler(const SchemaTree& tree, grammar::Rules& rules)
      : tree_(tree), rules_(rules), json_(rules) {}
  /// Errors: as compile_schema.
  Result<grammar::RuleId> run();

 private:
  using Expr = std::optional<grammar::ExprId>;  // nothing: no value fits
  struct Part {  // a schema, and which of its alternatives have been chosen
    NodeId id = 0;
    bool any_chosen = false;
    bool one_chosen = false;
    friend auto operator<=>(const Part&, const Part&) = default;
  };
  using Parts = std::vector<Part>;

  static Parts parts_of(const std::vector<NodeId>& schemas);
  bool fail(Error error);
  bool fail(NodeId id, ErrorCode code, const std::string& what);

  /// What a value must fit with them: what they refer to, and all of allOf. False where nothing
  /// fits.
  bool flatten(Parts& parts);
  /// The cases that alternatives leave. Adds to `out`.
  void find_cases(Parts parts, std::vector<Case>& out);
  void check_one(const Parts& base, const std::vector<NodeId>& alternatives, NodeId one);
  std::vector<Case> cases_of(const std::vector<NodeId>& schemas);
  /// Whether nothing fits, as far as can be told; what is being asked already is taken to fit.
  bool is_never(const Case& c, int depth);
  bool is_never(const std::vector<NodeId>& schemas, int depth);
  bool has_numbers(const Case& c) const;
  bool has_objects(const Case& c, int depth);
  /// Whether a value of the schema's own text fits.
  bool admits(const Case& c, NodeId value);
  bool admits(const std::vector<NodeId>& schemas, NodeId value);
  bool admits_text(const Case& c, std::string_view text);
  bool admits_list(const Case& c, NodeId value);
  bool admits_object(const Case& c, NodeId value);
  unsigned kind_of(NodeId value) const;

  /// A rule of its own, which is made later.
  Expr value(std::vector<NodeId> schemas);
  void define(grammar::RuleId rule, const std::vector<NodeId>& schemas);
  Expr of_case(const Case& c);
  Expr written(NodeId value);
  Expr texts(const Case& c);
  Expr lists(const Case& c);
  Expr objects(const Case& c);
  grammar::ExprId members(const Case& c, const std::vector<std::pair<std::string, Expr>>& own,
                          Expr other);
  grammar::ExprId rule_of(grammar::ExprId body);
  std::string name_of(const std::vector<NodeId>& schemas) const;
  /// As a repeat has it; `most`: more than can be is no bound.
  std::uint32_t count(std::uint64_t wanted, std::string_view what);

  const SchemaTree& tree_;
  grammar::Rules& rules_;
  grammar::JsonText json_;
  Status status_;
  NodeId at_ = 0;         // whose rule is made, for messages
  std::size_t work_ = 0;  // cases looked at
  std::map<std::vector<NodeId>, grammar::RuleId> made_;
  std::deque<std::pair<grammar::RuleId, std::vector<NodeId>>> waiting_;
  std::map<std::vector<NodeId>, bool> never_;
  std::set<NodeId> checked_;
};

}  // namespace polaris::schema
