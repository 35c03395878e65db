#include "backend/vulkan/recording.h"

#include <algorithm>
#include <string>

namespace polaris::vulkan {
namespace {

// Other users of the card get their turn between command buffers.
constexpr double kCommandBufferUs = 50e3;

template <class Range>
bool overlaps(const std::vector<Range>& ranges, const Range& r) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& other) {
    return other.buffer == r.buffer && other.begin < r.end && r.begin < other.end;
  });
}

}  // namespace

Recording::~Recording() {
  const DeviceApi& api = core_.device->api();
  if (descriptors_ != VK_NULL_HANDLE) {
    api.DestroyDescriptorPool(core_.device->handle(), descriptors_, nullptr);
  }
  if (queries_ != VK_NULL_HANDLE) {
    api.DestroyQueryPool(core_.device->handle(), queries_, nullptr);
  }
}

Status Recording::open_pools(std::span<const ReadyLaunch> launches, bool timestamps) {
  const Status opened = pool_.open();
  if (!opened) return opened;
  const DeviceApi& api = core_.device->api();
  std::uint32_t sets = 0;
  std::uint32_t bindings = 0;
  for (const ReadyLaunch& launch : launches) {
    for (const ReadyDispatch& dispatch : launch.dispatches) {
      ++sets;
      bindings += static_cast<std::uint32_t>(dispatch.operands.size());
    }
  }
  if (sets == 0) return Status::success();
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, std::max(bindings, 1u)};
  VkDescriptorPoolCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
  info.maxSets = sets;
  info.poolSizeCount = 1;
  info.pPoolSizes = &size;
  VkResult result = api.CreateDescriptorPool(core_.device->handle(), &info, nullptr, &descriptors_);
  if (result != VK_SUCCESS) return vulkan_error("vkCreateDescriptorPool", result);
  if (!timestamps) return Status::success();
  VkQueryPoolCreateInfo queries{};
  queries.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
  queries.queryType = VK_QUERY_TYPE_TIMESTAMP;
  queries.queryCount = static_cast<std::uint32_t>(launches.size() * 2);
  result = api.CreateQueryPool(core_.device->handle(), &queries, nullptr, &queries_);
  if (result != VK_SUCCESS) return vulkan_error("vkCreateQueryPool", result);
  return Status::success();
}

Status Recording::begin_commands() {
  if (!commands_.empty()) {
    const Status ended = pool_.end(commands_.back());
    if (!ended) return ended;
  }
  Result<VkCommandBuffer> commands = pool_.begin(false);
  if (!commands) return commands.error();
  commands_.push_back(*commands);
  core_.command_buffers.fetch_add(1, std::memory_order_relaxed);
  open_us_ = 0;
  return Status::success();
}

Status Recording::record(std::span<const ReadyLaunch> launches, std::span<const BufferView> regions,
                         const VulkanBuffer& params, bool timestamps) {
  regions_ = regions;
  params_ = &params;
  const Status opened = open_pools(launches, timestamps);
  if (!opened) return opened;
  const DeviceApi& api = core_.device->api();
  const Status begun = begin_commands();
  if (!begun) return begun;
  // What was submitted earlier may touch the same bytes.
  full_barrier(api, commands_.back());
  if (timestamps && queries_ != VK_NULL_HANDLE) {
    api.CmdResetQueryPool(commands_.back(), queries_, 0,
                          static_cast<std::uint32_t>(launches.size() * 2));
  }
  for (std::size_t i = 0; i < launches.size(); ++i) {
    const Status recorded = record_launch(launches[i], timestamps && queries_ != VK_NULL_HANDLE,
                                          static_cast<std::uint32_t>(i));
    if (!recorded) return recorded;
  }
  host_barrier(api, commands_.back());
  return pool_.end(commands_.back());
}

Result<Recording::Range> Recording::range_of(const RegionSpan& span) const {
  if (span.region == kParamsRegion) {
    return Range{params_->handle(), span.offset, span.offset + span.bytes};
  }
  const BufferView& view = regions_[static_cast<std::size_t>(span.region)];
  if (view.buffer == nullptr || span.bytes > view.bytes || span.offset > view.bytes - span.bytes ||
      view.offset < 0 || view.bytes > view.buffer->bytes() - view.offset) {
    return Error::internal("[vulkan] region " + std::to_string(span.region) + ", got " +
                           std::to_string(view.buffer == nullptr ? 0 : view.bytes) +
                           " bytes, wanted " + std::to_string(span.offset + span.bytes));
  }
  const std::int64_t begin = view.offset + span.offset;
  if (begin % core_.device->physical().info.alignment_bytes != 0) {
    return Error::internal("[vulkan] an operand at byte " + std::to_string(begin) +
                           ", wanted a multiple of " +
                           std::to_string(core_.device->physical().info.alignment_bytes));
  }
  return Range{static_cast<const VulkanBuffer*>(view.buffer)->handle(), begin, begin + span.bytes};
}

void Recording::barrier() {
  compute_barrier(core_.device->api(), commands_.back());
  read_.clear();
  written_.clear();
}

