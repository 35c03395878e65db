#include "plan/stage_builder.h"

#include <algorithm>

#include "ir/builtin_op.h"
#include "ir/op_attrs/shape.h"
#include "plan/layout_choice.h"

namespace polaris {
namespace {

// Empty tensors still get an address.
constexpr std::int64_t kStorageBytesMin = 16;

/// The device's kernel that brings a value from one layout to another.
Result<std::shared_ptr<const Kernel>> relayout_kernel(const Device& device, const TensorType& type,
                                                      Layout from, Layout to) {
  TransposeAttrs attrs;
  attrs.perm = relayout_perm(type.shape.rank(), from, to);
  TensorType in = type;
  TensorType out = type;
  in.shape = physical_shape(type.shape, from);
  out.shape = physical_shape(type.shape, to);
  const OperandDesc inputs[] = {{in, Layout::kRowMajor, nullptr, true}};
  const OperandDesc outputs[] = {{out, Layout::kRowMajor, nullptr, true}};
  const Tensor* const values[] = {nullptr};
  return device.select({find_builtin_op("Transpose"), &attrs, "relayout", inputs, outputs, values});
}

}  // namespace

StageBuilder::StageBuilder(const PlanContext& context, const Graph& graph, std::size_t begin,
                           std::vector<LiveIn> live_in)
    : context_(context), graph_(graph), values_(graph.value_count()) {
  stage_.begin = begin;
  stage_.live_in = std::move(live_in);
  seed_live_in();
  seed_states();
  for (ValueId id : values_.ids()) {
    const Value& value = graph_.value(id);
    if (!value.constant) continue;
    values_[id].type = value.type;
    values_[id].typed = true;
    values_[id].constant = value.constant;
  }
}

void StageBuilder::seed_live_in() {
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
    add_home(live.value, live.device, Layout::kRowMajor,
             {add_storage(storage), -1, 0, storage.bytes});
  }
}

void StageBuilder::seed_states() {
  for (std::size_t s = 0; s < graph_.states().size(); ++s) {
    const ValueId read = graph_.states()[s].read;
    if (!read.valid()) continue;
    ValueState& value = state_of(read);
    if (value.live_in >= 0) continue;  // put aside: the state's bytes are written already
    value.type = context_.state_types[s];
    value.typed = true;
    Storage storage;
    storage.kind = Storage::Kind::kState;
    storage.device = context_.placement->state[s];
    storage.bytes = value.type.bytes().value_or(0);
    storage.index = static_cast<std::int32_t>(s);
    add_home(read, storage.device, Layout::kRowMajor, {add_storage(storage), -1, 0, storage.bytes});
  }
}

void StageBuilder::define(ValueId id, const TensorType& type) {
  ValueState& value = state_of(id);
  value.type = type;
  value.typed = value.produced = true;
}

const std::shared_ptr<const Constant>& StageBuilder::constant_of(ValueId id) {
  ValueState& value = state_of(id);
  if (value.known && !value.constant) {
    auto constant = std::make_shared<Constant>();
    constant->data = value.known;
    constant->name = graph_.value(id).name;
    value.constant = std::move(constant);
  }
  return value.constant;
}

std::int32_t StageBuilder::add_storage(Storage storage) {
  storage.first = storage.last = step_;
  stage_.storages.push_back(storage);
  return static_cast<std::int32_t>(stage_.storages.size()) - 1;
}

Operand StageBuilder::add_arena(DeviceIndex device, std::int64_t bytes) {
  Storage storage;
  storage.device = device;
  storage.bytes = std::max(bytes, kStorageBytesMin);
  return {add_storage(storage), -1, 0, bytes};
}

void StageBuilder::touch(const Operand& operand) {
  if (operand.storage < 0) return;
  Storage& storage = stage_.storages[static_cast<std::size_t>(operand.storage)];
  storage.last = std::max(storage.last, step_);
}

SegmentStep& StageBuilder::segment_on(DeviceIndex device) {
  if (!stage_.steps.empty()) {
    if (auto* last = std::get_if<SegmentStep>(&stage_.steps.back())) {
      if (last->device == device) return *last;
    }
  }
  stage_.steps.emplace_back(SegmentStep{device, {}});
  return std::get<SegmentStep>(stage_.steps.back());
}

Operand StageBuilder::weight(ValueId id, const std::shared_ptr<const Constant>& constant, int port,
                             DeviceIndex device, const std::shared_ptr<const Kernel>& kernel) {
  WeightUse use;
  use.device = device;
  use.constant = constant;
  use.layout = kernel->weight_layout(port);
  use.packer = kernel;
  use.input = port;
  use.bytes = use.layout.empty() ? static_cast<std::int64_t>(constant->data.bytes().size())
                                 : kernel->packed_bytes(port);
  use.of_graph = graph_.value(id).constant != nullptr;
  const auto key = std::make_tuple(constant.get(), device, use.layout);
  const auto [at, fresh] = weights_.emplace(key, static_cast<std::int32_t>(stage_.weights.size()));
  if (fresh) stage_.weights.push_back(use);
  return {-1, at->second, 0, use.bytes};
}

Layout StageBuilder::made_in(ValueId id) {
  const ValueState& value = state_of(id);
  if (value.homes.empty()) return Layout::kRowMajor;
  const Layout layout = value.homes.front().layout;
  return same_order(value.type.shape, layout, Layout::kRowMajor) ? Layout::kRowMajor : layout;
}

