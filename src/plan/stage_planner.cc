#include "plan/stage_planner.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "ir/evaluate.h"
#include "plan/memory.h"
#include "plan/storage_merge.h"

namespace polaris {
namespace {

// Integer shape arithmetic is small; anything larger is computed on a device.
constexpr std::int64_t kFoldElementsMax = 4096;
// Ops that only read host values (Range, ConstantOfShape) have no kernel: they fold at any size
// that memory could hold anyway.
constexpr std::int64_t kHostOpElementsMax = std::int64_t{1} << 26;
// Empty tensors still get an address.
constexpr std::int64_t kStorageBytesMin = 16;

struct Home {
  DeviceIndex device = 0;
  Operand at;
};

struct ValueState {
  TensorType type;
  bool typed = false;
  bool produced = false;                     // in this stage
  Tensor known;                              // data known while planning
  std::shared_ptr<const Constant> constant;  // graph constant, or made of `known`
  std::int32_t live_in = -1;
  std::int32_t state = -1;
  std::vector<Home> homes;
  std::int32_t dims_storage = -1;
};

enum class Next { kContinue, kStopBefore, kStopAfter };

class StagePlanner {
 public:
  StagePlanner(const PlanContext& context, const Graph& graph, std::size_t begin,
               std::vector<LiveIn> live_in)
      : context_(context), graph_(graph), values_(graph.value_count()) {
    stage_.begin = begin;
    stage_.live_in = std::move(live_in);
  }

  Result<Stage> run() {
    seed();
    std::size_t at = stage_.begin;
    for (; at < graph_.order().size(); ++at) {
      auto next = plan_node(graph_.order()[at]);
      if (!next) return next.error();
      if (*next == Next::kStopBefore) break;
      if (*next == Next::kStopAfter) {
        ++at;
        break;
      }
    }
    stage_.end = at;
    if (at == stage_.begin && at < graph_.order().size()) {
      return Error::internal("[plan] no progress at node '" + graph_.node(graph_.order()[at]).name +
                             "'");
    }
    return finish();
  }

 private:
  ValueState& state_of(ValueId id) { return values_[static_cast<std::size_t>(id.index)]; }
  const DeviceInfo& device_info(DeviceIndex d) const {
    return context_.devices[static_cast<std::size_t>(d)]->info();
  }

  void seed() {
    for (std::size_t i = 0; i < stage_.live_in.size(); ++i) {
      const LiveIn& live = stage_.live_in[i];
      ValueState& value = state_of(live.value);
      value.type = live.type;
      value.typed = true;
      value.known = live.known;
      value.live_in = static_cast<std::int32_t>(i);
      if (live.device == kHost) continue;
      Storage storage;
      storage.kind = Storage::Kind::kLiveIn;
      storage.device = live.device;
      storage.bytes = live.type.bytes().value_or(0);
      storage.index = static_cast<std::int32_t>(i);
      value.homes.push_back({live.device, {add_storage(storage), -1, 0, storage.bytes}});
    }
    for (std::size_t s = 0; s < graph_.states().size(); ++s) {
      const ValueId read = graph_.states()[s].read;
      if (!read.valid()) continue;
      ValueState& value = state_of(read);
      value.type = context_.state_types[s];
      value.typed = true;
      value.state = static_cast<std::int32_t>(s);
      Storage storage;
      storage.kind = Storage::Kind::kState;
      storage.device = context_.placement->state[s];
      storage.bytes = value.type.bytes().value_or(0);
      storage.index = static_cast<std::int32_t>(s);
      value.homes.push_back({storage.device, {add_storage(storage), -1, 0, storage.bytes}});
    }
    for (std::size_t v = 0; v < values_.size(); ++v) {
      const Value& value = graph_.value(ValueId{static_cast<std::int32_t>(v)});
      if (!value.constant) continue;
      values_[v].type = value.type;
      values_[v].typed = true;
      values_[v].constant = value.constant;
    }
  }

  std::int32_t add_storage(Storage storage) {
    storage.first = storage.last = step_;
    stage_.storages.push_back(storage);
    return static_cast<std::int32_t>(stage_.storages.size()) - 1;
  }

  Operand add_arena(DeviceIndex device, std::int64_t bytes) {
    Storage storage;
    storage.device = device;
    storage.bytes = std::max(bytes, kStorageBytesMin);
    return {add_storage(storage), -1, 0, bytes};
  }

  void touch(const Operand& operand) {
    if (operand.storage < 0) return;
    Storage& storage = stage_.storages[static_cast<std::size_t>(operand.storage)];
    storage.last = std::max(storage.last, step_);
  }

