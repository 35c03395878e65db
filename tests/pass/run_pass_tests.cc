#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "base/strings.h"
#include "ir/evaluate_graph.h"
#include "ir/nested.h"
#include "ir/text/text.h"
#include "ir/verifier.h"
#include "pass/runner.h"
#include "tensor/element.h"
#include "test_paths.h"

/// Each tests/pass/*.txt holds cases:
///
///   === what is shown
///   passes: a, b
///   target: chains, stages, binding_bytes_max=256, without=Conv      (optional)
///   tolerance: 1e-5                                          (optional; exact without)
///   --- input
///   graph { ... }
///   --- expected            (or `--- same`: nothing changes)
///   graph { ... }
///
/// The result must print as the expected graph does, and give the same numbers on random inputs.
namespace polaris {
namespace {

struct Case {
  std::string name;
  std::map<std::string, std::string> settings;
  std::string input;
  std::string expected;  // empty: same as the input
};

std::vector<Case> read_cases(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Case> out;
  std::string* section = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("=== ")) {
      out.push_back({line.substr(4), {}, "", ""});
      section = nullptr;
    } else if (out.empty() || line.empty() || line.starts_with("#")) {
      continue;
    } else if (line == "--- input") {
      section = &out.back().input;
    } else if (line == "--- expected" || line == "--- same") {
      section = &out.back().expected;
    } else if (section != nullptr) {
      *section += line + "\n";
    } else {
      const std::size_t colon = line.find(':');
      out.back().settings[line.substr(0, colon)] =
          colon == std::string::npos ? "" : std::string(trim(line.substr(colon + 1)));
    }
  }
  return out;
}

Target target_of(const std::string& text) {
  Target target;
  for (std::string_view part : split(text, ',')) {
    const std::string setting(trim(part));
    if (setting == "chains") target.fuses_chains = true;
    if (setting == "stages") target.fuses_stages = true;
    if (setting.starts_with("binding_bytes_max=")) {
      target.binding_bytes_max = *parse_i64(setting.substr(18));
    }
    if (setting.starts_with("without=")) {
      target.supports = [op = setting.substr(8)](const InferContext& node, auto) {
        return op_full_name(*node.op) != op;
      };
    }
  }
  return target;
}

/// Small numbers that are the same on every machine; integers stay in [0, 4).
Tensor random_tensor(TensorType type, std::uint32_t& seed) {
  for (int i = 0; i < type.shape.rank(); ++i) {
    if (!is_static_dim(type.shape[i])) type.shape[i] = 3;
  }
  Tensor out = *Tensor::allocate(type);
  for (std::int64_t i = 0; i < out.elements(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    const double unit = static_cast<double>(seed >> 8) / 0x1p24;
    std::byte* to = out.mutable_bytes().data();
    if (is_float(type.dtype)) {
      store_f64(type.dtype, to, i, unit * 4 - 2);
    } else {
      store_i64(type.dtype, to, i,
                static_cast<std::int64_t>(unit * (type.dtype == DType::kBool ? 2 : 4)));
    }
  }
  return out;
}

void check_close(const Tensor& got, const Tensor& wanted, double tolerance) {
  REQUIRE(got.type() == wanted.type());
  if (!wanted.type().encoding.is_plain()) return;
  double worst = 0;
  for (std::int64_t i = 0; i < wanted.elements(); ++i) {
    const double a = element_as_f64(got, i);
    const double b = element_as_f64(wanted, i);
    if (std::isnan(a) && std::isnan(b)) continue;
    worst = std::max(worst, std::fabs(a - b) / std::max(1.0, std::fabs(b)));
  }
  CHECK(worst <= tolerance);
}

void check_numbers(const Graph& before, const Graph& after, double tolerance) {
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    std::vector<Tensor> inputs;
    std::uint32_t at = seed;
    for (ValueId id : before.inputs()) inputs.push_back(random_tensor(before.value(id).type, at));
    auto wanted = evaluate_graph(before, inputs);
    REQUIRE_MESSAGE(wanted.ok(), wanted.error().message());
    auto got = evaluate_graph(after, inputs);
    REQUIRE_MESSAGE(got.ok(), got.error().message());
    REQUIRE(got->outputs.size() == wanted->outputs.size());
    for (std::size_t i = 0; i < wanted->outputs.size(); ++i) {
      check_close(got->outputs[i], wanted->outputs[i], tolerance);
    }
    for (std::size_t i = 0; i < wanted->states.size(); ++i) {
      check_close(got->states[i], wanted->states[i], tolerance);
    }
  }
}

