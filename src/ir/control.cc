#include "ir/control.h"

#include <algorithm>

#include "ir/op_attrs/control.h"

namespace polaris {
namespace {

Status expect(const ControlView& view, std::string_view what, std::size_t got, std::size_t wanted) {
  if (got == wanted) return Status::success();
  return view.fail(std::string(what) + ", got " + std::to_string(got) + ", wanted " +
                   std::to_string(wanted));
}

/// How many of the node's inputs are captures. Errors: invalid where there are not so many.
Result<int> captures_of(const ControlView& view, const ControlDef& def) {
  const std::int64_t most = view.inputs - def.own_inputs;
  if (most < 0) {
    return view.fail("inputs, got " + std::to_string(view.inputs) + ", wanted at least " +
                     std::to_string(def.own_inputs));
  }
  const std::int64_t captures = def.counts_captures ? view.as<ControlAttrs>().captures : most;
  if (captures >= 0 && captures <= most) return static_cast<int>(captures);
  return view.fail("captures, got " + std::to_string(captures) + " of " +
                   std::to_string(view.inputs) + " inputs");
}

/// What the graphs rely on in a map: everything named is there.
Status check_map(const ControlView& view, const Node& node) {
  const auto operand = [&](int i) {
    return i >= 0 && i < view.inputs && node.inputs[static_cast<std::size_t>(i)].valid();
  };
  const auto output = [&](int region, int i) {
    return i >= 0 && i < view.regions[static_cast<std::size_t>(region)].outputs;
  };
  for (const Region& region : view.regions) {
    for (const RegionInput& input : region.inputs) {
      const bool made =
          input.from == RegionInput::From::kRound || input.from == RegionInput::From::kTrue;
      if (!made && !operand(input.operand)) {
        return view.fail("input " + std::to_string(input.operand) + " '" +
                         std::string(view.port(input.operand)) + "' is missing");
      }
      const bool body = &region == &view.regions[static_cast<std::size_t>(view.body)];
      if (body && input.from == RegionInput::From::kCarried && !output(view.body, input.output)) {
        return view.fail("outputs, got too few for its carried values");
      }
    }
  }
  for (const ControlResult& result : view.results) {
    if (result.from == ControlResult::From::kLast ? !operand(result.index)
                                                  : !output(view.body, result.index)) {
      return view.fail("outputs, got " + std::to_string(view.outputs) + ", wanted fewer");
    }
  }
  return Status::success();
}

}  // namespace

void ControlView::choice(Choose rule, int operand) {
  form = Form::kChoice;
  choose = rule;
  selector = operand;
  for (Region& region : regions) region.outputs = outputs;
  for (int i = 0; i < outputs; ++i) results.push_back({.index = i});
}

void ControlView::carry(int operand, int output) {
  form = Form::kRounds;
  for (Region& region : regions) {
    region.inputs.push_back(
        {.from = RegionInput::From::kCarried, .operand = operand, .output = output});
  }
  results.push_back({.from = ControlResult::From::kLast, .index = operand});
}

std::string_view ControlView::port(int operand) const {
  const auto count = static_cast<int>(op->inputs.size());
  if (count == 0 || operand < 0) return "";
  return op->inputs[static_cast<std::size_t>(std::min(operand, count - 1))].name;
}

Error ControlView::fail(std::string_view what) const {
  return Error::invalid("[" + op_full_name(*op) + "] node '" + std::string(node_name) +
                        "': " + std::string(what));
}

Result<ControlView> control_view(const Node& node) {
  ControlView view;
  view.op = node.op;
  view.attrs = node.attrs.get();
  view.node_name = node.name;
  view.inputs = static_cast<int>(node.inputs.size());
  view.outputs = static_cast<int>(node.outputs.size());
  const ControlDef& def = *node.op->control;
  const std::size_t regions = def.regions == 0 ? std::max<std::size_t>(node.subgraphs.size(), 1)
                                               : static_cast<std::size_t>(def.regions);
  if (auto s = expect(view, "subgraphs", node.subgraphs.size(), regions); !s) return s.error();
  const auto captures = captures_of(view, def);
  if (!captures) return captures.error();
  view.captures = *captures;
  view.regions.resize(regions);
  if (auto s = def.map(view); !s) return s.error();
  for (Region& region : view.regions) {
    for (int i = view.inputs - view.captures; i < view.inputs; ++i) {
      region.inputs.push_back({.operand = i});
    }
  }
  for (std::size_t r = 0; r < regions; ++r) {
    const Graph& graph = *node.subgraphs[r];
    const Region& region = view.regions[r];
    if (auto s = expect(view, "inputs of a subgraph", graph.inputs().size(), region.inputs.size());
        !s) {
      return s.error();
    }
    if (auto s = expect(view, "outputs of a subgraph", graph.outputs().size(),
                        static_cast<std::size_t>(std::max(region.outputs, 0)));
        !s) {
      return s.error();
    }
  }
  if (auto s = expect(view, "outputs", node.outputs.size(), view.results.size()); !s) {
    return s.error();
  }
  if (auto s = check_map(view, node); !s) return s.error();
  return view;
}

Result<int> scan_axis(const ControlView& view, std::int64_t axis, int rank) {
  if (axis >= -rank && axis < rank) return static_cast<int>(axis < 0 ? axis + rank : axis);
  return view.fail("scan axis, got " + std::to_string(axis) + " of a value of " +
                   std::to_string(rank) + " dims");
}

}  // namespace polaris