  /// The data of a value where planning knows it: folded, given, or a plain constant.
  const Tensor* known_of(ValueId id) {
    ValueState& value = state_of(id);
    if (value.known) return &value.known;
    if (value.constant && value.constant->data.type().encoding.is_plain()) {
      return &value.constant->data;
    }
    return nullptr;
  }

  Result<Next> plan_node(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op->has_trait(kControl)) {
      stage_.control = id;
      return Next::kStopAfter;
    }
    std::vector<const TensorType*> types;
    std::vector<const Tensor*> known;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId input = node.inputs[i];
      types.push_back(nullptr);
      known.push_back(nullptr);
      if (!input.valid()) continue;
      ValueState& value = state_of(input);
      if (!value.typed) return Next::kStopBefore;
      types.back() = &value.type;
      known.back() = known_of(input);
      const bool host_read = (node.op->input_flags(static_cast<int>(i)) & kHostRead) != 0;
      if (host_read && known.back() == nullptr) return Next::kStopBefore;
    }
    auto inferred = infer_types(*node.op, *node.attrs, node.name, types, known,
                                static_cast<int>(node.outputs.size()));
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
    if (!data_dependent && try_view(node, infer)) return Next::kContinue;
    if (auto status = place(id, infer); !status) return status.error();
    return data_dependent ? Next::kStopAfter : Next::kContinue;
  }

