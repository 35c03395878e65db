#include "sim/launch_timer.h"

#include <algorithm>
#include <utility>

#include "backend/vulkan/shader_blobs.h"
#include "sim/dispatch_timer.h"

namespace polaris::gcn {
namespace {

const vulkan::VulkanKernel& kernel_of(const polaris::Launch& launch) {
  return static_cast<const vulkan::VulkanKernel&>(*launch.kernel);
}

}  // namespace

std::vector<std::byte> filled(std::int64_t bytes) {
  std::vector<std::byte> out(static_cast<std::size_t>((bytes + 3) / 4 * 4));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::byte>(i % 4 == 3 ? 0 : (i * 7 + i / 256) % 64);
  }
  return out;
}

std::span<const std::byte> LaunchTimer::given(const polaris::Operand& operand) const {
  if (operand.storage < 0) return {};
  const polaris::Operand root = stage_.resolve(operand);
  const Storage& storage = stage_.storages[static_cast<std::size_t>(root.storage)];
  if (storage.kind != Storage::Kind::kUpload && storage.kind != Storage::Kind::kLiveIn) return {};
  const auto input = static_cast<std::size_t>(storage.index);
  if (input >= inputs_.size() || !inputs_[input]) return {};
  const std::span<const std::byte> whole = inputs_[input].bytes();
  if (root.offset + operand.bytes > static_cast<std::int64_t>(whole.size())) return {};
  return whole.subspan(static_cast<std::size_t>(root.offset),
                       static_cast<std::size_t>(operand.bytes));
}

LaunchTimer::Bytes LaunchTimer::make(const polaris::Launch& launch) const {
  Bytes out;
  const auto block = [&](std::int64_t bytes) {
    std::vector<std::byte>& made = out.blocks.emplace_back(filled(bytes));
    return std::span(made.data(), static_cast<std::size_t>(bytes));
  };
  out.blocks.reserve(launch.inputs.size() + launch.outputs.size() + 3);
  for (const polaris::Operand& input : launch.inputs) {
    const bool absent = input.storage < 0 && input.weight < 0;
    out.operands.inputs.push_back(absent ? std::span<std::byte>() : block(input.bytes));
    const std::span<const std::byte> host = given(input);
    std::copy(host.begin(), host.end(), out.operands.inputs.back().begin());
  }
  for (const polaris::Operand& output : launch.outputs) {
    out.operands.outputs.push_back(block(output.bytes));
  }
  out.operands.workspace = block(launch.workspace.bytes);
  const auto& params = kernel_of(launch).params;
  out.operands.params = block(static_cast<std::int64_t>(params.size()));
  std::copy(params.begin(), params.end(), out.operands.params.begin());
  out.operands.status = block(4);
  return out;
}

/// A grid that the kernel's own earlier dispatches write follows from them, so that their keys are
/// part of this one.
Hash128 LaunchTimer::key(const polaris::Launch& launch, std::size_t dispatch) const {
  Hasher hasher;
  hasher.add_text(programs_.mesa());
  hasher.add_text(options_.chip.name);
  hasher.add_text(std::to_string(options_.chip.mhz));
  hasher.add_i64(options_.instructions_max);
  const auto& dispatches = kernel_of(launch).dispatches;
  std::size_t first = dispatch;
  while (first > 0 && dispatches[dispatch].indirect) --first;
  for (std::size_t d = first; d <= dispatch; ++d) {
    const vulkan::Dispatch& one = dispatches[d];
    const std::span<const std::uint32_t> words = vulkan::find_shader(one.shader);
    hasher.add(std::as_bytes(words));
    hasher.add(std::as_bytes(std::span(one.constants)));
    hasher.add_i64(static_cast<std::int64_t>(one.push.size()));
    hasher.add(std::as_bytes(std::span(one.push)));
    for (const std::uint32_t size : one.grid) hasher.add_i64(size);
    for (const vulkan::Operand& operand : one.operands) {
      hasher.add_i64(static_cast<std::int64_t>(operand.source));
      hasher.add_i64(operand.index);
      hasher.add_i64(operand.offset);
      hasher.add_i64(operand.bytes);
    }
  }
  for (const auto* operands : {&launch.inputs, &launch.outputs}) {
    for (const polaris::Operand& operand : *operands) {
      hasher.add_i64(operand.bytes);
      hasher.add(given(operand));
    }
  }
  hasher.add_i64(launch.workspace.bytes);
  hasher.add(kernel_of(launch).params);
  return hasher.finish();
}

Result<DispatchTime> LaunchTimer::simulated(const polaris::Launch& launch, std::size_t dispatch) {
  Bytes bytes = make(launch);
  auto timed = time_dispatch(programs_, kernel_of(launch), dispatch, bytes.operands, options_);
  if (!timed) return timed.error();
  if (timed->program == nullptr) return DispatchTime{0, 0, 0, "nothing"};
  const Timing& timing = timed->timing;
  return DispatchTime{timing.us, timing.share, timing.dram_bytes, timing.bound};
}

Result<std::vector<DispatchTime>> LaunchTimer::time(const polaris::Launch& launch) {
  std::vector<DispatchTime> out;
  for (std::size_t d = 0; d < kernel_of(launch).dispatches.size(); ++d) {
    const Hash128 name = key(launch, d);
    if (const DispatchTime* kept = cache_.find(name)) {
      out.push_back(*kept);
      continue;
    }
    auto made = simulated(launch, d);
    if (!made) return made.error();
    cache_.put(name, *made);
    out.push_back(made.take());
  }
  return out;
}

}  // namespace polaris::gcn
