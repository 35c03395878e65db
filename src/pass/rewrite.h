#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/op_set.h"
#include "pass/runner.h"

namespace polaris {

struct RewriteRule;

/// A pass written as text: one or more `pattern { ... } => { ... }` (docs/passes.md).
class Rewrite {
 public:
  Rewrite(std::string name, std::vector<std::shared_ptr<const RewriteRule>> rules)
      : name_(std::move(name)), rules_(std::move(rules)) {}
  const std::string& name() const { return name_; }
  /// Applies the rules to one graph until none fits. Errors: invalid where they never stop.
  Result<bool> apply(Graph& graph, const OpSet& ops) const;

 private:
  std::string name_;
  std::vector<std::shared_ptr<const RewriteRule>> rules_;
};

/// Errors: `[pass NAME] line:column: what`, also where an op is not in `ops`, a pattern's nodes do
/// not all lead to its last one, or the replacement gives back none of the pattern's values.
Result<Rewrite> parse_rewrite(std::string_view name, std::string_view text, const OpSet& ops);

/// Runs rewrites over the graph and its subgraphs, in order, each as the built-in passes are run:
/// timed, and verified where `options` asks.
Result<PassReport> run_rewrites(Graph& graph, std::span<const Rewrite> rewrites, const OpSet& ops,
                                const PassOptions& options = {});

}  // namespace polaris
