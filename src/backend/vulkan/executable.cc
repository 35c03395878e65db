#include "backend/vulkan/executable.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/checked.h"

namespace polaris::vulkan {
namespace {

constexpr std::size_t kRecordingsMax = 16;
// Command buffers that may wait in the queue; more are held back, so that a cancel takes effect.
constexpr std::uint64_t kAheadMax = 8;
constexpr std::size_t kPushWordsMax = 32;
constexpr std::int64_t kParamsBytesMin = 256;

/// Settles one launch against the segment's regions.
class LaunchBuilder {
 public:
  LaunchBuilder(Core& core, const LaunchDesc& launch, std::int32_t regions, std::int64_t params,
                std::int64_t params_bytes)
      : core_(core),
        launch_(launch),
        kernel_(static_cast<const VulkanKernel&>(*launch.kernel)),
        regions_(regions),
        params_(params),
        params_bytes_(params_bytes) {}

  Result<ReadyLaunch> build() {
    ReadyLaunch ready;
    for (std::size_t i = 0; i < launch_.inputs.size(); ++i) {
      if (!kernel_.absorbs(static_cast<int>(i))) add_access(launch_.inputs[i], ready.reads);
    }
    for (const OperandRef& output : launch_.outputs) add_access(output, ready.writes);
    add_access(launch_.workspace, ready.writes);
    for (const Dispatch& dispatch : kernel_.dispatches) {
      const bool empty = dispatch.grid[0] == 0 || dispatch.grid[1] == 0 || dispatch.grid[2] == 0;
      if (empty && !dispatch.indirect) continue;
      Result<ReadyDispatch> made = build_dispatch(dispatch);
      if (!made) return made.error();
      ready.dispatches.push_back(made.take());
    }
    return ready;
  }

 private:
  Error fail(std::string_view what) const {
    return Error::internal("[vulkan] kernel '" + std::string(kernel_.name()) + "' of node '" +
                           launch_.node_name + "': " + std::string(what));
  }

  void add_access(const OperandRef& ref, std::vector<RegionSpan>& list) const {
    if (ref.region >= 0 && ref.bytes > 0) list.push_back({ref.region, ref.offset, ref.bytes});
  }

  Result<ReadyDispatch> build_dispatch(const Dispatch& dispatch) {
    const PhysicalDevice& physical = core_.device->physical();
    if (dispatch.push.size() > kPushWordsMax) return fail("more than 128 bytes of push constants");
    for (const std::uint32_t size : dispatch.grid) {
      if (size > physical.target.group_count_max) return fail("a grid beyond the device's limit");
    }
    ReadyDispatch ready;
    ready.push = dispatch.push;
    ready.grid = dispatch.grid;
    ready.barrier_before = dispatch.barrier_before;
    ready.estimate_us = dispatch.estimate_us;
    for (const Operand& operand : dispatch.operands) {
      Result<RegionSpan> span = resolve(operand);
      if (!span) return span.error();
      if (span->bytes > physical.info.binding_bytes_max)
        return fail("an operand over the binding limit");
      ready.operands.push_back(*span);
    }
    if (dispatch.indirect) {
      Result<RegionSpan> span = resolve(*dispatch.indirect);
      if (!span) return span.error();
      if (span->bytes < 12) return fail("an indirect grid of less than 12 bytes");
      ready.indirect = *span;
    }
    Result<Pipeline> pipeline = core_.pipelines.get(dispatch);
    if (!pipeline) return pipeline.error();
    ready.pipeline = *pipeline;
    return ready;
  }

  Result<RegionSpan> resolve(const Operand& operand) const {
    OperandRef source;
    switch (operand.source) {
      case Operand::Source::kInput: source = at(launch_.inputs, operand.index); break;
      case Operand::Source::kOutput: source = at(launch_.outputs, operand.index); break;
      case Operand::Source::kWorkspace: source = launch_.workspace; break;
      case Operand::Source::kParams: source = {kParamsRegion, params_, params_bytes_}; break;
    }
    const std::int64_t left = source.bytes - operand.offset;
    const std::int64_t bytes = operand.bytes < 0 ? left : operand.bytes;
    if (bytes <= 0 || source.bytes <= 0) return RegionSpan{kParamsRegion, 0, kParamsBytesMin};
    if (operand.offset < 0 || bytes > left) return fail("an operand beyond its source's bytes");
    if (operand.source != Operand::Source::kParams &&
        (source.region < 0 || source.region >= regions_)) {
      return fail("an operand that is not bound");
    }
    return RegionSpan{source.region, source.offset + operand.offset, bytes};
  }

  static OperandRef at(const std::vector<OperandRef>& list, std::int32_t index) {
    return index >= 0 && static_cast<std::size_t>(index) < list.size()
               ? list[static_cast<std::size_t>(index)]
               : OperandRef{};
  }