void run_case(const Case& test, const OpSet& ops) {
  auto input = parse_graph(test.input, ops);
  REQUIRE_MESSAGE(input.ok(), input.error().message());
  auto passes = select_passes(test.settings.at("passes"));
  REQUIRE_MESSAGE(passes.ok(), passes.error().message());
  const auto target = test.settings.find("target");
  const auto tolerance = test.settings.find("tolerance");
  Graph graph = input->clone();
  auto report =
      run_passes(graph, *passes, target_of(target == test.settings.end() ? "" : target->second),
                 ops, {.disabled = {}, .verify = true});
  REQUIRE_MESSAGE(report.ok(), report.error().message());
  CHECK(report->changed() == !test.expected.empty());

  const PrintOptions plain{.inline_elements_max = 4096, .types = false};
  auto expected = parse_graph(test.expected.empty() ? test.input : test.expected, ops);
  REQUIRE_MESSAGE(expected.ok(), expected.error().message());
  CHECK(print_graph(graph, plain) == print_graph(*expected, plain));
  check_numbers(*input, graph,
                tolerance == test.settings.end() ? 0.0 : *parse_f64(tolerance->second));
}

TEST_CASE("passes rewrite as their files show") {
  const OpSet ops = OpSet::builtin();
  std::vector<std::filesystem::path> files;
  const auto folder = std::filesystem::path(test::kSourceDir) / "tests" / "pass";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE_FALSE(files.empty());
  for (const auto& file : files) {
    for (const Case& test : read_cases(file)) {
      const std::string where = file.filename().string() + ": " + test.name;
      SUBCASE(where.c_str()) { run_case(test, ops); }
    }
  }
}

std::vector<Case> all_cases() {
  std::vector<Case> out;
  const auto folder = std::filesystem::path(test::kSourceDir) / "tests" / "pass";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".txt") continue;
    for (Case& test : read_cases(entry.path())) out.push_back(std::move(test));
  }
  return out;
}

TEST_CASE("a pass that says where it starts changes no graph without such an op") {
  const OpSet ops = OpSet::builtin();
  std::set<std::string_view> left_alone;
  for (const Case& test : all_cases()) {
    CAPTURE(test.name);
    const auto setting = test.settings.find("target");
    Target target = target_of(setting == test.settings.end() ? "" : setting->second);
    target.fuses_chains = target.fuses_stages = true;
    for (const Pass* pass : default_passes()) {
      CAPTURE(pass->name);
      auto graph = parse_graph(test.input, ops);
      REQUIRE(graph);
      for (Graph* at : graphs_within(*graph)) {
        if (has_start(*at, *pass)) continue;
        const auto changed = pass->run(*at, target, ops);
        REQUIRE(changed);
        CHECK_FALSE(*changed);
        left_alone.insert(pass->name);
      }
    }
  }
  for (const Pass* pass : default_passes()) {
    CHECK(left_alone.contains(pass->name) != pass->starts_at.empty());
  }
}

/// Nodes by op, and by op on a device.
std::map<std::string, int> count_ops(const Graph& graph, int device = -2) {
  std::map<std::string, int> out;
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (device == -2 || node.device == device) ++out[op_full_name(*node.op)];
    for (const auto& sub : node.subgraphs) {
      for (const auto& [op, n] : count_ops(*sub, device)) out[op] += n;
    }
  }
  return out;
}

/// Places node i of a graph on device `device_of(i)`.
void place(Graph& graph, const std::function<std::int32_t(std::size_t)>& device_of) {
  for (std::size_t i = 0; i < graph.order().size(); ++i) {
    Node& node = graph.node(graph.order()[i]);
    node.device = device_of(i);
    for (auto& sub : node.subgraphs) place(*sub, device_of);
  }
}

