#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "command.h"
#include "input_files.h"
#include "interrupt.h"
#include "load/load.h"
#include "model_io.h"
#include "output.h"
#include "session/session.h"
#include "value_difference.h"

namespace polaris::cli {
namespace {

/// One of the two models, ready to be run with more outputs than it has.
struct Side {
  std::string path;
  Graph graph;
  ProgramOptions options;
  std::vector<Tensor> inputs;
};

Result<std::vector<Tensor>> run_side(const std::shared_ptr<Runtime>& runtime, const Side& side,
                                     Graph graph) {
  auto program = Program::compile(runtime, std::move(graph), side.options);
  if (!program) return program.error();
  auto session = Session::create(program.take());
  if (!session) return session.error();
  CancelOnInterrupt interrupt;
  RunOptions options;
  options.cancel = interrupt.token();
  std::vector<Tensor> outputs;
  if (auto s = (*session)->run(side.inputs, outputs, options); !s) return s.error();
  return outputs;
}

/// Values that nodes make, by name; names that stand for several are none.
std::map<std::string, ValueId> made_by_name(const Graph& graph) {
  std::map<std::string, ValueId> out;
  for (const NodeId id : graph.order()) {
    for (const ValueId value : graph.node(id).outputs) {
      if (!value.valid() || graph.value(value).name.empty()) continue;
      const auto [at, is_new] = out.emplace(graph.value(value).name, value);
      if (!is_new) at->second = kNoValue;
    }
  }
  return out;
}

class Diff final : public Action {
 public:
  void declare(CLI::App& app) override {
    app.add_option("a", paths_[0], "model file")->required();
    app.add_option("b", paths_[1], "model file to compare with it")->required();
    declare_input_files(app, inputs_);
    app.add_flag("--random-inputs{0}", seed_,
                 "fill inputs not given, =SEED; done anyway, with seed 0");
    app.add_option("--rtol", tolerance_.relative, "relative tolerance of floats")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--atol", tolerance_.absolute, "absolute tolerance of floats")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--function", function_, "function to run, of both");
  }

  Status run(const Common& common) override {
    const auto seed = seed_.empty() ? std::optional<std::uint64_t>(0) : parse_u64(seed_);
    if (!seed) {
      return common.usage_error("--random-inputs, got '" + printable(seed_, 64) +
                                "', wanted a whole number, 0 or more");
    }
    inputs_.random = true;
    inputs_.seed = *seed;
    if (Status s = open(common); !s) return s;
    if (Status s = pair_inputs(common); !s) return s;
    if (Status s = pair_outputs(); !s) return s;
    auto a = run_side(runtime_, sides_[0], sides_[0].graph.clone());
    if (!a) return a.error().with_context("'" + paths_[0] + "'");
    auto b = run_side(runtime_, sides_[1], sides_[1].graph.clone());
    if (!b) return b.error().with_context("'" + paths_[1] + "'");
    std::vector<ValueDifference> differences;
    for (std::size_t i = 0; i < a->size(); ++i) {
      differences.push_back(value_difference((*a)[i], (*b)[partner_[i]], tolerance_));
    }
    const auto first = std::find_if(differences.begin(), differences.end(),
                                    [](const ValueDifference& d) { return !d.same; });
    std::optional<NodeDifference> node;
    if (first != differences.end()) {
      auto found = first_node();
      if (!found) return found.error();
      node = found.take();
    }
    print(common, differences, node);
    if (first == differences.end()) return Status::success();
    const auto at = static_cast<std::size_t>(first - differences.begin());
    return Error::invalid("[diff] output '" + printable(sides_[0].graph.output_names()[at]) +
                          "' differs: " + difference_text(*first));
  }

 private:
  struct NodeDifference {
    std::string node;
    std::string op;
    std::string value;
    ValueDifference difference;
  };

  Status open(const Common& common) {
    for (std::size_t s = 0; s < 2; ++s) {
      auto opened = s == 0 ? open_model(common, paths_[s], {}, inputs_.files)
                           : open_model_on(runtime_, common, paths_[s], {}, inputs_.files);
      if (!opened) return opened.error();
      runtime_ = opened->runtime;
      auto graph = take_function(opened->model, function_);
      if (!graph) return graph.error().with_context("'" + paths_[s] + "'");
      sides_[s].path = paths_[s];
      sides_[s].graph = graph.take();
      sides_[s].options = std::move(opened->options);
    }
    return Status::success();
  }

  /// B's inputs are A's of the same name, or of the same place where no name is the same.
  Status pair_inputs(const Common& common) {
    const Graph& a = sides_[0].graph;
    const Graph& b = sides_[1].graph;
    auto given = gather_inputs(a, common, inputs_);
    if (!given) return given.error();
    sides_[0].inputs = given.take();
    const std::size_t count = b.inputs().size();
    const bool named = std::any_of(b.inputs().begin(), b.inputs().end(), [&](ValueId id) {
      return a.find_input(b.value(id).name).has_value();
    });
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& name = b.value(b.inputs()[i]).name;
      const auto same = a.find_input(name);
      std::size_t at = i;
      if (same) {
        at = static_cast<std::size_t>(std::find(a.inputs().begin(), a.inputs().end(), *same) -
                                      a.inputs().begin());
      } else if (named || count != a.inputs().size()) {
        return Error::invalid("[diff] input '" + printable(name) + "' of '" + paths_[1] + "': '" +
                              paths_[0] + "' has none of that name");
      }
      sides_[1].inputs.push_back(sides_[0].inputs[at]);
    }
    return Status::success();
  }