Status Recording::note(const ReadyLaunch& launch, bool& conflict) {
  conflict = false;
  std::vector<Range> reads;
  std::vector<Range> writes;
  for (const RegionSpan& span : launch.reads) {
    Result<Range> range = range_of(span);
    if (!range) return range.error();
    conflict = conflict || overlaps(written_, *range);
    reads.push_back(*range);
  }
  for (const RegionSpan& span : launch.writes) {
    Result<Range> range = range_of(span);
    if (!range) return range.error();
    conflict = conflict || overlaps(written_, *range) || overlaps(read_, *range);
    writes.push_back(*range);
  }
  if (conflict) barrier();
  read_.insert(read_.end(), reads.begin(), reads.end());
  written_.insert(written_.end(), writes.begin(), writes.end());
  return Status::success();
}

Status Recording::record_launch(const ReadyLaunch& launch, bool timestamps, std::uint32_t index) {
  const DeviceApi& api = core_.device->api();
  bool conflict = false;
  const Status noted = note(launch, conflict);
  if (!noted) return noted;
  if (timestamps) {
    if (!conflict) compute_barrier(api, commands_.back());
    api.CmdWriteTimestamp(commands_.back(), VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries_,
                          index * 2);
  }
  bool first = true;
  for (const ReadyDispatch& dispatch : launch.dispatches) {
    if (open_us_ > 0 && open_us_ + dispatch.estimate_us > kCommandBufferUs) {
      const Status cut = begin_commands();
      if (!cut) return cut;
    }
    if (!first && dispatch.barrier_before) {
      // What this launch's later dispatches touch is still open.
      barrier();
      const Status again = note(launch, conflict);
      if (!again) return again;
    }
    first = false;
    const Status recorded = record_dispatch(dispatch);
    if (!recorded) return recorded;
    open_us_ += dispatch.estimate_us;
  }
  if (timestamps) {
    api.CmdWriteTimestamp(commands_.back(), VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries_,
                          index * 2 + 1);
  }
  return Status::success();
}

Status Recording::record_dispatch(const ReadyDispatch& dispatch) {
  const DeviceApi& api = core_.device->api();
  VkDevice device = core_.device->handle();
  VkCommandBuffer commands = commands_.back();
  VkDescriptorSetAllocateInfo allocate{};
  allocate.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
  allocate.descriptorPool = descriptors_;
  allocate.descriptorSetCount = 1;
  allocate.pSetLayouts = &dispatch.pipeline.set_layout;
  VkDescriptorSet set = VK_NULL_HANDLE;
  const VkResult result = api.AllocateDescriptorSets(device, &allocate, &set);
  if (result != VK_SUCCESS) return vulkan_error("vkAllocateDescriptorSets", result);
  const auto count = static_cast<std::uint32_t>(dispatch.operands.size());
  std::vector<VkDescriptorBufferInfo> buffers(count);
  std::vector<VkWriteDescriptorSet> writes(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Result<Range> range = range_of(dispatch.operands[i]);
    if (!range) return range.error();
    // Rounded up to words, which every buffer's rounded size covers.
    const std::int64_t bytes = (range->end - range->begin + 3) / 4 * 4;
    buffers[i] = {range->buffer, static_cast<VkDeviceSize>(range->begin),
                  static_cast<VkDeviceSize>(bytes)};
    writes[i].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    writes[i].dstSet = set;
    writes[i].dstBinding = i;
    writes[i].descriptorCount = 1;
    writes[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    writes[i].pBufferInfo = &buffers[i];
  }
  api.UpdateDescriptorSets(device, count, writes.data(), 0, nullptr);
  api.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, dispatch.pipeline.handle);
  api.CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, dispatch.pipeline.layout, 0,
                            1, &set, 0, nullptr);
  if (!dispatch.push.empty()) {
    api.CmdPushConstants(commands, dispatch.pipeline.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                         static_cast<std::uint32_t>(dispatch.push.size() * 4),
                         dispatch.push.data());
  }
  if (dispatch.indirect) {
    Result<Range> range = range_of(*dispatch.indirect);
    if (!range) return range.error();
    api.CmdDispatchIndirect(commands, range->buffer, static_cast<VkDeviceSize>(range->begin));
  } else {
    api.CmdDispatch(commands, dispatch.grid[0], dispatch.grid[1], dispatch.grid[2]);
  }
  return Status::success();
}

Result<std::vector<double>> Recording::times(std::size_t launches) const {
  std::vector<double> times(launches, 0.0);
  if (queries_ == VK_NULL_HANDLE || launches == 0) return times;
  std::vector<std::uint64_t> ticks(launches * 2);
  const VkResult result = core_.device->api().GetQueryPoolResults(
      core_.device->handle(), queries_, 0, static_cast<std::uint32_t>(ticks.size()),
      ticks.size() * sizeof(std::uint64_t), ticks.data(), sizeof(std::uint64_t),
      VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
  if (result != VK_SUCCESS) return vulkan_error("vkGetQueryPoolResults", result);
  const std::uint32_t bits = core_.device->physical().timestamp_bits;
  const std::uint64_t mask = bits >= 64 ? UINT64_MAX : (std::uint64_t{1} << bits) - 1;
  for (std::size_t i = 0; i < launches; ++i) {
    const std::uint64_t passed = (ticks[i * 2 + 1] - ticks[i * 2]) & mask;
    times[i] = static_cast<double>(passed) *
               static_cast<double>(core_.device->physical().timestamp_period_ns) * 1e-3;
  }
  return times;
}

}  // namespace polaris::vulkan
