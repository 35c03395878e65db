#include "session/executor.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "ir/node_error.h"
#include "ir/op_attrs/control.h"
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
    LiveIn value;
    value.value = live.id;
    value.type = live.ref.type;
    value.device = live.ref.device;
    if (info.arithmetic.planned[static_cast<std::size_t>(live.id.index)] &&
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
                                        const std::vector<bool>* device_outputs) {
  if (++depth_ > kDepthMax) return Error::invalid("[run] control flow nests too deep");
  const GraphInfo& info = program_.info(graph);
  const auto read_later = [&](ValueId id, std::size_t position) {
    return info.last_reader[static_cast<std::size_t>(id.index)] >=
           static_cast<std::int64_t>(position);
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
    auto values = live_in(info, frontier);
    if (!values) return values.error();
    const std::string key = stage_key(graph, position, *values, states.types, device_outputs);
    auto loaded = program_.stage(key, info, position, values.take(), states.types, device_outputs);
    if (!loaded) return loaded.error();
    const Stage& stage = (*loaded)->stage;
    std::vector<const ValueRef*> live;
    live.reserve(frontier.size());
    for (const Live& value : frontier) live.push_back(&value.ref);
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

Result<std::vector<ValueRef>> Executor::run_control(const GraphInfo& info, const Node& node,
                                                    const Frontier& frontier,
                                                    const BoundStates& states) {
  std::vector<ValueRef> inputs;
  for (ValueId id : node.inputs) {
    if (!id.valid()) {
      inputs.emplace_back();
      continue;
    }
    auto value = value_of(*info.graph, id, frontier, states);
    if (!value) return value.error();
    inputs.push_back(value.take());
  }
  auto results = node.op->is("If")     ? run_if(node, inputs)
                 : node.op->is("Loop") ? run_loop(node, inputs)
                                       : Result<std::vector<ValueRef>>(Error::unsupported(
                                             "[" + op_full_name(*node.op) + "] has no executor"));
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

Result<std::vector<ValueRef>> Executor::run_if(const Node& node, std::span<const ValueRef> inputs) {
  auto condition = to_host(runtime_, inputs[0]);
  if (!condition) return condition.error();
  if (condition->elements() != 1) {
    return Error::invalid("[If] condition, got " + condition->type().to_string() +
                          ", wanted one element");
  }
  const bool taken = element_as_i64(*condition, 0) != 0;
  return run_subgraph(*node.subgraphs[taken ? 0 : 1], inputs.subspan(1));
}

Status Executor::settle(const GraphInfo& body, std::span<ValueRef> values) {
  const auto& inputs = body.graph->inputs();
  const std::size_t own = inputs.size() - values.size();  // trip and condition
  std::vector<DeviceIndex> device(body.graph->value_count(), kHost);
  for (auto at = body.graph->order().rbegin(); at != body.graph->order().rend(); ++at) {
    const Node& node = body.graph->node(*at);
    const bool control = node.op->has_trait(kControl);
    for (ValueId input : node.inputs) {
      if (!input.valid()) continue;
      device[static_cast<std::size_t>(input.index)] =
          control ? kHost : body.placement.node[static_cast<std::size_t>(at->index)];
    }
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto id = static_cast<std::size_t>(inputs[own + i].index);
    if (values[i].device != kHost || device[id] == kHost || body.host_needed[id]) continue;
    const TensorType& type = values[i].type;
    if (!type.encoding.is_plain() || type.bytes().value_or(0) == 0) continue;
    auto moved = copy_to(runtime_, values[i], device[id]);
    if (!moved) return moved.error();
    values[i] = moved.take();
  }
  return Status::success();
}

Result<std::vector<ValueRef>> Executor::run_loop(const Node& node,
                                                 std::span<const ValueRef> inputs) {
  const Graph& body = *node.subgraphs[0];
  const std::size_t carried =
      node.inputs.size() - 2 - static_cast<std::size_t>(node.attrs_as<LoopAttrs>().captures);
  const std::size_t scans = node.outputs.size() - carried;
  std::int64_t trips = INT64_MAX;
  bool go_on = true;
  const auto read_scalar = [&](const ValueRef& value) -> Result<std::int64_t> {
    auto host = to_host(runtime_, value);
    if (!host) return host.error();
    if (host->elements() != 1) return Error::invalid("[Loop] trip count and condition are scalars");
    return element_as_i64(*host, 0);
  };
  if (node.inputs[0].valid()) {
    auto value = read_scalar(inputs[0]);
    if (!value) return value.error();
    trips = *value;
  }
  if (node.inputs[1].valid()) {
    auto value = read_scalar(inputs[1]);
    if (!value) return value.error();
    go_on = *value != 0;
  }
  std::vector<ValueRef> values(inputs.begin() + 2, inputs.end());  // carried, then captured
  if (trips > 0 && go_on) {
    if (auto status = settle(program_.info(body), values); !status) return status.error();
  }
  std::vector<std::vector<ValueRef>> scanned(scans);
  ScanPile pile(runtime_, options_.loop_bytes_max);
  for (std::int64_t trip = 0; trip < trips && go_on; ++trip) {
    if (options_.cancel != nullptr && options_.cancel->cancelled()) {
      return Error::cancelled("[Loop] stopped on request");
    }
    const std::uint8_t condition = 1;
    auto trip_tensor = Tensor::from<std::int64_t>(DType::kI64, {}, {&trip, 1});
    auto condition_tensor = Tensor::from<std::uint8_t>(DType::kBool, {}, {&condition, 1});
    if (!trip_tensor) return trip_tensor.error();
    if (!condition_tensor) return condition_tensor.error();
    std::vector<ValueRef> arguments = {ValueRef::of(trip_tensor.take()),
                                       ValueRef::of(condition_tensor.take())};
    arguments.insert(arguments.end(), values.begin(), values.end());
    auto results = run_subgraph(body, arguments);
    if (!results) return results.error();
    auto more = read_scalar((*results)[0]);
    if (!more) return more.error();
    go_on = *more != 0;
    for (std::size_t c = 0; c < carried; ++c) values[c] = std::move((*results)[1 + c]);
    for (std::size_t s = 0; s < scans; ++s) {
      scanned[s].push_back(std::move((*results)[1 + carried + s]));
      if (auto status = pile.add(scanned[s].back(), trip); !status) return status.error();
    }
  }
  values.resize(carried);
  for (std::size_t s = 0; s < scans; ++s) {
    const ValueId element = body.outputs()[1 + carried + s];
    auto stacked = stack(scanned[s], body.value(element).type);
    if (!stacked) return stacked.error();
    values.push_back(stacked.take());
  }
  return values;
}

Result<ValueRef> Executor::stack(std::span<const ValueRef> parts, const TensorType& declared) {
  TensorType type = parts.empty() ? declared : parts.front().type;
  for (const ValueRef& part : parts) {
    if (part.type == type) continue;
    return Error::invalid("[Loop] scan output, got " + part.type.to_string() + " after " +
                          type.to_string() + ", wanted one shape for all iterations");
  }
  // With no iteration the element's unknown dims are empty.
  for (int i = 0; i < type.shape.rank(); ++i)
    type.shape[i] = std::max<std::int64_t>(type.shape[i], 0);
  if (type.shape.rank() == kMaxRank) return Error::invalid("[Loop] scan output has too many dims");
  const std::int64_t bytes = type.bytes().value_or(0);
  TensorType whole = type;
  whole.shape.insert(0, static_cast<std::int64_t>(parts.size()));
  const auto total = whole.bytes();
  if (!total) return Error::invalid("[Loop] scan output " + whole.to_string() + " is too large");
  const DeviceIndex device = parts.empty() ? kHost : parts.front().device;
  ValueRef out;
  out.type = whole;
  out.device = device;
  if (device == kHost) {
    auto tensor = Tensor::allocate(whole);
    if (!tensor) return tensor.error();
    for (std::size_t p = 0; p < parts.size(); ++p) {
      auto host = to_host(runtime_, parts[p]);
      if (!host) return host.error();
      if (bytes == 0) continue;
      std::memcpy(tensor->mutable_bytes().data() + static_cast<std::int64_t>(p) * bytes,
                  host->bytes().data(), static_cast<std::size_t>(bytes));
    }
    out.host = tensor.take();
    return out;
  }
  auto lease =
      runtime_.memory(device).lease(std::max<std::int64_t>(*total, 16), MemoryKind::kDevice);
  if (!lease) return lease.error();
  out.lease = std::make_shared<Lease>(lease.take());
  out.view = {out.lease->buffer(), 0, *total};
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const BufferView to{out.view.buffer, static_cast<std::int64_t>(p) * bytes, bytes};
    if (auto status = copy_into(runtime_, parts[p], device, to); !status) return status.error();
  }
  return out;
}

}  // namespace polaris
