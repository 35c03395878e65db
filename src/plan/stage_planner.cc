#include "plan/stage_planner.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "backend/described_types.h"
#include "ir/evaluate.h"
#include "ir/host_only.h"
#include "plan/host_values.h"
#include "plan/layout_choice.h"
#include "plan/memory.h"
#include "plan/stage_builder.h"
#include "plan/state_chain.h"
#include "plan/storage_merge.h"

namespace polaris {
namespace {

enum class Next { kContinue, kStopBefore, kStopAfter };

class StagePlanner {
 public:
  StagePlanner(const PlanContext& context, const Graph& graph, std::size_t begin,
               std::vector<LiveIn> live_in)
      : context_(context),
        graph_(graph),
        builder_(context, graph, begin, std::move(live_in)),
        stage_(builder_.stage()) {}

  Result<Stage> run() {
    std::size_t at = stage_.begin;
    for (; at < graph_.order().size(); ++at) {
      position_ = static_cast<std::int64_t>(at);
      auto next = plan_node(graph_.order()[at]);
      if (!next) return next.error();
      if (*next == Next::kStopBefore) break;
      if (*next == Next::kStopAfter) {
        ++at;
        break;
      }
    }
    stage_.end = at;
    const bool stuck = at == stage_.begin && at < graph_.order().size();
    if (stuck && !runs_on_host(graph_, graph_.node(graph_.order()[at]))) {
      return Error::internal("[plan] no progress at node '" + graph_.node(graph_.order()[at]).name +
                             "'");
    }
    return finish();
  }

 private:
  ValueState& state_of(ValueId id) { return builder_.state_of(id); }

  /// The host evaluated the node before this stage: its results live at the stage's start.
  bool is_given(const Node& node) {
    bool any = false;
    for (ValueId output : node.outputs) {
      if (!output.valid()) continue;
      const bool given = state_of(output).live_in >= 0;
      any = any || given;
      if (!given && (*context_.last_reader)[output] >= 0) return false;
    }
    return any;
  }

  /// The data of a value where planning knows it: folded, given, or a plain constant.
  const Tensor* known_of(ValueId id) {
    ValueState& value = state_of(id);
    return value.known ? &value.known : plain_data(value.constant.get());
  }

  Result<Next> plan_node(NodeId id) {
    const Node& node = graph_.node(id);
    if (is_given(node)) return Next::kContinue;
    if (node.op->is_control()) {
      stage_.control = id;
      return Next::kStopAfter;
    }
    if (runs_on_host(graph_, node)) return Next::kStopBefore;
    const NodeView view = view_node(node, [&](ValueId input) -> OperandView {
      const ValueState& value = state_of(input);
      return {value.typed ? &value.type : nullptr, known_of(input)};
    });
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.inputs[i].valid()) continue;
      const bool host_read = (node.op->input_flags(static_cast<int>(i)) & kHostRead) != 0;
      const bool missing = view.types[i] == nullptr || (host_read && view.values[i] == nullptr);
      if (missing) return Next::kStopBefore;
    }
    auto inferred = infer_types(view);
    if (!inferred) return inferred.error();
    InferContext& infer = *inferred;
    const bool data_dependent = node.op->has_trait(kDataDependent);
    for (std::size_t o = 0; o < infer.outputs.size(); ++o) {
      if (data_dependent) infer.outputs[o].shape = infer.bounds[o];
      if (node.outputs[o].valid() && !infer.outputs[o].bytes()) {
        return infer.fail("output " + std::to_string(o) + " has no size that can be planned, got " +
                          infer.outputs[o].to_string());
      }
    }
    auto folded = try_fold(node, infer);
    if (!folded) return folded.error();
    if (*folded) return Next::kContinue;
    if (!data_dependent) {
      auto viewed = is_transpose(*node.op) ? try_relabel(id, infer) : try_view(id, infer);
      if (!viewed) return viewed.error();
      if (*viewed) return Next::kContinue;
    }
    if (auto status = place(id, infer); !status) return status.error();
    return data_dependent ? Next::kStopAfter : Next::kContinue;
  }

