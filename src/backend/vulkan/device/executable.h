#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backend/vulkan/device/recording.h"

namespace polaris::vulkan {

/// A compiled segment: pipelines and operands settled, recorded once per tuple of run regions. The
/// first recording is cut into units by the kernels' estimates; where a run shows them wrong, the
/// next run times every dispatch, and from then on units are cut by what was measured. A plan of
/// one unit is recorded again without stamps, once it was timed.
class VulkanExecutable final : public Executable {
 public:
  static Result<std::unique_ptr<VulkanExecutable>> create(Core& core, const SegmentDesc& segment);
  ~VulkanExecutable() override;
  Result<Fence> submit(const SubmitArgs& args);

 private:
  explicit VulkanExecutable(Core& core) : core_(core) {}
  Status prepare(const SegmentDesc& segment);
  Status upload_params();
  Status bind_regions(std::span<const BufferView> run);
  void learn();
  void learn_units(const Recording::Times& times);
  void learn_dispatches(const Recording::Times& times);
  void note_units(std::size_t units, double longest_us);
  void correct(std::size_t units, double longest_us, double ratio);
  void forget_recordings();
  void cut(double unit_us, bool split);
  Stamps wanted_stamps() const;
  Result<Recording*> recording();
  Result<Fence> play(Recording& recording, const SubmitArgs& args);
  Result<Fence> profile(const SubmitArgs& args);

  struct RegionKey {
    std::uint64_t buffer = 0;
    std::int64_t offset = 0;
    std::int64_t bytes = 0;
    friend bool operator==(const RegionKey&, const RegionKey&) = default;
  };
  struct Entry {
    std::vector<RegionKey> key;
    std::unique_ptr<Recording> recording;
  };

  /// What the units are cut by.
  enum class Knowledge : std::uint8_t { kEstimated, kTiming, kSettled };

  Core& core_;
  std::vector<std::shared_ptr<const Kernel>> kernels_;  // keep what launches were made from
  std::vector<std::string> names_;                      // of the launches' nodes
  std::vector<ReadyLaunch> launches_;
  std::vector<std::byte> params_bytes_;
  std::unique_ptr<VulkanBuffer> params_;
  std::size_t fixed_count_ = 0;
  std::mutex mutex_;
  std::vector<BufferView> regions_;  // fixed, then those of the submission at hand
  std::vector<RegionKey> key_;
  Knowledge knowledge_ = Knowledge::kEstimated;
  bool untimed_ = false;             // one unit, whose time is known
  std::vector<DispatchCost> costs_;  // of all dispatches in a row
  std::vector<DispatchPiece> pieces_;
  std::vector<Entry> entries_;
  Recording* studied_ = nullptr;   // the entry's whose next finished run is learned from
  std::uint64_t last_number_ = 0;  // of the latest run
  std::uint64_t clock_ = 0;
  int corrections_ = 0;
  double scale_ = 0;            // of the estimates, until it is told what was measured
  bool warm_ = false;           // it ran once
  std::int64_t contended_ = 0;  // of the turn queue when it was made
};

}  // namespace polaris::vulkan