// What every pass may make for any device: it moves nothing and counts nothing, or the planner sees
// to it that some device has it.
bool is_plain(const std::string& op) {
  return op == "Reshape" || op == "Concat" || op == "polaris.Decode" || op == "Transpose";
}

TEST_CASE("nodes are fused only into what the device that they are placed on runs") {
  const OpSet ops = OpSet::builtin();
  int swept = 0;
  for (const Case& test : all_cases()) {
    CAPTURE(test.name);
    auto passes = select_passes(test.settings.at("passes"));
    REQUIRE(passes);
    const bool per_device = std::any_of(passes->begin(), passes->end(),
                                        [](const Pass* pass) { return pass->per_device; });
    if (!per_device) continue;
    auto input = parse_graph(test.input, ops);
    REQUIRE(input);
    const auto setting = test.settings.find("target");
    Target all = target_of(setting == test.settings.end() ? "" : setting->second);
    all.supports = nullptr;
    const auto fused = [&](const Target& first, const Target& second,
                           const std::function<std::int32_t(std::size_t)>& device_of) {
      Graph graph = input->clone();
      place(graph, device_of);
      auto report = run_passes(graph, *passes, Targets({first, second}), ops,
                               {.disabled = {}, .verify = true});
      REQUIRE_MESSAGE(report, report.error().message());
      return graph;
    };
    const auto on = [](std::int32_t device) { return [device](std::size_t) { return device; }; };
    const std::map<std::string, int> before = count_ops(*input);
    const std::map<std::string, int> after = count_ops(fused(all, all, on(1)));
    for (const auto& [op, n] : after) {
      if (before.contains(op) || is_plain(op)) continue;
      CAPTURE(op);
      ++swept;
      Target without = all;
      without.supports = [name = op](const InferContext& node, auto) {
        return op_full_name(*node.op) != name;
      };
      // The device of the nodes lacks the op, and it does not help that the other has it.
      CHECK_FALSE(count_ops(fused(all, without, on(1))).contains(op));
      CHECK_FALSE(count_ops(fused(without, all, on(0))).contains(op));
      // The other device lacks it, which does not matter.
      CHECK(count_ops(fused(without, all, on(1))) == after);
      CHECK(count_ops(fused(all, without, on(0))) == after);
      // Nodes here and there: the device without it gets none, and the numbers stay.
      for (std::size_t period = 1; period <= 3; ++period) {
        const Graph mixed = fused(
            without, all, [&](std::size_t i) { return static_cast<std::int32_t>(i / period % 2); });
        CHECK_FALSE(count_ops(mixed, 0).contains(op));
        const auto tolerance = test.settings.find("tolerance");
        check_numbers(*input, mixed,
                      tolerance == test.settings.end() ? 0.0 : *parse_f64(tolerance->second));
      }
    }
  }
  CHECK(swept >= 8);
}

TEST_CASE("nodes are placed once, before the first pass that works per device") {
  const OpSet ops = OpSet::builtin();
  auto graph = parse_graph(R"(graph {
    input %x : float32[2, 3]
    %a = Identity(%x)
    %b = Exp(%a)
    %c = Neg(%b)
    output %c
  })",
                           ops);
  REQUIRE(graph);
  int placed = 0;
  PassOptions options;
  options.place = [&](Graph& at) {
    ++placed;
    // Generic passes have been: Identity is gone.
    CHECK(count_ops(at).at("Exp") == 1);
    CHECK_FALSE(count_ops(at).contains("Identity"));
    place(at, [](std::size_t i) { return static_cast<std::int32_t>(i); });
    return Status::success();
  };
  Target target;
  target.fuses_chains = true;
  REQUIRE(run_passes(*graph, Targets({target, target}), ops, options));
  CHECK(placed == 1);
  // On two devices: not fused.
  CHECK(count_ops(*graph) == std::map<std::string, int>{{"Exp", 1}, {"Neg", 1}});
}