  Status pair_outputs() {
    const auto& a = sides_[0].graph.output_names();
    const auto& b = sides_[1].graph.output_names();
    const bool named = std::any_of(a.begin(), a.end(), [&](const std::string& name) {
      return std::find(b.begin(), b.end(), name) != b.end();
    });
    for (std::size_t i = 0; i < a.size(); ++i) {
      const auto same = std::find(b.begin(), b.end(), a[i]);
      if (same == b.end() && (named || a.size() != b.size())) {
        return Error::invalid("[diff] output '" + printable(a[i]) + "' of '" + paths_[0] + "': '" +
                              paths_[1] + "' has none of that name");
      }
      partner_.push_back(same == b.end() ? i : static_cast<std::size_t>(same - b.begin()));
    }
    return Status::success();
  }

  /// The first node of A that makes something else than what has the same name in B. Runs both
  /// again with all such values as outputs.
  Result<std::optional<NodeDifference>> first_node() {
    const auto theirs = made_by_name(sides_[1].graph);
    const auto ours = made_by_name(sides_[0].graph);
    Graph a = sides_[0].graph.clone();
    Graph b = sides_[1].graph.clone();
    const std::size_t before_a = a.outputs().size();
    const std::size_t before_b = b.outputs().size();
    std::vector<std::pair<NodeId, ValueId>> shared;
    for (const NodeId id : sides_[0].graph.order()) {
      for (const ValueId value : sides_[0].graph.node(id).outputs) {
        if (!value.valid()) continue;
        const std::string& name = sides_[0].graph.value(value).name;
        const auto mine = ours.find(name);
        const auto other = theirs.find(name);
        if (mine == ours.end() || mine->second != value || other == theirs.end() ||
            !other->second.valid()) {
          continue;
        }
        a.mark_output(value, name);
        b.mark_output(other->second, name);
        shared.emplace_back(id, value);
      }
    }
    if (shared.empty()) return std::optional<NodeDifference>();
    auto got_a = run_side(runtime_, sides_[0], std::move(a));
    if (!got_a) return got_a.error().with_context("'" + paths_[0] + "'");
    auto got_b = run_side(runtime_, sides_[1], std::move(b));
    if (!got_b) return got_b.error().with_context("'" + paths_[1] + "'");
    for (std::size_t i = 0; i < shared.size(); ++i) {
      auto d = value_difference((*got_a)[before_a + i], (*got_b)[before_b + i], tolerance_);
      if (d.same) continue;
      const Node& node = sides_[0].graph.node(shared[i].first);
      return std::optional(NodeDifference{node.name, op_full_name(*node.op),
                                          sides_[0].graph.value(shared[i].second).name,
                                          std::move(d)});
    }
    return std::optional<NodeDifference>();
  }

  static void write_difference(JsonWriter& json, const ValueDifference& d) {
    json.field("same", d.same).field("max_abs", d.absolute_max).field("max_rel", d.relative_max);
    json.field("elements", d.elements).field("differing", d.differing);
    if (!d.why.empty()) json.field("types", d.why);
  }

  void print(const Common& common, const std::vector<ValueDifference>& differences,
             const std::optional<NodeDifference>& node) const {
    const auto& names = sides_[0].graph.output_names();
    if (!common.json) {
      if (common.quiet) return;
      for (std::size_t i = 0; i < differences.size(); ++i) {
        print_line(names[i] + ": " + difference_text(differences[i]));
      }
      if (node) {
        print_line("first node: " + node->op + " '" + node->node + "', value '" + node->value +
                   "': " + difference_text(node->difference));
      }
      return;
    }
    const bool same = std::all_of(differences.begin(), differences.end(),
                                  [](const ValueDifference& d) { return d.same; });
    JsonWriter json;
    json.begin_object().field("same", same).key("outputs").begin_array();
    for (std::size_t i = 0; i < differences.size(); ++i) {
      json.begin_object().field("name", names[i]);
      write_difference(json, differences[i]);
      json.end_object();
    }
    json.end_array().key("first_node");
    if (node) {
      json.begin_object().field("name", node->node).field("op", node->op);
      json.field("value", node->value);
      write_difference(json, node->difference);
      json.end_object();
    } else {
      json.null();
    }
    json.field("rtol", tolerance_.relative).field("atol", tolerance_.absolute);
    json.field("device", device_text(*runtime_)).end_object();
    print_line(json.text());
  }

  std::string paths_[2];
  InputOptions inputs_;
  std::string seed_;
  std::string function_;
  Tolerance tolerance_;
  std::shared_ptr<Runtime> runtime_;
  Side sides_[2];
  std::vector<std::size_t> partner_;  // B's output for each of A's
};

}  // namespace

extern const Command command_diff;
constinit const Command command_diff{
    "diff", "runs two models on the same inputs; tells the first output and node that differ",
    make_action<Diff>};

}  // namespace polaris::cli
