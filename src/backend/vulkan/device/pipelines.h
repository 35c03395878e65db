#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>

#include "backend/vulkan/device/logical_device.h"
#include "backend/vulkan/kernel.h"

namespace polaris::vulkan {

struct Pipeline {
  VkPipeline handle = VK_NULL_HANDLE;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  VkDescriptorSetLayout set_layout = VK_NULL_HANDLE;
};

/// Pipelines by shader, constants and interface, made once and kept. Several are made at a time.
/// The driver's cache is read from a file and written back as pipelines come. Thread-safe.
class PipelineStore {
 public:
  /// `cache_path`: "" for no file.
  PipelineStore(LogicalDevice& device, std::string cache_path)
      : device_(device), cache_path_(std::move(cache_path)) {}
  ~PipelineStore();
  PipelineStore(const PipelineStore&) = delete;
  PipelineStore& operator=(const PipelineStore&) = delete;

  Status open();
  /// Makes those that are not there, on all processors, and writes the cache file.
  Status prepare(std::span<const Dispatch* const> dispatches);
  /// `split`: for a part of the dispatch's grid.
  Result<Pipeline> get(const Dispatch& dispatch, bool split = false);
  std::int64_t created() const { return created_.load(std::memory_order_relaxed); }
  /// Writes the cache file where it lacks something and the last writing is long enough ago.
  void save_if_due();

 private:
  struct Entry {
    Pipeline pipeline;
    bool ready = false;
  };
  class Making;
  struct Layouts {
    VkShaderModule module = VK_NULL_HANDLE;
    Pipeline pipeline;  // without its handle
  };
  Result<Pipeline> make(const Dispatch& dispatch, bool split, const Layouts& layouts);
  Result<Layouts> layouts_for(const Dispatch& dispatch);
  Result<VkShaderModule> module_of(std::string_view shader);
  Result<VkDescriptorSetLayout> set_layout_of(std::uint32_t bindings);
  Result<VkPipelineLayout> layout_of(std::uint32_t bindings, std::uint32_t push_bytes);
  void save();

  LogicalDevice& device_;
  const std::string cache_path_;
  std::mutex mutex_;
  std::condition_variable made_;
  VkPipelineCache cache_ = VK_NULL_HANDLE;
  std::unordered_map<std::string, Entry> pipelines_;
  std::map<std::string, VkShaderModule, std::less<>> modules_;
  std::map<std::uint32_t, VkDescriptorSetLayout> set_layouts_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, VkPipelineLayout> layouts_;
  std::atomic<std::int64_t> created_{0};
  std::mutex save_mutex_;
  std::atomic<std::int64_t> saved_{0};   // pipelines that the file holds
  std::atomic<std::int64_t> due_ns_{0};  // when it may be written again
};

/// Where the pipeline cache of a device lies by default, or "" where there is no such place.
std::string default_cache_path(const PhysicalDevice& physical);

}  // namespace polaris::vulkan