TEST_CASE("passes stop between two when they are told to") {
  const OpSet ops = OpSet::builtin();
  auto graph = parse_graph("graph { input %x : float32[2]\n %y = Exp(%x)\n output %y }", ops);
  REQUIRE(graph);
  int asked = 0;
  PassOptions options;
  options.stop = [&] { return ++asked == 3; };
  const auto report = run_passes(*graph, Target(), ops, options);
  REQUIRE_FALSE(report);
  CHECK(report.error().code() == ErrorCode::kCancelled);
  CHECK(asked == 3);
}

/// The graph several times over, side by side.
Graph repeated(const Graph& graph, int copies) {
  Graph out;
  out.share_symbols(graph);
  for (int copy = 0; copy < copies; ++copy) {
    const std::string tail = "#" + std::to_string(copy);
    IdVector<ValueId, ValueId> to(graph.value_count());
    for (ValueId id : graph.inputs()) {
      to[id] = out.add_input(graph.value(id).name + tail, graph.value(id).type);
    }
    for (const StateUse& use : graph.states()) {
      to[use.read] = out.add_state(use.state->name + tail, graph.value(use.read).type,
                                   use.state->initial, use.state->paged);
    }
    for (ValueId id : graph.value_ids()) {
      if (graph.value(id).constant) to[id] = out.add_constant(graph.value(id).constant);
    }
    for (NodeId id : graph.order()) {
      const Node& node = graph.node(id);
      std::vector<ValueId> inputs;
      for (ValueId input : node.inputs) inputs.push_back(input.valid() ? to[input] : kNoValue);
      Node& made = out.node(out.add_node(node.op, node.attrs->clone(), std::move(inputs),
                                         static_cast<int>(node.outputs.size()), node.name + tail));
      for (const auto& sub : node.subgraphs) {
        made.subgraphs.push_back(std::make_shared<Graph>(sub->clone_beside()));
      }
      for (std::size_t o = 0; o < node.outputs.size(); ++o) {
        const ValueId output = node.outputs[o];
        if (output.valid()) {
          to[output] = made.outputs[o];
          out.value(made.outputs[o]).type = graph.value(output).type;
        } else {
          made.outputs[o] = kNoValue;
        }
      }
    }
    for (std::size_t o = 0; o < graph.outputs().size(); ++o) {
      out.mark_output(to[graph.outputs()[o]], graph.output_names()[o] + tail);
    }
    for (const StateUse& use : graph.states()) {
      out.set_state_update(out.states().size() - graph.states().size() +
                               static_cast<std::size_t>(&use - graph.states().data()),
                           to[use.update]);
    }
  }
  return out;
}

TEST_CASE("passes go over a graph as often for many edits as for few") {
  const OpSet ops = OpSet::builtin();
  std::set<std::string> edited;
  for (const Case& test : all_cases()) {
    CAPTURE(test.name);
    if (test.expected.empty()) continue;
    auto input = parse_graph(test.input, ops);
    REQUIRE(input);
    auto passes = select_passes(test.settings.at("passes"));
    REQUIRE(passes);
    const auto setting = test.settings.find("target");
    const Target target = target_of(setting == test.settings.end() ? "" : setting->second);
    const auto sweeps_of = [&](int copies) {
      Graph graph = repeated(*input, copies);
      const std::int64_t before = graph.sweeps();
      const auto report = run_passes(graph, *passes, target, ops);
      REQUIRE_MESSAGE(report, report.error().message());
      CHECK(report->changed());
      return graph.sweeps() - before;
    };
    CHECK(sweeps_of(24) == sweeps_of(3));
    edited.insert(test.settings.at("passes"));
  }
  for (const Pass* pass : default_passes()) CHECK(edited.contains(std::string(pass->name)));
}

TEST_CASE("every pass has a file of tests") {
  for (const Pass* pass : default_passes()) {
    const auto file = std::filesystem::path(test::kSourceDir) / "tests" / "pass" /
                      (std::string(pass->name) + ".txt");
    CHECK_MESSAGE(std::filesystem::exists(file), file.string());
  }
}

}  // namespace
}  // namespace polaris
