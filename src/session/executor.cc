#include "session/executor.h"

#include <algorithm>
#include <string>
#include <utility>

#include "ir/evaluate.h"
#include "ir/node_error.h"
#include "session/control_values.h"
#include "session/scan_pile.h"
#include "session/stage_key.h"
#include "session/stage_runner.h"
#include "session/value_move.h"

namespace polaris {
namespace {

// Control flow nests in files: a bound keeps a hostile one from exhausting the stack.
constexpr int kDepthMax = 32;

}  // namespace

Result<std::vector<LiveIn>> Executor::live_in(const GraphInfo& info, Frontier& frontier) {
  std::vector<LiveIn> out;
  out.reserve(frontier.size());
  for (Live& live : frontier) {
    if (is_host_only(live.ref.type)) continue;
    LiveIn value;
    value.value = live.id;
    value.type = live.ref.type;
    value.device = live.ref.device;
    if (info.arithmetic.planned[live.id] &&
        live.ref.type.bytes().value_or(0) <= kHostValueBytesMax) {
      auto host = to_host(runtime_, live.ref);
      if (!host) return host.error();
      value.known = host.take();
    }
    out.push_back(std::move(value));
  }
  return out;
}

Result<Executor::Outcome> Executor::run(const Graph& graph, std::span<const ValueRef> inputs,
                                        const BoundStates& states,
                                        const ValueFlags* device_outputs) {
  if (++depth_ > kDepthMax) return Error::invalid("[run] control flow nests too deep");
  const GraphInfo& info = program_.info(graph);
  const auto read_later = [&](ValueId id, std::size_t position) {
    return info.last_reader[id] >= static_cast<std::int64_t>(position);
  };
  Frontier frontier;
  for (std::size_t i = 0; i < graph.inputs().size(); ++i) {
    if (read_later(graph.inputs()[i], 0)) frontier.push_back({graph.inputs()[i], inputs[i]});
  }
  for (std::size_t position = 0; position < graph.order().size();) {
    if (options_.cancel != nullptr && options_.cancel->cancelled()) {
      return Error::cancelled("[run] stopped on request");
    }
    if (auto status = run_host_phase(runtime_, info, position, states.types, frontier); !status) {
      return status.error();
    }
    if (info.on_host[position]) {
      const Node& node = graph.node(graph.order()[position]);
      if (auto status = run_on_host(info, node, frontier, states); !status) return status.error();
      ++position;
      std::erase_if(frontier, [&](const Live& value) { return !read_later(value.id, position); });
      continue;
    }
    auto values = live_in(info, frontier);
    if (!values) return values.error();
    const std::string key = stage_key(graph, position, *values, states.types, device_outputs);
    auto loaded = program_.stage(key, info, position, values.take(), states.types, device_outputs);
    if (!loaded) return loaded.error();
    const Stage& stage = (*loaded)->stage;
    std::vector<const ValueRef*> live;
    live.reserve(frontier.size());
    for (const Live& value : frontier) {
      if (!is_host_only(value.ref.type)) live.push_back(&value.ref);
    }
    StageRunner runner(runtime_, info, **loaded, options_, ticket_);
    auto made = runner.run(live, states);
    if (!made) return made.error();
    for (std::size_t i = 0; i < made->size(); ++i) {
      frontier.push_back({stage.live_out[i].value, std::move((*made)[i])});
    }
    if (stage.control.valid()) {
      const Node& node = graph.node(stage.control);
      auto results = run_control(info, node, frontier, states);
      if (!results) return at_node(results.error(), node.name);
      for (std::size_t o = 0; o < node.outputs.size(); ++o) {
        if (node.outputs[o].valid()) frontier.push_back({node.outputs[o], (*results)[o]});
      }
    }
    position = stage.end;
    std::erase_if(frontier, [&](const Live& value) { return !read_later(value.id, position); });
  }
  auto outputs = finish(info, frontier, states);
  --depth_;
  return outputs;
}

Result<std::vector<ValueRef>> Executor::run_subgraph(const Graph& graph,
                                                     std::span<const ValueRef> inputs) {
  auto outcome = run(graph, inputs, {});
  if (!outcome) return outcome.error();
  return std::move(outcome->outputs);
}

Result<Executor::Outcome> Executor::finish(const GraphInfo& info, const Frontier& frontier,
                                           const BoundStates& states) {
  Outcome out;
  out.outputs.reserve(info.graph->outputs().size());
  for (ValueId id : info.graph->outputs()) {
    auto value = value_of(*info.graph, id, frontier, states);
    if (!value) return value.error();
    out.outputs.push_back(value.take());
  }
  auto writes = state_writes(info, frontier, states);
  if (!writes) return writes.error();
  out.writes = writes.take();
  return out;
}

Result<ValueRef> Executor::value_of(const Graph& graph, ValueId id, const Frontier& frontier,
                                    const BoundStates& states) {
  for (const Live& live : frontier) {
    if (live.id == id) return live.ref;
  }
  if (const auto& constant = graph.value(id).constant) return ValueRef::of(constant->data);
  for (std::size_t s = 0; s < graph.states().size(); ++s) {
    if (graph.states()[s].read != id) continue;
    ValueRef ref;
    ref.type = states.types[s];
    ref.device = program_.info(graph).placement.state[s];
    ref.view = states.views[s];
    return ref;
  }
  return Error::internal("[run] value '" + graph.value(id).name + "' was not kept");
}

Result<std::vector<StateWrite>> Executor::state_writes(const GraphInfo& info,
                                                       const Frontier& frontier,
                                                       const BoundStates& states) {
  const Graph& graph = *info.graph;
  std::vector<StateWrite> out;
  for (std::size_t s = 0; s < graph.states().size(); ++s) {
    const StateUse& use = graph.states()[s];
    if (!use.update.valid() || use.update == use.read) continue;
    auto value = value_of(graph, use.update, frontier, states);
    if (!value) return value.error();
    const BufferView& to = states.views[s];
    const bool in_place = value->view.buffer == to.buffer && value->view.offset == to.offset;
    if (in_place && value->device != kHost) continue;
    if (value->type != states.types[s]) {
      return Error::invalid("[run] state '" + use.state->name + "', got an update " +
                            value->type.to_string() + ", wanted " + states.types[s].to_string());
    }
    out.push_back({value.take(), info.placement.state[s], to});
  }
  return out;
}

Result<std::vector<ValueRef>> Executor::operands_of(const GraphInfo& info, const Node& node,
                                                    const Frontier& frontier,
                                                    const BoundStates& states) {
  std::vector<ValueRef> out;
  for (ValueId id : node.inputs) {
    if (!id.valid()) {
      out.emplace_back();
      continue;
    }
    auto value = value_of(*info.graph, id, frontier, states);
    if (!value) return value.error();
    out.push_back(value.take());
  }
  return out;
}

Status Executor::run_on_host(const GraphInfo& info, const Node& node, Frontier& frontier,
                             const BoundStates& states) {
  auto operands = operands_of(info, node, frontier, states);
  if (!operands) return operands.error();
  std::vector<Tensor> held(operands->size());
  std::vector<const Tensor*> inputs(operands->size(), nullptr);
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (!node.inputs[i].valid()) continue;
    auto host = to_host(runtime_, (*operands)[i]);
    if (!host) return host.error();
    held[i] = host.take();
    inputs[i] = &held[i];
  }
  const std::int64_t bytes_max = ScanPile(runtime_, {}, options_.loop_bytes_max).limit_of(kHost);
  auto results = evaluate_node(*node.op, *node.attrs, node.name, inputs,
                               static_cast<int>(node.outputs.size()), bytes_max);
  if (!results) return results.error();
  for (std::size_t o = 0; o < node.outputs.size(); ++o) {
    if (!node.outputs[o].valid()) continue;
    frontier.push_back({node.outputs[o], ValueRef::of(std::move((*results)[o]))});
  }
  return Status::success();
}

Result<std::vector<ValueRef>> Executor::run_control(const GraphInfo& info, const Node& node,
                                                    const Frontier& frontier,
                                                    const BoundStates& states) {
  auto inputs = operands_of(info, node, frontier, states);
  if (!inputs) return inputs.error();
  ControlValues::Program program;
  program.info = [&](const Graph& graph) -> const GraphInfo& { return program_.info(graph); };
  program.run = [&](const Graph& graph, std::span<const ValueRef> given) {
    return run_subgraph(graph, given);
  };
  program.cancelled = [&] { return options_.cancel != nullptr && options_.cancel->cancelled(); };
  ControlValues values(runtime_, std::move(program), "[" + op_full_name(*node.op) + "] ",
                       options_.loop_bytes_max);
  auto results = polaris::run_control<ValueRef>(node, values, inputs.take());
  if (!results || !info.writes_in_place) return results;
  // A state handed through must not change when a later node writes it in place.
  for (ValueRef& result : *results) {
    if (result.device == kHost || result.lease) continue;
    auto own = copy_to(runtime_, result, result.device);
    if (!own) return own.error();
    result = own.take();
  }
  return results;
}

}  // namespace polaris