const Home* StageBuilder::find(ValueId id, DeviceIndex device, Layout layout) {
  const ValueState& value = state_of(id);
  for (const Home& home : value.homes) {
    if (home.device == device && same_order(value.type.shape, home.layout, layout)) return &home;
  }
  return nullptr;
}

Operand StageBuilder::add_home(ValueId id, DeviceIndex device, Layout layout, const Operand& at) {
  state_of(id).homes.push_back({device, layout, at});
  return at;
}

Operand StageBuilder::upload(ValueId id, DeviceIndex device) {
  const ValueState& value = state_of(id);
  const std::int64_t bytes = value.type.bytes().value_or(0);
  Storage storage;
  storage.kind = Storage::Kind::kUpload;
  storage.device = device;
  storage.bytes = std::max(bytes, kStorageBytesMin);
  storage.index = value.live_in;
  return add_home(id, device, Layout::kRowMajor, {add_storage(storage), -1, 0, bytes});
}

bool StageBuilder::is_on(ValueId id, DeviceIndex device) {
  return std::ranges::any_of(state_of(id).homes,
                             [&](const Home& home) { return home.device == device; });
}

std::optional<Operand> StageBuilder::from_host(ValueId id, DeviceIndex device) {
  const ValueState& value = state_of(id);
  if (value.live_in >= 0) {
    const auto& live = stage_.live_in[static_cast<std::size_t>(value.live_in)];
    if (live.device != kHost || value.produced) return std::nullopt;
    return upload(id, device);
  }
  if (!value.viewed.valid()) return std::nullopt;
  const std::int64_t offset = value.viewed_offset;
  const std::int64_t bytes = value.type.bytes().value_or(0);
  const Home* base = find(value.viewed, device, Layout::kRowMajor);
  auto at = base != nullptr ? std::optional(base->at) : from_host(value.viewed, device);
  if (!at || (at->offset + offset) % device_info(device).alignment_bytes != 0) return std::nullopt;
  at->offset += offset;
  at->bytes = bytes;
  return add_home(id, device, Layout::kRowMajor, *at);
}

Operand StageBuilder::transfer(ValueId id, const Home& from, DeviceIndex device) {
  const Home source = from;
  next_step();
  touch(source.at);
  const Operand at = add_arena(device, source.at.bytes);
  stage_.steps.emplace_back(TransferStep{source.device, device, source.at, at});
  return add_home(id, device, source.layout, at);
}

Operand StageBuilder::copy(const Operand& from, DeviceIndex device) {
  next_step();
  touch(from);
  const Operand at = add_arena(device, from.bytes);
  stage_.steps.emplace_back(TransferStep{device, device, from, at});
  return at;
}

void StageBuilder::put_aside(ValueId id, DeviceIndex device) {
  ValueState& value = state_of(id);
  const Home home = value.homes.front();
  value.homes.clear();
  add_home(id, device, home.layout, copy(home.at, device));
  value.produced = true;
}

Result<Operand> StageBuilder::relayout(ValueId id, DeviceIndex device, Layout layout,
                                       NodeId reader) {
  const ValueState& value = state_of(id);
  // On the device where there is one, else the first.
  Home from = value.homes.front();
  for (const Home& home : value.homes) {
    if (home.device == device) from = home;
  }
  auto kernel = relayout_kernel(this->device(device), value.type, from.layout, layout);
  if (!kernel) return kernel.error();
  if (from.device != device) {
    from.at = transfer(id, from, device);
    from.device = device;
  }
  next_step();
  touch(from.at);
  const Operand at = add_arena(device, from.at.bytes);
  Launch launch;
  launch.node = reader;
  launch.relayout = true;
  launch.kernel = kernel.take();
  launch.inputs = {from.at};
  launch.outputs = {at};
  stage_.bytes += launch.kernel->bytes;
  segment_on(device).launches.push_back(std::move(launch));
  return add_home(id, device, layout, at);
}

Result<Operand> StageBuilder::bring(ValueId id, DeviceIndex device, Layout layout, NodeId reader) {
  if (const Home* home = find(id, device, layout)) return home->at;
  if (state_of(id).homes.empty() || !is_on(id, device)) {
    if (const auto at = from_host(id, device); at && find(id, device, layout) != nullptr)
      return *at;
  }
  const auto& homes = state_of(id).homes;
  if (is_on(id, device)) {
    // Reordering on the device costs less than a way through the host.
    auto made = relayout(id, device, layout, reader);
    if (made || made.error().code() != ErrorCode::kUnsupported) return made;
  }
  const auto count = static_cast<DeviceIndex>(context_.devices.size());
  for (DeviceIndex d = 0; d < count; ++d) {
    if (const Home* home = find(id, d, layout)) return transfer(id, *home, device);
  }
  // Moved once and reordered where it is read, else on any device that can, its own first.
  std::vector<DeviceIndex> tries = {device};
  for (const Home& home : homes) tries.push_back(home.device);
  for (DeviceIndex d = 0; d < count; ++d) tries.push_back(d);
  Error reason = Error::internal("[plan] no device");
  for (DeviceIndex d : tries) {
    auto made = relayout(id, d, layout, reader);
    if (made) return d == device ? *made : transfer(id, *find(id, d, layout), device);
    reason = made.error();
    if (reason.code() != ErrorCode::kUnsupported) break;
  }
  return reason;
}

}  // namespace polaris
