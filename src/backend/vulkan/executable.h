#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "backend/vulkan/recording.h"

namespace polaris::vulkan {

/// A compiled segment: pipelines and operands settled, recorded once per tuple of run regions.
class VulkanExecutable final : public Executable {
 public:
  static Result<std::unique_ptr<VulkanExecutable>> create(Core& core, const SegmentDesc& segment);
  ~VulkanExecutable() override;
  Result<Fence> submit(const SubmitArgs& args);

 private:
  explicit VulkanExecutable(Core& core) : core_(core) {}
  Status prepare(const SegmentDesc& segment);
  Status upload_params(const std::vector<std::byte>& params);
  Status bind_regions(std::span<const BufferView> run);
  Result<Recording*> recording();
  Result<Fence> play(Recording& recording, const CancelToken* cancel);
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

  Core& core_;
  std::vector<std::shared_ptr<const Kernel>> kernels_;  // keep what launches were made from
  std::vector<ReadyLaunch> launches_;
  std::unique_ptr<VulkanBuffer> params_;
  std::size_t fixed_count_ = 0;
  std::mutex mutex_;
  std::vector<BufferView> regions_;  // fixed, then those of the submission at hand
  std::vector<RegionKey> key_;
  std::vector<Entry> entries_;
  std::uint64_t clock_ = 0;
};

}  // namespace polaris::vulkan
