#include "session/control_values.h"

#include <algorithm>
#include <utility>

#include "ir/host_only.h"
#include "ir/scan_tensors.h"
#include "session/value_move.h"

namespace polaris {
namespace {

/// Parts of `part` elements along an axis without others before it are runs of bytes, which stay on
/// their device.
bool are_runs(const TensorType& type, int axis, std::int64_t part) {
  return type.shape.elements_between(0, axis) == 1 && fills_bytes(type.dtype, part);
}

}  // namespace

Result<Tensor> ControlValues::host(const ValueRef& value) { return to_host(runtime_, value); }

Result<ValueRef> ControlValues::leased(const TensorType& type, DeviceIndex device) {
  const std::int64_t bytes = type.bytes().value_or(0);
  auto lease =
      runtime_.memory(device).lease(std::max<std::int64_t>(bytes, 16), MemoryKind::kDevice);
  if (!lease) return lease.error();
  ValueRef out;
  out.type = type;
  out.device = device;
  out.lease = std::make_shared<Lease>(lease.take());
  out.view = {out.lease->buffer(), 0, bytes};
  return out;
}

Result<ValueRef> ControlValues::slice(const ValueRef& whole, int axis, std::int64_t index) {
  if (whole.device == kHost) {
    auto part = slice_tensor(whole.host, axis, index);
    if (!part) return part.error();
    return ValueRef::of(part.take());
  }
  ValueRef from = whole;
  from.type.shape.erase(axis);
  from.view.bytes = from.type.bytes().value_or(0);
  from.view.offset += index * from.view.bytes;
  return copy_to(runtime_, from, whole.device);
}

Result<ValueRef> ControlValues::stack(std::span<const ValueRef> parts, const TensorType& part,
                                      int axis) {
  const DeviceIndex device =
      parts.empty() || !are_runs(part, axis, part.shape.elements()) ? kHost : parts.front().device;
  if (device == kHost) {
    std::vector<Tensor> tensors;
    for (const ValueRef& one : parts) {
      auto host = to_host(runtime_, one);
      if (!host) return host.error();
      tensors.push_back(host.take());
    }
    auto out = stack_tensors(tensors, part, axis);
    if (!out) return Error(out.error().code(), label_ + out.error().message());
    return ValueRef::of(out.take());
  }
  TensorType whole = part;
  whole.shape.insert(axis, static_cast<std::int64_t>(parts.size()));
  if (!whole.bytes()) {
    return Error::invalid(label_ + "scan output " + whole.to_string() + " is too large");
  }
  auto out = leased(whole, device);
  if (!out) return out.error();
  const std::int64_t bytes = part.bytes().value_or(0);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const BufferView to{out->view.buffer, static_cast<std::int64_t>(p) * bytes, bytes};
    if (auto status = copy_into(runtime_, parts[p], device, to); !status) return status.error();
  }
  return out;
}

Status ControlValues::begin(const ControlView& view, const Graph& body,
                            std::span<ValueRef> operands) {
  const GraphInfo& info = program_.info(body);
  IdVector<ValueId, DeviceIndex> device(body.value_count(), kHost);
  for (auto at = body.order().rbegin(); at != body.order().rend(); ++at) {
    const Node& node = body.node(*at);
    for (ValueId input : node.inputs) {
      if (!input.valid()) continue;
      const bool on_host = node.op->is_control() || runs_on_host(body, node);
      device[input] = on_host ? kHost : info.placement.node[*at];
    }
  }
  const auto& inputs = view.regions[static_cast<std::size_t>(view.body)].inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto from = inputs[i].from;
    if (from == RegionInput::From::kRound || from == RegionInput::From::kTrue) continue;
    ValueRef& value = operands[static_cast<std::size_t>(inputs[i].operand)];
    const TensorType& type = value.type;
    if (is_host_only(type)) continue;
    if (from == RegionInput::From::kElement) {
      // Each slice would be read back where it does not lie in one piece.
      const auto axis = scan_axis(view, inputs[i].axis, type.shape.rank());
      if (!axis) return axis.error();
      const std::int64_t part = type.shape.elements_between(*axis + 1, type.shape.rank());
      if (value.device == kHost || are_runs(type, *axis, part)) continue;
      auto host = to_host(runtime_, value);
      if (!host) return host.error();
      value = ValueRef::of(host.take());
      continue;
    }
    const ValueId id = body.inputs()[i];
    if (value.device != kHost || device[id] == kHost || info.host_needed[id]) continue;
    if (!type.encoding.is_plain() || type.bytes().value_or(0) == 0) continue;
    auto moved = copy_to(runtime_, value, device[id]);
    if (!moved) return moved.error();
    value = moved.take();
  }
  return Status::success();
}

Status ControlValues::begin_round(std::int64_t) {
  return program_.cancelled() ? Status(Error::cancelled(label_ + "stopped on request"))
                              : Status::success();
}

}  // namespace polaris