  static bool folds(const Node& node, const InferContext& infer) {
    if (!node.op->has_trait(kFoldable) || node.op->has_trait(kDataDependent)) return false;
    std::int64_t limit = kFoldElementsMax;
    bool host_only = true;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (infer.inputs[i] == nullptr) continue;
      if (node.op->has_trait(kTypeOnly)) continue;
      if (infer.values[i] == nullptr || infer.inputs[i]->shape.elements() > limit) return false;
      const auto flags = node.op->input_flags(static_cast<int>(i));
      host_only = host_only && (flags & kHostRead) != 0;
    }
    if (host_only && !node.op->has_trait(kTypeOnly)) limit = kHostOpElementsMax;
    for (const TensorType& type : infer.outputs) {
      if (type.shape.elements() > limit) return false;
    }
    return true;
  }

  Result<bool> try_fold(const Node& node, const InferContext& infer) {
    if (!folds(node, infer)) return false;
    std::vector<Tensor> shells;  // only the type is read; the bytes need not exist
    shells.reserve(node.inputs.size());
    std::vector<const Tensor*> inputs(infer.values.begin(), infer.values.end());
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (infer.inputs[i] == nullptr || !node.op->has_trait(kTypeOnly)) continue;
      inputs[i] =
          &shells.emplace_back(Tensor::view(*infer.inputs[i], {}, std::make_shared<const char>()));
    }
    auto outputs = evaluate_node(*node.op, *node.attrs, node.name, inputs,
                                 static_cast<int>(node.outputs.size()));
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

  /// Static types of a node's operands for views and costs.
  struct OwnedTypes {
    std::vector<TensorType> inputs;
    NodeTypes types;
  };
  static OwnedTypes node_types(const Node& node, const InferContext& infer) {
    OwnedTypes out;
    for (const TensorType* type : infer.inputs) out.inputs.push_back(type ? *type : TensorType{});
    out.types = {node.op, node.attrs.get(), out.inputs, infer.outputs, infer.values};
    return out;
  }

  bool try_view(const Node& node, const InferContext& infer) {
    if (node.op->view == nullptr) return false;
    const OwnedTypes owned = node_types(node, infer);
    std::vector<std::pair<ValueId, Home>> made;
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      if (!node.outputs[o].valid()) continue;
      NodeTypes types = owned.types;
      types.inputs = owned.inputs;
      const auto view = node.op->view(types, static_cast<int>(o));
      if (!view) return false;
      const ValueId base = node.inputs[static_cast<std::size_t>(view->index)];
      const ValueState& source = state_of(base);
      if (source.constant || source.homes.empty()) return false;
      Home home = source.homes.front();
      const auto kind = stage_.storages[static_cast<std::size_t>(home.at.storage)].kind;
      if (kind == Storage::Kind::kState) return false;
      home.at.offset += view->offset_bytes;
      home.at.bytes = *infer.outputs[o].bytes();
      if (home.at.offset % device_info(home.device).alignment_bytes != 0) return false;
      made.emplace_back(node.outputs[o], home);
    }
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o].valid()) define(node.outputs[o], infer.outputs[o]);
    }
    for (auto& [value, home] : made) state_of(value).homes.push_back(home);
    return true;
  }

  void define(ValueId id, const TensorType& type) {
    ValueState& value = state_of(id);
    value.type = type;
    value.typed = value.produced = true;
  }

  /// Devices to try for a node, the wanted one first. A node on a state stays with the state.
  std::vector<DeviceIndex> candidates(NodeId id) {
    const Node& node = graph_.node(id);
    DeviceIndex wanted = context_.placement->node[static_cast<std::size_t>(id.index)];
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
  };

  Result<Chosen> choose(NodeId id, const InferContext& infer) {
    const Node& node = graph_.node(id);
    std::vector<OperandDesc> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      OperandDesc desc;
      desc.present = infer.inputs[i] != nullptr;
      if (desc.present) {
        desc.type = *infer.inputs[i];
        desc.constant = state_of(node.inputs[i]).constant.get();
      }
      inputs.push_back(desc);
    }
    std::vector<OperandDesc> outputs;
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      outputs.push_back({infer.outputs[o], Layout::kRowMajor, nullptr, node.outputs[o].valid()});
    }
    if (node.op->has_trait(kDataDependent)) {
      for (std::size_t o = 0; o < node.outputs.size(); ++o) {
        const Shape dims{infer.outputs[o].shape.rank()};
        outputs.push_back({{DType::kI64, dims, {}}, Layout::kRowMajor, nullptr, true});
      }
    }
    const NodeDesc desc{node.op, node.attrs.get(), node.name, inputs, outputs, infer.values};
    std::string reasons;
    for (DeviceIndex d : candidates(id)) {
      auto kernel = context_.devices[static_cast<std::size_t>(d)]->select(desc);
      if (kernel) return Chosen{d, kernel.take()};
      if (kernel.error().code() != ErrorCode::kUnsupported) return kernel.error();
      reasons += "; " + device_info(d).id + ": " + kernel.error().message();
    }
    return Error::unsupported("[" + op_full_name(*node.op) + "] node '" + node.name +
                              "': no device runs it" + reasons);
  }

  Status place(NodeId id, const InferContext& infer) {
    const Node& node = graph_.node(id);
    auto chosen = choose(id, infer);
    if (!chosen) return chosen.error();
    Launch launch;
    launch.node = id;
    launch.kernel = chosen->kernel;
    const DeviceIndex device = chosen->device;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      launch.inputs.push_back(bind_input(node, i, *chosen));
    }
    ++step_;
    for (const Operand& input : launch.inputs) touch(input);
    if (const std::int64_t bytes = launch.kernel->workspace_bytes(); bytes > 0) {
      launch.workspace = add_arena(device, bytes);
    }
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      if (!node.outputs[o].valid()) {
        launch.outputs.emplace_back();
        continue;
      }
      define(node.outputs[o], infer.outputs[o]);
      Operand at = required_alias(node, o, launch);
      if (at.storage < 0) at = add_arena(device, *infer.outputs[o].bytes());
      launch.outputs.push_back(at);
      state_of(node.outputs[o]).homes.push_back({device, at});
    }
    if (node.op->has_trait(kDataDependent)) add_dims(node, infer, device, launch);
    stage_.flops += launch.kernel->flops;
    stage_.bytes += launch.kernel->bytes;
    if (!elide_parts(node, infer, device, launch)) segment_on(device).launches.push_back(launch);
    return Status::success();
  }

  Operand bind_input(const Node& node, std::size_t i, const Chosen& chosen) {
    const ValueId input = node.inputs[i];
    const int port = static_cast<int>(i);
    if (!input.valid() || (node.op->input_flags(port) & kHostRead) != 0 ||
        chosen.kernel->absorbs(port)) {
      return {};
    }
    ValueState& value = state_of(input);
    if (value.known && !value.constant) {
      auto constant = std::make_shared<Constant>();
      constant->data = value.known;
      constant->name = graph_.value(input).name;
      value.constant = std::move(constant);
    }
    if (value.constant) return weight_operand(value.constant, port, chosen);
    return operand_on(input, chosen.device);
  }

  Operand weight_operand(const std::shared_ptr<const Constant>& constant, int port,
                         const Chosen& chosen) {
    WeightUse use;
    use.device = chosen.device;
    use.constant = constant;
    use.layout = chosen.kernel->weight_layout(port);
    use.packer = chosen.kernel;
    use.input = port;
    use.bytes = use.layout.empty() ? static_cast<std::int64_t>(constant->data.bytes().size())
                                   : chosen.kernel->packed_bytes(port);
    const auto key = std::make_tuple(constant.get(), chosen.device, use.layout);
    const auto [at, fresh] =
        weights_.emplace(key, static_cast<std::int32_t>(stage_.weights.size()));
    if (fresh) stage_.weights.push_back(use);
    return {-1, at->second, 0, use.bytes};
  }

  /// The value's bytes on `device`, brought there if they are elsewhere.
  Operand operand_on(ValueId id, DeviceIndex device) {
    ValueState& value = state_of(id);
    for (const Home& home : value.homes) {
      if (home.device == device) return home.at;
    }
    const std::int64_t bytes = value.type.bytes().value_or(0);
    Operand at;
    if (value.homes.empty()) {
      Storage storage;
      storage.kind = Storage::Kind::kUpload;
      storage.device = device;
      storage.bytes = std::max(bytes, kStorageBytesMin);
      storage.index = value.live_in;
      at = {add_storage(storage), -1, 0, bytes};
    } else {
      ++step_;
      const Home from = value.homes.front();
      touch(from.at);
      at = add_arena(device, bytes);
      stage_.steps.emplace_back(TransferStep{from.device, device, from.at, at});
    }
    value.homes.push_back({device, at});
    return at;
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
      Operand dims = add_arena(device, rank * 8);
      Storage& storage = stage_.storages[static_cast<std::size_t>(dims.storage)];
      storage.kind = Storage::Kind::kLiveOut;
      storage.readback = true;
      launch.outputs.push_back(dims);
      if (node.outputs[o].valid()) state_of(node.outputs[o]).dims_storage = dims.storage;
    }
  }

  /// Concat and its like: where every input can be produced in its place, nothing is launched.
  bool elide_parts(const Node& node, const InferContext& infer, DeviceIndex device,
                   const Launch& launch) {
    if (node.op->part == nullptr) return false;
    const OwnedTypes owned = node_types(node, infer);
    NodeTypes types = owned.types;
    types.inputs = owned.inputs;
    std::vector<Part> parts;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto part = node.op->part(types, static_cast<int>(i));
      if (!part) return false;
      const std::int64_t align = device_info(device).alignment_bytes;
      if (part->offset_bytes % align != 0) return false;
      parts.push_back({launch.inputs[i], part->offset_bytes});
    }
    return merge_parts(stage_.storages, launch.outputs[0], parts);
  }

  SegmentStep& segment_on(DeviceIndex device) {
    if (!stage_.steps.empty()) {
      if (auto* last = std::get_if<SegmentStep>(&stage_.steps.back())) {
        if (last->device == device) return *last;
      }
    }
    stage_.steps.emplace_back(SegmentStep{device, {}});
    return std::get<SegmentStep>(stage_.steps.back());
  }

  bool lives_on(ValueId id) const {
    const auto last = (*context_.last_reader)[static_cast<std::size_t>(id.index)];
    if (last >= static_cast<std::int64_t>(stage_.end)) return true;
    // The control node that ends the stage reads its inputs after the stage.
    return stage_.control.valid() && last == static_cast<std::int64_t>(stage_.end) - 1;
  }

  void collect_live_out() {
    for (std::size_t v = 0; v < values_.size(); ++v) {
      const ValueId id{static_cast<std::int32_t>(v)};
      ValueState& value = values_[v];
      if (!value.produced || !lives_on(id)) continue;
      LiveOut out;
      out.value = id;
      out.type = value.type;
      if (value.known) {
        out.host = value.known;
      } else {
        out.device = value.homes.front().device;
        out.at = value.homes.front().at;
        Storage& root = root_of(stage_.storages, out.at);
        const bool to_host =
            (context_.outputs_to_host && graph_.is_output(id)) || (*context_.host_needed)[v];
        if (root.kind == Storage::Kind::kArena) root.kind = Storage::Kind::kLiveOut;
        if (root.kind == Storage::Kind::kLiveOut && to_host) root.readback = true;
        if (value.dims_storage >= 0) {
          out.dims = {value.dims_storage, -1, 0, 8 * value.type.shape.rank()};
        }
      }
      stage_.live_out.push_back(out);
    }
  }

  Result<Stage> finish() {
    collect_live_out();
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
  std::vector<ValueState> values_;
  Stage stage_;
  std::map<std::tuple<const Constant*, DeviceIndex, std::string>, std::int32_t> weights_;
  std::int32_t step_ = 0;
};

}  // namespace

Result<Stage> plan_stage(const PlanContext& context, const Graph& graph, std::size_t begin,
                         std::vector<LiveIn> live_in) {
  return StagePlanner(context, graph, begin, std::move(live_in)).run();
}

}  // namespace polaris
