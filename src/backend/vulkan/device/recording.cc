#include "backend/vulkan/device/recording.h"

#include <algorithm>
#include <string>

namespace polaris::vulkan {
namespace {

template <class Range>
bool overlaps(const std::vector<Range>& ranges, const Range& r) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& other) {
    return other.buffer == r.buffer && other.begin < r.end && r.begin < other.end;
  });
}

}  // namespace

int ReadyDispatch::outer() const {
  const auto& grid = source->grid;
  return grid[2] > 1 ? 2 : grid[1] > 1 ? 1 : 0;
}

std::uint32_t ReadyDispatch::parts_max() const {
  return indirect ? 1 : source->grid[static_cast<std::size_t>(outer())];
}

Recording::~Recording() {
  const DeviceApi& api = core_.device->api();
  if (descriptors_ != VK_NULL_HANDLE) {
    api.DestroyDescriptorPool(core_.device->handle(), descriptors_, nullptr);
  }
  if (queries_ != VK_NULL_HANDLE) {
    api.DestroyQueryPool(core_.device->handle(), queries_, nullptr);
  }
}

Result<std::uint64_t> Recording::send_unit(std::size_t unit) {
  return core_.device->submit_compute(units_[unit].commands);
}

Status Recording::open_pools() {
  const Status opened = pool_.open(core_.device->compute().family());
  if (!opened) return opened;
  const DeviceApi& api = core_.device->api();
  std::uint32_t sets = 0;
  std::uint32_t bindings = 0;
  for (const ReadyLaunch& launch : plan_.launches) {
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
  const VkResult result =
      api.CreateDescriptorPool(core_.device->handle(), &info, nullptr, &descriptors_);
  if (result != VK_SUCCESS) return vulkan_error("vkCreateDescriptorPool", result);
  return Status::success();
}

Status Recording::open_queries() {
  const bool can = core_.device->physical().timestamp_bits > 0;
  if (!can || plan_.stamps == Stamps::kNone) return Status::success();
  const std::size_t units = plan_.pieces.empty() ? 1 : plan_.pieces.back().unit + std::size_t{1};
  VkQueryPoolCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
  info.queryType = VK_QUERY_TYPE_TIMESTAMP;
  stamps_max_ =
      static_cast<std::uint32_t>(2 * (units + plan_.launches.size()) + plan_.pieces.size());
  info.queryCount = stamps_max_;
  const VkResult result =
      core_.device->api().CreateQueryPool(core_.device->handle(), &info, nullptr, &queries_);
  if (result != VK_SUCCESS) return vulkan_error("vkCreateQueryPool", result);
  return Status::success();
}

/// A mark of the time at which everything before it is done.
std::uint32_t Recording::stamp() {
  if (queries_ == VK_NULL_HANDLE) return 0;
  core_.device->api().CmdWriteTimestamp(commands(), VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries_,
                                        stamps_);
  return stamps_++;
}

Status Recording::begin_unit() {
  Result<VkCommandBuffer> commands = pool_.begin(false);
  if (!commands) return commands.error();
  const bool first = units_.empty();
  units_.push_back({*commands});
  core_.command_buffers.fetch_add(1, std::memory_order_relaxed);
  const DeviceApi& api = core_.device->api();
  if (first) {
    // What was submitted earlier may touch the same bytes.
    full_barrier(api, *commands);
    if (queries_ != VK_NULL_HANDLE) {
      api.CmdResetQueryPool(*commands, queries_, 0, stamps_max_);
    }
  }
  units_.back().first_stamp = stamp();
  return Status::success();
}

Status Recording::end_unit() {
  units_.back().last_stamp = stamp();
  return pool_.end(commands());
}

Status Recording::record(const Plan& plan) {
  plan_ = plan;
  Status status = open_pools();
  if (status) status = open_queries();
  if (status) status = begin_unit();
  for (std::size_t i = 0; status && i < plan.launches.size(); ++i) {
    status = record_launch(plan.launches[i]);
  }
  if (!status) return status;
  host_barrier(core_.device->api(), commands());
  return end_unit();
}

Result<Recording::Range> Recording::range_of(const RegionSpan& span) const {
  if (span.region == kParamsRegion) {
    return Range{plan_.params->handle(), span.offset, span.offset + span.bytes};
  }
  const BufferView& view = plan_.regions[static_cast<std::size_t>(span.region)];
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
  compute_barrier(core_.device->api(), commands());
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

Status Recording::record_launch(const ReadyLaunch& launch) {
  bool conflict = false;
  const Status noted = note(launch, conflict);
  if (!noted) return noted;
  const bool timed = plan_.stamps == Stamps::kLaunches;
  if (timed && !conflict) compute_barrier(core_.device->api(), commands());
  const std::uint32_t begin = timed ? stamp() : 0;
  bool first = true;
  for (const ReadyDispatch& dispatch : launch.dispatches) {
    if (!first && dispatch.source->barrier_before) {
      // What this launch's later dispatches touch is still open.
      barrier();
      const Status again = note(launch, conflict);
      if (!again) return again;
    }
    first = false;
    const Status recorded = record_pieces(dispatch);
    if (!recorded) return recorded;
  }
  if (timed) timed_.push_back({begin, stamp()});
  return Status::success();
}

Status Recording::record_pieces(const ReadyDispatch& dispatch) {
  Result<VkDescriptorSet> set = bind_operands(dispatch);
  if (!set) return set.error();
  const std::uint32_t number = plan_.pieces[next_piece_].dispatch;
  for (; next_piece_ < plan_.pieces.size(); ++next_piece_) {
    const DispatchPiece& piece = plan_.pieces[next_piece_];
    if (piece.dispatch != number) break;
    if (piece.unit >= units_.size()) {
      Status cut = end_unit();
      if (cut) cut = begin_unit();
      if (!cut) return cut;
    }
    const std::uint32_t before = stamps_ - 1;
    const Status gone = go(dispatch, piece, *set);
    if (!gone) return gone;
    units_.back().us += piece.us;
    if (plan_.stamps == Stamps::kDispatches) timed_.push_back({before, stamp()});
  }
  return Status::success();
}

Result<VkDescriptorSet> Recording::bind_operands(const ReadyDispatch& dispatch) {
  const DeviceApi& api = core_.device->api();
  VkDevice device = core_.device->handle();
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
  return set;
}

Status Recording::go(const ReadyDispatch& dispatch, const DispatchPiece& piece,
                     VkDescriptorSet set) {
  const DeviceApi& api = core_.device->api();
  const Dispatch& source = *dispatch.source;
  Pipeline pipeline = dispatch.pipeline;
  if (piece.parts > 1) {
    Result<Pipeline> split = core_.pipelines.get(source, true);
    if (!split) return split.error();
    pipeline = *split;
  }
  api.CmdBindPipeline(commands(), VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.handle);
  api.CmdBindDescriptorSets(commands(), VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout, 0, 1, &set,
                            0, nullptr);
  if (!source.push.empty()) {
    api.CmdPushConstants(commands(), pipeline.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                         static_cast<std::uint32_t>(source.push.size() * 4), source.push.data());
  }
  if (dispatch.indirect) {
    Result<Range> range = range_of(*dispatch.indirect);
    if (!range) return range.error();
    indirect_barrier(api, commands());
    api.CmdDispatchIndirect(commands(), range->buffer, static_cast<VkDeviceSize>(range->begin));
    return Status::success();
  }
  if (piece.parts == 1) {
    api.CmdDispatch(commands(), source.grid[0], source.grid[1], source.grid[2]);
    return Status::success();
  }
  std::array<std::uint32_t, 3> base = {0, 0, 0};
  std::array<std::uint32_t, 3> grid = source.grid;
  const auto outer = static_cast<std::size_t>(dispatch.outer());
  const std::uint64_t size = source.grid[outer];
  base[outer] = static_cast<std::uint32_t>(size * piece.part / piece.parts);
  grid[outer] = static_cast<std::uint32_t>(size * (piece.part + 1) / piece.parts) - base[outer];
  api.CmdDispatchBase(commands(), base[0], base[1], base[2], grid[0], grid[1], grid[2]);
  return Status::success();
}

double Recording::between(const std::vector<std::uint64_t>& ticks, std::uint32_t begin,
                          std::uint32_t end) const {
  const PhysicalDevice& physical = core_.device->physical();
  const std::uint32_t bits = physical.timestamp_bits;
  const std::uint64_t mask = bits >= 64 ? UINT64_MAX : (std::uint64_t{1} << bits) - 1;
  return static_cast<double>((ticks[end] - ticks[begin]) & mask) *
         static_cast<double>(physical.timestamp_period_ns) * 1e-3;
}

Result<Recording::Times> Recording::times() const {
  Times out;
  if (queries_ == VK_NULL_HANDLE || stamps_ == 0) return out;
  std::vector<std::uint64_t> ticks(stamps_);
  const VkResult result = core_.device->api().GetQueryPoolResults(
      core_.device->handle(), queries_, 0, stamps_, ticks.size() * sizeof(std::uint64_t),
      ticks.data(), sizeof(std::uint64_t), VK_QUERY_RESULT_64_BIT);
  if (result == VK_NOT_READY) return out;  // the run ended early
  if (result != VK_SUCCESS) return vulkan_error("vkGetQueryPoolResults", result);
  for (const Unit& unit : units_) {
    out.units.push_back(between(ticks, unit.first_stamp, unit.last_stamp));
  }
  for (const Interval& part : timed_) out.parts.push_back(between(ticks, part.begin, part.end));
  return out;
}

}  // namespace polaris::vulkan
