#include "backend/vulkan/device/executable.h"

#include <algorithm>
#include <string>
#include <utility>

#include "backend/vulkan/device/turn_request.h"
#include "base/checked.h"

namespace polaris::vulkan {
namespace {

constexpr std::size_t kRecordingsMax = 16;
// Units are cut below the most that they may take: no two runs take the same time, and on a
// software rasterizer those beside somebody else's host work take up to half as long again.
constexpr double kUnitUs = 0.5 * Device::kUnitUs;
constexpr double kGoodUnitUs = 0.65 * Device::kUnitUs;
// As long as nothing was measured.
constexpr double kGuessedUnitUs = kUnitUs / 4;
// Units beyond this are cut anew though nobody waits for them, as the next may.
constexpr double kFarTooLong = 4 * Device::kUnitUs;
// Units that come out this much shorter than they could be are cut anew.
constexpr double kTooShort = 0.125;
// Where units grow too long later on, they are cut anew so often.
constexpr int kCorrectionsMax = 4;
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
    add_access(launch_.status, ready.writes);
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
    ready.source = &dispatch;
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
      case Operand::Source::kStatus: source = launch_.status; break;
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
  // What a run under way names lives on; weights too, whoever lets go of them next.
  if (last_number_ != 0) {
    for (std::size_t i = 0; i < fixed_count_; ++i) {
      static_cast<VulkanBuffer*>(regions_[i].buffer)->note_turn(last_number_);
    }
    params_->note_turn(last_number_);
  }
  forget_recordings();
}

void VulkanExecutable::forget_recordings() {
  for (Entry& entry : entries_) {
    const std::uint64_t last = entry.recording->last_number;
    core_.memory.retirer().retire(std::move(entry.recording), {last, 0});
  }
  entries_.clear();
  studied_ = nullptr;
}

Status VulkanExecutable::prepare(const SegmentDesc& segment) {
  fixed_count_ = segment.fixed.size();
  regions_ = segment.fixed;
  regions_.resize(fixed_count_ + static_cast<std::size_t>(segment.run_regions));
  key_.resize(static_cast<std::size_t>(segment.run_regions));
  entries_.reserve(kRecordingsMax);
  std::vector<const Dispatch*> dispatches;
  for (const LaunchDesc& launch : segment.launches) {
    for (const Dispatch& d : static_cast<const VulkanKernel&>(*launch.kernel).dispatches) {
      dispatches.push_back(&d);
    }
  }
  if (auto made = core_.pipelines.prepare(dispatches); !made) return made;
  const std::int64_t alignment = core_.device->physical().info.alignment_bytes;
  params_bytes_.resize(static_cast<std::size_t>(kParamsBytesMin));
  for (const LaunchDesc& launch : segment.launches) {
    const auto& kernel = static_cast<const VulkanKernel&>(*launch.kernel);
    const auto start = round_up(static_cast<std::int64_t>(params_bytes_.size()), alignment);
    if (!kernel.params.empty()) {
      params_bytes_.resize(static_cast<std::size_t>(start));
      params_bytes_.insert(params_bytes_.end(), kernel.params.begin(), kernel.params.end());
    }
    LaunchBuilder builder(core_, launch, static_cast<std::int32_t>(regions_.size()), start,
                          static_cast<std::int64_t>(kernel.params.size()));
    Result<ReadyLaunch> ready = builder.build();
    if (!ready) return ready.error();
    launches_.push_back(ready.take());
    kernels_.push_back(launch.kernel);
    names_.push_back(launch.node_name);
  }
  contended_ = core_.turns.contended();
  scale_ = core_.estimate_scale.load();
  for (const ReadyLaunch& launch : launches_) {
    for (const ReadyDispatch& dispatch : launch.dispatches) {
      const bool splits = core_.device->physical().splits_kernels;
      costs_.push_back({dispatch.source->estimate_us * scale_, splits ? dispatch.parts_max() : 1u});
    }
  }
  if (core_.unit_us > 0) {
    knowledge_ = Knowledge::kSettled;
    cut(core_.unit_us, true);
  } else {
    cut(kGuessedUnitUs, false);
  }
  auto buffer = core_.memory.allocate(static_cast<std::int64_t>(params_bytes_.size()),
                                      MemoryKind::kDevice, true);
  if (!buffer) return buffer.error();
  params_ = buffer.take();
  return upload_params();
}

void VulkanExecutable::cut(double unit_us, bool split) {
  pieces_ = cut_units(costs_, unit_us, split);
}

Status VulkanExecutable::upload_params() {
  const auto written =
      core_.transfer.write({params_.get(), 0, params_->bytes()}, params_bytes_.data(), {});
  return written ? core_.wait(*written) : Status(written.error());
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

/// Looks at the first run that ended since, and corrects how runs are cut.
void VulkanExecutable::learn() {
  if (studied_ == nullptr || studied_->last_number == 0) return;
  if (!core_.turns.done(studied_->last_number)) return;
  if (core_.turns.failed(studied_->last_number)) return;  // the next may tell
  const Result<Recording::Times> times = studied_->times();
  if (!times || times->units.empty()) return;
  // The first run is a warm-up: drivers may compile in it.
  if (!std::exchange(warm_, true)) return;
  studied_ = nullptr;
  if (knowledge_ == Knowledge::kTiming) {
    learn_dispatches(*times);
  } else {
    learn_units(*times);
  }
}

void VulkanExecutable::learn_units(const Recording::Times& times) {
  double estimated = 0;
  double measured = 0;
  for (const DispatchCost& cost : costs_) estimated += cost.us;
  for (const double us : times.units) measured += us;
  const double longest = *std::max_element(times.units.begin(), times.units.end());
  if (knowledge_ == Knowledge::kSettled)
    return correct(times.units.size(), longest, measured / estimated);
  if (estimated > 0 && measured > 0 && scale_ > 0) {
    // What later plans are cut by at first; each plan has one voice.
    const double found = std::exchange(scale_, 0.0) * measured / estimated;
    core_.estimate_scale.store((core_.estimate_scale.load() + found) / 2);
  }
  const auto count = static_cast<double>(times.units.size());
  const bool too_short = count > 1 && measured / count < kTooShort * kUnitUs;
  if (longest <= kGoodUnitUs && !too_short) {
    knowledge_ = Knowledge::kSettled;
    return note_units(times.units.size(), longest);
  }
  // A plan that keeps nobody waiting stays recorded as it is.
  if (core_.turns.contended() == contended_ && longest <= kFarTooLong) {
    studied_ = entries_.back().recording.get();
    return;
  }
  knowledge_ = Knowledge::kTiming;
  for (DispatchCost& cost : costs_) cost.us *= estimated > 0 ? measured / estimated : 1;
  cut(kUnitUs, false);
  forget_recordings();
}

/// A plan of one unit that is not to be cut has nothing more to tell, and stamps cost a small model
/// some percent of each run: the next recordings go without.
void VulkanExecutable::note_units(std::size_t units, double longest_us) {
  core_.note_unit(longest_us);
  if (units > 1) return;
  untimed_ = true;
  forget_recordings();
}

/// Several units that were cut by what was measured took other times than that: a busier machine,
/// other data. One unit alone cannot be helped.
void VulkanExecutable::correct(std::size_t units, double longest_us, double ratio) {
  note_units(units, longest_us);
  if (entries_.empty() || entries_.back().recording->unit_count() < 2) return;
  if (longest_us > Device::kUnitUs && corrections_ < kCorrectionsMax) {
    ++corrections_;
    for (DispatchCost& cost : costs_) cost.us *= std::max(ratio, longest_us / Device::kUnitUs);
    cut(kUnitUs, true);
    forget_recordings();
  } else {
    studied_ = entries_.back().recording.get();
  }
}

void VulkanExecutable::learn_dispatches(const Recording::Times& times) {
  if (times.parts.size() != costs_.size()) return;
  for (std::size_t i = 0; i < costs_.size(); ++i) costs_[i].us = times.parts[i];
  knowledge_ = Knowledge::kSettled;
  cut(kUnitUs, true);
  forget_recordings();
  std::size_t dispatch = 0;
  for (std::size_t l = 0; l < launches_.size(); ++l) {
    for (std::size_t d = 0; d < launches_[l].dispatches.size(); ++d, ++dispatch) {
      const double piece = costs_[dispatch].us / costs_[dispatch].parts_max;
      if (piece > Device::kUnitUs) {
        core_.note_slow(names_[l], kernels_[l]->name(), piece);
      }
    }
  }
}

Stamps VulkanExecutable::wanted_stamps() const {
  if (knowledge_ == Knowledge::kTiming) return Stamps::kDispatches;
  return untimed_ ? Stamps::kNone : Stamps::kUnits;
}

Result<Recording*> VulkanExecutable::recording() {
  for (Entry& entry : entries_) {
    if (entry.key == key_) {
      entry.recording->used = ++clock_;
      return entry.recording.get();
    }
  }
  auto fresh = std::make_unique<Recording>(core_);
  const Stamps stamps = wanted_stamps();
  const Status recorded = fresh->record({launches_, pieces_, regions_, params_.get(), stamps});
  if (!recorded) return recorded.error();
  fresh->used = ++clock_;
  if (entries_.size() == kRecordingsMax) {
    const auto oldest = std::min_element(
        entries_.begin(), entries_.end(),
        [](const Entry& a, const Entry& b) { return a.recording->used < b.recording->used; });
    if (oldest->recording.get() == studied_) studied_ = nullptr;
    const std::uint64_t last = oldest->recording->last_number;
    core_.memory.retirer().retire(std::move(oldest->recording), {last, 0});
    entries_.erase(oldest);
  }
  // The first of its kind is learned from.
  if (entries_.empty() && stamps != Stamps::kNone) studied_ = fresh.get();
  entries_.push_back({key_, std::move(fresh)});
  return entries_.back().recording.get();
}

Result<Fence> VulkanExecutable::play(Recording& recording, const SubmitArgs& args) {
  // A run that ended early may have left counters of its kernels as no run is to find them.
  if (last_number_ != 0 && core_.turns.failed(last_number_)) {
    (void)core_.turns.wait(last_number_).ok();  // that it failed is known
    if (auto restored = upload_params(); !restored) return restored.error();
  }
  const TurnRequest request(recording, args.after, args.cancel, last_number_);
  Result<std::uint64_t> number = core_.turns.submit(request.get());
  if (!number) return number.error();
  last_number_ = recording.last_number = *number;
  for (const BufferView& region : args.regions) {
    if (region.buffer != nullptr) static_cast<VulkanBuffer*>(region.buffer)->note_turn(*number);
  }
  core_.launches.fetch_add(static_cast<std::int64_t>(launches_.size()), std::memory_order_relaxed);
  return Fence{*number, kTurns};
}

Result<Fence> VulkanExecutable::profile(const SubmitArgs& args) {
  Recording timed(core_);
  const Status recorded =
      timed.record({launches_, pieces_, regions_, params_.get(), Stamps::kLaunches});
  if (!recorded) return recorded.error();
  Result<Fence> fence = play(timed, args);
  if (!fence) return fence.error();
  const Status waited = core_.wait(*fence);
  if (!waited) return waited.error();
  Result<Recording::Times> times = timed.times();
  if (!times) return times.error();
  times->parts.resize(launches_.size());
  args.profile->clear();
  for (std::size_t i = 0; i < launches_.size(); ++i) {
    args.profile->push_back({static_cast<std::int32_t>(i), times->parts[i]});
  }
  return fence;
}

Result<Fence> VulkanExecutable::submit(const SubmitArgs& args) {
  const std::lock_guard lock(mutex_);
  const Status bound = bind_regions(args.regions);
  if (!bound) return bound.error();
  core_.memory.retirer().sweep();
  core_.pipelines.save_if_due();
  if (args.profile != nullptr) return profile(args);
  learn();
  Result<Recording*> found = recording();
  if (!found) return found.error();
  return play(**found, args);
}

}  // namespace polaris::vulkan