  Result<bool> try_fold(const Node& node, const InferContext& infer) {
    if (!folds_on_host(*node.op, infer)) return false;
    auto outputs = fold_on_host(node, infer);
    if (!outputs) return outputs.error();
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      if (!node.outputs[o].valid()) continue;
      ValueState& value = state_of(node.outputs[o]);
      auto constant = std::make_shared<Constant>();
      constant->data = (*outputs)[o];
      constant->name = graph_.value(node.outputs[o]).name;
      value.type = (*outputs)[o].type();
      value.typed = value.produced = true;
      value.known = (*outputs)[o];
      value.constant = std::move(constant);
    }
    return true;
  }

  /// A value whose bytes may be read under another name: no constant, and no state, which a later
  /// node may overwrite.
  bool may_view(ValueId id) {
    const ValueState& value = state_of(id);
    if (value.constant || value.known) return false;
    if (value.homes.empty()) return value.live_in >= 0;
    const Operand& at = value.homes.front().at;
    const auto kind = stage_.storages[static_cast<std::size_t>(at.storage)].kind;
    return kind != Storage::Kind::kState;
  }

  /// A Transpose that only gives the axes other names: the output's homes are the input's, in other
  /// layouts.
  Result<bool> try_relabel(NodeId id, const InferContext& infer) {
    const Node& node = graph_.node(id);
    const ValueId input = node.inputs[0];
    if (!may_view(input)) return false;
    const auto& attrs = node.attrs_as<TransposeAttrs>();
    const Shape& shape = infer.inputs[0]->shape;
    if (state_of(input).homes.empty()) {
      if (!transposed_layout(attrs, shape, Layout::kRowMajor)) return false;
      auto at = builder_.bring(input, candidates(id).front(), Layout::kRowMajor, id);
      if (!at) return at.error();
    }
    std::vector<Home> homes;
    for (const Home& home : state_of(input).homes) {
      const auto layout = transposed_layout(attrs, shape, home.layout);
      if (layout) homes.push_back({home.device, *layout, home.at});
    }
    if (homes.empty()) return false;
    builder_.define(node.outputs[0], infer.outputs[0]);
    state_of(node.outputs[0]).homes = std::move(homes);
    return true;
  }

  /// Outputs that are runs of an input's row-major bytes (Reshape, Slice ...).
  Result<bool> try_view(NodeId id, const InferContext& infer) {
    const Node& node = graph_.node(id);
    if (node.op->view == nullptr) return false;
    const OwnedNodeTypes operands(infer);
    std::vector<ViewOf> views(node.outputs.size());
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      if (!node.outputs[o].valid()) continue;
      const auto view = node.op->view(operands.types(), static_cast<int>(o));
      if (!view || !may_view(node.inputs[static_cast<std::size_t>(view->index)])) return false;
      views[o] = *view;
    }
    // Nodes that can run on the bytes as they stand need no row-major form of them.
    const OfferedNode offered = offered_node(node, infer);
    if (preferred_layout(offered) != Layout::kRowMajor) return false;
    std::vector<Home> homes(node.outputs.size());
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      if (!node.outputs[o].valid()) continue;
      const ValueId base = node.inputs[static_cast<std::size_t>(views[o].index)];
      const ValueState& source = state_of(base);
      const DeviceIndex device =
          source.homes.empty() ? candidates(id).front() : row_major_device(source);
      const std::int64_t align = builder_.device_info(device).alignment_bytes;
      if (views[o].offset_bytes % align != 0) return false;
      auto at = builder_.bring(base, device, Layout::kRowMajor, id);
      if (!at) return at.error();
      homes[o] = {device, Layout::kRowMajor, *at};
      homes[o].at.offset += views[o].offset_bytes;
      homes[o].at.bytes = *infer.outputs[o].bytes();
      if (homes[o].at.offset % align != 0) return false;
    }
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      if (!node.outputs[o].valid()) continue;
      builder_.define(node.outputs[o], infer.outputs[o]);
      ValueState& state = state_of(node.outputs[o]);
      state.homes.push_back(homes[o]);
      state.viewed = node.inputs[static_cast<std::size_t>(views[o].index)];
      state.viewed_offset = views[o].offset_bytes;
    }
    return true;
  }

  /// The node as the choice of its layout sees it.
  OfferedNode offered_node(const Node& node, const InferContext& infer) {
    return {infer, wanted_outputs(node), [&](std::size_t i) -> InputHome {
              const Constant* constant = builder_.constant_of(node.inputs[i]).get();
              if (constant != nullptr) return {constant, Layout::kRowMajor};
              return {nullptr, builder_.made_in(node.inputs[i])};
            }};
  }

  /// Devices to try for a node, the wanted one first. A node on a state stays with the state.
  std::vector<DeviceIndex> candidates(NodeId id) {
    const Node& node = graph_.node(id);
    DeviceIndex wanted = context_.placement->node[id];
    bool pinned = false;
    for (ValueId input : node.inputs) {
      if (!input.valid() || state_of(input).homes.empty()) continue;
      const Home& home = state_of(input).homes.front();
      const Storage& storage = stage_.storages[static_cast<std::size_t>(home.at.storage)];
      if (storage.kind != Storage::Kind::kState) continue;
      wanted = home.device;
      pinned = pinned || node.op->has_trait(kStateful);
    }
    std::vector<DeviceIndex> out = {wanted};
    const auto count = static_cast<DeviceIndex>(context_.devices.size());
    for (DeviceIndex d = 0; d < count && !pinned; ++d) {
      if (d != wanted) out.push_back(d);
    }
    return out;
  }

  struct Chosen {
    DeviceIndex device = 0;
    std::shared_ptr<const Kernel> kernel;
    std::unique_ptr<const Offer> offer;
  };

  /// The first device, and on it the first layout, for which there is a kernel.
  Result<Chosen> choose(NodeId id, const OfferedNode& node) {
    std::vector<std::unique_ptr<const Offer>> offers;
    const Layout preferred = preferred_layout(node);
    if (preferred != Layout::kRowMajor) offers.push_back(std::make_unique<Offer>(node, preferred));
    offers.push_back(std::make_unique<Offer>(node, Layout::kRowMajor));
    std::string reasons;
    for (DeviceIndex d : candidates(id)) {
      for (auto& offer : offers) {
        auto kernel = builder_.device(d).select(offer->desc());
        if (kernel) {
          if ((*kernel)->rather_channels_last() && may_stand_otherwise(node)) {
            auto wished = std::make_unique<Offer>(node, Layout::kChannelsLast);
            auto better = builder_.device(d).select(wished->desc());
            if (better) return Chosen{d, better.take(), std::move(wished)};
          }
          return Chosen{d, kernel.take(), std::move(offer)};
        }
        if (kernel.error().code() != ErrorCode::kUnsupported) return kernel.error();
        if (offer == offers.back()) {
          reasons += "; " + builder_.device_info(d).id + ": " + kernel.error().message();
        }
      }
    }
    return Error::unsupported("[" + op_full_name(*node.op) + "] node '" + std::string(node.name) +
                              "': no device runs it" + reasons);
  }

  Status place(NodeId id, const InferContext& infer) {
    const Node& node = graph_.node(id);
    const OfferedNode offered = offered_node(node, infer);
    auto chosen = choose(id, offered);
    if (!chosen) return chosen.error();
    Launch launch;
    launch.node = id;
    launch.kernel = chosen->kernel;
    const DeviceIndex device = chosen->device;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      auto at = bind_input(id, i, *chosen);
      if (!at) return at.error();
      launch.inputs.push_back(*at);
    }
    if (auto status = make_writable(node, device, launch); !status) return status;
    builder_.next_step();
    for (const Operand& input : launch.inputs) builder_.touch(input);
    if (const std::int64_t bytes = launch.kernel->workspace_bytes(); bytes > 0) {
      launch.workspace = builder_.add_arena(device, bytes);
    }
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      if (!node.outputs[o].valid()) {
        launch.outputs.emplace_back();
        continue;
      }
      builder_.define(node.outputs[o], infer.outputs[o]);
      Operand at = required_alias(node, o, launch);
      if (at.storage < 0) at = builder_.add_arena(device, *infer.outputs[o].bytes());
      launch.outputs.push_back(at);
      state_of(node.outputs[o]).homes.push_back({device, chosen->offer->output_layout(o), at});
    }
    if (node.op->has_trait(kDataDependent)) add_dims(node, infer, device, launch);
    stage_.flops += launch.kernel->flops;
    stage_.bytes += launch.kernel->bytes;
    if (!elide_parts(*chosen->offer, device, launch)) {
      builder_.segment_on(device).launches.push_back(launch);
    }
    return Status::success();
  }

  Result<Operand> bind_input(NodeId id, std::size_t i, const Chosen& chosen) {
    const Node& node = graph_.node(id);
    const ValueId input = node.inputs[i];
    const int port = static_cast<int>(i);
    if (!input.valid() || (node.op->input_flags(port) & kHostRead) != 0 ||
        chosen.kernel->absorbs(port)) {
      return Operand{};
    }
    if (const auto& constant = builder_.constant_of(input)) {
      const auto& relabelled = chosen.offer->relabelled(i);
      return builder_.weight(input, relabelled ? relabelled : constant, port, chosen.device,
                             chosen.kernel);
    }
    return builder_.bring(input, chosen.device, chosen.offer->input_layout(i), id);
  }

  /// Sees to it that a node which writes an input in place changes nothing that others read: the
  /// bytes are the state's that it updates, with what is still read later put aside, or a copy.
  Status make_writable(const Node& node, DeviceIndex device, Launch& launch) {
    for (const InPlace& pair : node.op->inplace) {
      if (!pair.required) continue;
      const ValueId input = node.inputs[static_cast<std::size_t>(pair.input)];
      const ValueId output = node.outputs[static_cast<std::size_t>(pair.output)];
      Operand& at = launch.inputs[static_cast<std::size_t>(pair.input)];
      if (at.storage < 0) {
        return Error::unsupported("[" + op_full_name(*node.op) + "] node '" + node.name +
                                  "': input " + std::to_string(pair.input) +
                                  " is written, got a constant, wanted a state");
      }
      const bool read_later = (*context_.last_reader)[input] > position_;
      const bool state = root_of(stage_.storages, at).kind == Storage::Kind::kState;
      if (!state || !output.valid() || !same_chain(input, output)) {
        at = builder_.copy(at, device);
      } else if (read_later) {
        builder_.put_aside(input, device);
      }
    }
    return Status::success();
  }

  bool same_chain(ValueId input, ValueId output) {
    if (chains_.empty()) chains_ = state_chains(graph_);
    const std::int32_t chain = chains_[input];
    return chain >= 0 && chain == chains_[output];
  }

  static Operand required_alias(const Node& node, std::size_t output, const Launch& launch) {
    for (const InPlace& pair : node.op->inplace) {
      if (pair.required && pair.output == static_cast<int>(output)) {
        return launch.inputs[static_cast<std::size_t>(pair.input)];
      }
    }
    return {};
  }

  void add_dims(const Node& node, const InferContext& infer, DeviceIndex device, Launch& launch) {
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      const auto rank = static_cast<std::int64_t>(infer.outputs[o].shape.rank());
      Operand dims = builder_.add_arena(device, rank * 8);
      Storage& storage = stage_.storages[static_cast<std::size_t>(dims.storage)];
      storage.kind = Storage::Kind::kLiveOut;
      storage.readback = true;
      launch.outputs.push_back(dims);
      if (node.outputs[o].valid()) state_of(node.outputs[o]).dims_storage = dims.storage;
    }
  }

  /// Concat and its like: where every input can be produced in its place, nothing is launched.
  bool elide_parts(const Offer& offer, DeviceIndex device, const Launch& launch) {
    const NodeDesc desc = offer.desc();
    if (desc.op->part == nullptr) return false;
    const DescribedTypes described(desc);
    std::vector<Part> parts;
    for (std::size_t i = 0; i < desc.inputs.size(); ++i) {
      const auto part = desc.op->part(described.types(), static_cast<int>(i));
      if (!part) return false;
      if (part->offset_bytes % builder_.device_info(device).alignment_bytes != 0) return false;
      parts.push_back({launch.inputs[i], part->offset_bytes});
    }
    return merge_parts(stage_.storages, launch.outputs[0], parts);
  }

  bool lives_on(ValueId id) const {
    const auto last = (*context_.last_reader)[id];
    if (last >= static_cast<std::int64_t>(stage_.end)) return true;
    // The control node that ends the stage reads its inputs after the stage.
    return stage_.control.valid() && last == static_cast<std::int64_t>(stage_.end) - 1;
  }

  /// What leaves the stage is row-major.
  Status collect_live_out() {
    ValueFlags to_host = *context_.host_needed;
    if (context_.outputs_to_host) {
      for (ValueId id : graph_.outputs()) {
        const bool stays = context_.device_outputs != nullptr && (*context_.device_outputs)[id];
        to_host[id] = to_host[id] || !stays;
      }
    }
    for (ValueId id : graph_.value_ids()) {
      ValueState& value = state_of(id);
      if (!value.produced || !lives_on(id)) continue;
      LiveOut out;
      out.value = id;
      out.type = value.type;
      if (value.known) {
        out.host = value.known;
      } else {
        out.device = row_major_device(value);
        auto at = builder_.bring(id, out.device, Layout::kRowMajor, graph_.value(id).producer);
        if (!at) return at.error();
        out.at = *at;
        Storage& root = root_of(stage_.storages, out.at);
        if (root.kind == Storage::Kind::kArena) root.kind = Storage::Kind::kLiveOut;
        if (root.kind == Storage::Kind::kLiveOut && to_host[id]) root.readback = true;
        if (value.dims_storage >= 0) {
          out.dims = {value.dims_storage, -1, 0, 8 * value.type.shape.rank()};
        }
      }
      stage_.live_out.push_back(out);
    }
    return Status::success();
  }

  /// Where the value stands row-major, else where it was made.
  static DeviceIndex row_major_device(const ValueState& value) {
    for (const Home& home : value.homes) {
      if (same_order(value.type.shape, home.layout, Layout::kRowMajor)) return home.device;
    }
    return value.homes.front().device;
  }

  Result<Stage> finish() {
    if (auto status = collect_live_out(); !status) return status.error();
    spread_lifetimes(stage_.storages);
    merge_in_place(graph_, stage_);
    for (std::size_t d = 0; d < context_.devices.size(); ++d) {
      const DeviceInfo& info = context_.devices[d]->info();
      const auto device = static_cast<DeviceIndex>(d);
      const MemoryLimits limits{info.allocation_bytes_max, info.alignment_bytes};
      auto slabs = plan_memory(stage_.storages, device, limits);
      if (!slabs) return slabs.error().with_context(info.id);
      stage_.slab_bytes.push_back(slabs.take());
      std::int64_t upload = 0;
      for (Storage& storage : stage_.storages) {
        if (storage.kind != Storage::Kind::kUpload || storage.device != device) continue;
        storage.offset = upload;
        upload += (storage.bytes + info.alignment_bytes - 1) / info.alignment_bytes *
                  info.alignment_bytes;
      }
      stage_.upload_bytes.push_back(upload);
    }
    return std::move(stage_);
  }

  const PlanContext& context_;
  const Graph& graph_;
  StageBuilder builder_;
  Stage& stage_;  // the builder's
  std::int64_t position_ = 0;
  IdVector<ValueId, std::int32_t> chains_;  // state_chains(), where a node writes in place
};

}  // namespace

Result<Stage> plan_stage(const PlanContext& context, const Graph& graph, std::size_t begin,
                         std::vector<LiveIn> live_in) {
  return StagePlanner(context, graph, begin, std::move(live_in)).run();
}

}  // namespace polaris
