#include "pass/rewrite.h"

#include "base/strings.h"
#include "ir/text/syntax.h"
#include "pass/rewrite_rule.h"

namespace polaris {
namespace {

constexpr std::size_t kRulesMax = 256;
// A pattern that its own replacement holds would grow the graph for ever.
constexpr std::int64_t kAppliesPerNode = 8;
constexpr std::int64_t kAppliesMin = 256;

Result<std::vector<std::shared_ptr<const RewriteRule>>> parse_rules(std::string_view text,
                                                                    const OpSet& ops) {
  ParseOptions options;
  options.text_bytes_max = 1 << 20;
  options.constant_bytes_max = 1 << 20;
  TextSyntax syntax(text, options);
  std::vector<std::shared_ptr<const RewriteRule>> out;
  do {
    if (auto s = syntax.expect("pattern"); !s) return s.error();
    auto pattern = syntax.pattern();
    if (!pattern) return pattern.error();
    if (auto s = syntax.expect("=>"); !s) return s.error();
    auto replacement = syntax.pattern();
    if (!replacement) return replacement.error();
    auto rule = make_rule(pattern.take(), replacement.take(), ops);
    if (!rule) return rule.error();
    out.push_back(std::make_shared<const RewriteRule>(rule.take()));
    if (out.size() > kRulesMax) {
      return Error::invalid("[text] more than " + std::to_string(kRulesMax) + " patterns");
    }
  } while (!syntax.at_end());
  if (!syntax.status()) return syntax.status().error();
  return out;
}

}  // namespace

Result<Rewrite> parse_rewrite(std::string_view name, std::string_view text, const OpSet& ops) {
  auto rules = parse_rules(text, ops);
  if (!rules) return rules.error().with_context("[pass " + printable(name) + "]");
  return Rewrite(std::string(name), rules.take());
}

Result<bool> Rewrite::apply(Graph& graph, const OpSet& ops) const {
  std::int64_t left =
      kAppliesPerNode * static_cast<std::int64_t>(graph.order().size()) + kAppliesMin;
  bool changed = false;
  for (bool again = true; again;) {
    again = false;
    Editor editor(graph, ops);
    const std::vector<NodeId> order = graph.order();
    for (NodeId id : order) {
      for (const auto& rule : rules_) {
        if (graph.node(id).dead) break;
        const auto match = match_rule(*rule, editor, id);
        if (!match || !apply_match(*rule, *match, editor)) continue;
        again = changed = true;
        if (--left < 0) {
          return Error::invalid("[pass " + printable(name_) +
                                "] does not come to an end: its replacement holds its pattern");
        }
      }
    }
  }
  return changed;
}

Result<PassReport> run_rewrites(Graph& graph, std::span<const Rewrite> rewrites, const OpSet& ops,
                                const PassOptions& options) {
  PassReport report;
  if (rewrites.empty()) return report;
  PassGraphs graphs(graph);
  for (const Rewrite& rewrite : rewrites) {
    if (options.disabled.contains(rewrite.name())) continue;
    auto run = run_over_subgraphs(graphs, rewrite.name(), options.verify,
                                  [&](Graph& at) { return rewrite.apply(at, ops); });
    if (!run) return run.error();
    report.ms += run->ms;
    report.runs.push_back(run.take());
  }
  return report;
}

}  // namespace polaris