  Core& core_;
  const LaunchDesc& launch_;
  const VulkanKernel& kernel_;
  std::int32_t regions_;
  std::int64_t params_;
  std::int64_t params_bytes_;
};

}  // namespace

Result<std::unique_ptr<VulkanExecutable>> VulkanExecutable::create(Core& core,
                                                                   const SegmentDesc& segment) {
  std::unique_ptr<VulkanExecutable> executable(new VulkanExecutable(core));
  const Status prepared = executable->prepare(segment);
  if (!prepared) return prepared.error().with_context(segment.name);
  return executable;
}

VulkanExecutable::~VulkanExecutable() {
  std::uint64_t last = 0;
  for (const Entry& entry : entries_) last = std::max(last, entry.recording->last_value);
  (void)core_.device->wait(last).ok();  // a lost device runs nothing
}

Status VulkanExecutable::prepare(const SegmentDesc& segment) {
  fixed_count_ = segment.fixed.size();
  regions_ = segment.fixed;
  regions_.resize(fixed_count_ + static_cast<std::size_t>(segment.run_regions));
  key_.resize(static_cast<std::size_t>(segment.run_regions));
  entries_.reserve(kRecordingsMax);
  const std::int64_t alignment = core_.device->physical().info.alignment_bytes;
  std::vector<std::byte> params(static_cast<std::size_t>(kParamsBytesMin));
  for (const LaunchDesc& launch : segment.launches) {
    const auto& kernel = static_cast<const VulkanKernel&>(*launch.kernel);
    const std::int64_t start = round_up(static_cast<std::int64_t>(params.size()), alignment);
    if (!kernel.params.empty()) {
      params.resize(static_cast<std::size_t>(start));
      params.insert(params.end(), kernel.params.begin(), kernel.params.end());
    }
    LaunchBuilder builder(core_, launch, static_cast<std::int32_t>(regions_.size()), start,
                          static_cast<std::int64_t>(kernel.params.size()));
    Result<ReadyLaunch> ready = builder.build();
    if (!ready) return ready.error();
    launches_.push_back(ready.take());
    kernels_.push_back(launch.kernel);
  }
  return upload_params(params);
}

Status VulkanExecutable::upload_params(const std::vector<std::byte>& params) {
  auto buffer =
      core_.memory.allocate(static_cast<std::int64_t>(params.size()), MemoryKind::kDevice, true);
  if (!buffer) return buffer.error();
  params_ = buffer.take();
  return core_.transfer.write({params_.get(), 0, params_->bytes()}, params.data());
}

Status VulkanExecutable::bind_regions(std::span<const BufferView> run) {
  if (run.size() != key_.size()) {
    return Error::internal("[vulkan] submit, got " + std::to_string(run.size()) +
                           " regions, wanted " + std::to_string(key_.size()));
  }
  for (std::size_t i = 0; i < run.size(); ++i) {
    regions_[fixed_count_ + i] = run[i];
    key_[i] = {run[i].buffer == nullptr ? 0 : run[i].buffer->id(), run[i].offset, run[i].bytes};
  }
  return Status::success();
}

Result<Recording*> VulkanExecutable::recording() {
  for (Entry& entry : entries_) {
    if (entry.key == key_) {
      entry.recording->used = ++clock_;
      return entry.recording.get();
    }
  }
  auto fresh = std::make_unique<Recording>(core_);
  const Status recorded = fresh->record(launches_, regions_, *params_, false);
  if (!recorded) return recorded.error();
  fresh->used = ++clock_;
  if (entries_.size() == kRecordingsMax) {
    const auto oldest = std::min_element(
        entries_.begin(), entries_.end(),
        [](const Entry& a, const Entry& b) { return a.recording->used < b.recording->used; });
    const Status idle = core_.device->wait(oldest->recording->last_value);
    if (!idle) return idle.error();
    entries_.erase(oldest);
  }
  entries_.push_back({key_, std::move(fresh)});
  return entries_.back().recording.get();
}

Result<Fence> VulkanExecutable::play(Recording& recording, const CancelToken* cancel) {
  LogicalDevice& device = *core_.device;
  const std::lock_guard lock(device.queue_mutex());
  std::uint64_t sent = 0;
  for (VkCommandBuffer commands : recording.commands()) {
    Status ready;
    if (sent >= kAheadMax) ready = device.wait(device.last_value() + 1 - kAheadMax);
    if (ready && cancel != nullptr && cancel->cancelled()) {
      // What was sent still uses the caller's buffers.
      ready = device.wait(device.last_value());
      if (ready) ready = Error::cancelled("[vulkan] stopped on request");
    }
    if (!ready) return ready.error();
    Result<std::uint64_t> value = device.submit(commands);
    if (!value) return value.error();
    recording.last_value = *value;
    ++sent;
  }
  core_.launches.fetch_add(static_cast<std::int64_t>(launches_.size()), std::memory_order_relaxed);
  return Fence{recording.last_value};
}

Result<Fence> VulkanExecutable::profile(const SubmitArgs& args) {
  Recording timed(core_);
  const bool clocked = core_.device->physical().timestamp_bits != 0;
  const Status recorded = timed.record(launches_, regions_, *params_, clocked);
  if (!recorded) return recorded.error();
  Result<Fence> fence = play(timed, args.cancel);
  const Status waited = core_.device->wait(core_.device->last_value());
  if (!fence) return fence.error();
  if (!waited) return waited.error();
  Result<std::vector<double>> times = timed.times(launches_.size());
  if (!times) return times.error();
  args.profile->clear();
  for (std::size_t i = 0; i < times->size(); ++i) {
    args.profile->push_back({static_cast<std::int32_t>(i), (*times)[i]});
  }
  return fence;
}

Result<Fence> VulkanExecutable::submit(const SubmitArgs& args) {
  const std::lock_guard lock(mutex_);
  const Status bound = bind_regions(args.regions);
  if (!bound) return bound.error();
  if (args.profile != nullptr) return profile(args);
  Result<Recording*> found = recording();
  if (!found) return found.error();
  return play(**found, args.cancel);
}

}  // namespace polaris::vulkan
