#include "backend/vulkan/device/pipelines.h"

#include <algorithm>
#include <new>
#include <set>
#include <utility>
#include <vector>

#include "backend/vulkan/device/cache_file.h"
#include "backend/vulkan/shader_blobs.h"
#include "base/os/clock.h"
#include "base/os/cpu_features.h"
#include "base/os/environment.h"
#include "base/tasks.h"

namespace polaris::vulkan {
namespace {

// Writing the cache file takes at most one part in so many of the time.
constexpr std::int64_t kSavingShare = 20;

std::string key_of(const Dispatch& dispatch, bool split) {
  std::string key(dispatch.shader);
  key += split ? '\1' : '\0';
  key += static_cast<char>(dispatch.operands.size());
  key += static_cast<char>(dispatch.push.size());
  key.append(reinterpret_cast<const char*>(dispatch.constants.data()),
             dispatch.constants.size() * sizeof(std::uint32_t));
  return key;
}

std::string hex(const std::uint8_t* bytes, std::size_t count) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

}  // namespace

std::string default_cache_path(const PhysicalDevice& physical) {
  const std::string folder = user_cache_folder();
  if (folder.empty()) return {};
  return folder + "/polaris/pipelines-" + hex(physical.uuid, VK_UUID_SIZE) + ".bin";
}

Status PipelineStore::open() {
  std::string initial;
  if (!cache_path_.empty()) initial = load_cache_file(cache_path_, device_.physical());
  VkPipelineCacheCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
  info.initialDataSize = initial.size();
  info.pInitialData = initial.data();
  const VkResult result =
      device_.api().CreatePipelineCache(device_.handle(), &info, nullptr, &cache_);
  if (result != VK_SUCCESS) return vulkan_error("vkCreatePipelineCache", result);
  return Status::success();
}

PipelineStore::~PipelineStore() {
  const DeviceApi& api = device_.api();
  VkDevice device = device_.handle();
  if (cache_ != VK_NULL_HANDLE && created_ > saved_) save();
  for (const auto& [key, entry] : pipelines_) {
    api.DestroyPipeline(device, entry.pipeline.handle, nullptr);
  }
  for (const auto& [key, layout] : layouts_) api.DestroyPipelineLayout(device, layout, nullptr);
  for (const auto& [key, layout] : set_layouts_) {
    api.DestroyDescriptorSetLayout(device, layout, nullptr);
  }
  for (const auto& [key, module] : modules_) api.DestroyShaderModule(device, module, nullptr);
  if (cache_ != VK_NULL_HANDLE) api.DestroyPipelineCache(device, cache_, nullptr);
}

void PipelineStore::save() {
  if (cache_path_.empty()) return;
  const std::lock_guard lock(save_mutex_);
  const DeviceApi& api = device_.api();
  const std::int64_t begin = monotonic_ns();
  const std::int64_t held = created_.load();
  std::size_t bytes = 0;
  if (api.GetPipelineCacheData(device_.handle(), cache_, &bytes, nullptr) != VK_SUCCESS) return;
  std::string payload(bytes, '\0');
  if (api.GetPipelineCacheData(device_.handle(), cache_, &bytes, payload.data()) != VK_SUCCESS) {
    return;
  }
  payload.resize(bytes);
  save_cache_file(cache_path_, device_.physical(), payload);
  saved_.store(held);
  const std::int64_t end = monotonic_ns();
  due_ns_.store(end + kSavingShare * (end - begin));
}

void PipelineStore::save_if_due() {
  if (saved_.load(std::memory_order_relaxed) == created()) return;
  if (monotonic_ns() >= due_ns_.load(std::memory_order_relaxed)) save();
}

Result<VkShaderModule> PipelineStore::module_of(std::string_view shader) {
  if (const auto found = modules_.find(shader); found != modules_.end()) return found->second;
  const std::span<const std::uint32_t> words = find_shader(shader);
  if (words.empty()) return Error::internal("[vulkan] no shader '" + std::string(shader) + "'");
  VkShaderModuleCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
  info.codeSize = words.size_bytes();
  info.pCode = words.data();
  VkShaderModule module = VK_NULL_HANDLE;
  const VkResult result =
      device_.api().CreateShaderModule(device_.handle(), &info, nullptr, &module);
  if (result != VK_SUCCESS) return vulkan_error("vkCreateShaderModule", result);
  modules_.emplace(std::string(shader), module);
  return module;
}

Result<VkDescriptorSetLayout> PipelineStore::set_layout_of(std::uint32_t bindings) {
  if (const auto found = set_layouts_.find(bindings); found != set_layouts_.end()) {
    return found->second;
  }
  std::vector<VkDescriptorSetLayoutBinding> list(bindings);
  for (std::uint32_t i = 0; i < bindings; ++i) {
    list[i] = {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
  }
  VkDescriptorSetLayoutCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
  info.bindingCount = bindings;
  info.pBindings = list.data();
  VkDescriptorSetLayout layout = VK_NULL_HANDLE;
  const VkResult result =
      device_.api().CreateDescriptorSetLayout(device_.handle(), &info, nullptr, &layout);
  if (result != VK_SUCCESS) return vulkan_error("vkCreateDescriptorSetLayout", result);
  set_layouts_.emplace(bindings, layout);
  return layout;
}

Result<VkPipelineLayout> PipelineStore::layout_of(std::uint32_t bindings,
                                                  std::uint32_t push_bytes) {
  const std::pair key(bindings, push_bytes);
  if (const auto found = layouts_.find(key); found != layouts_.end()) return found->second;
  Result<VkDescriptorSetLayout> set = set_layout_of(bindings);
  if (!set) return set.error();
  const VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes};
  VkPipelineLayoutCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
  info.setLayoutCount = 1;
  info.pSetLayouts = &*set;
  info.pushConstantRangeCount = push_bytes > 0 ? 1 : 0;
  info.pPushConstantRanges = &range;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  const VkResult result =
      device_.api().CreatePipelineLayout(device_.handle(), &info, nullptr, &layout);
  if (result != VK_SUCCESS) return vulkan_error("vkCreatePipelineLayout", result);
  layouts_.emplace(key, layout);
  return layout;
}

Result<PipelineStore::Layouts> PipelineStore::layouts_for(const Dispatch& dispatch) {
  const auto bindings = static_cast<std::uint32_t>(dispatch.operands.size());
  const auto push_bytes = static_cast<std::uint32_t>(dispatch.push.size() * 4);
  Result<VkShaderModule> module = module_of(dispatch.shader);
  if (!module) return module.error();
  Result<VkPipelineLayout> layout = layout_of(bindings, push_bytes);
  if (!layout) return layout.error();
  return Layouts{*module, {VK_NULL_HANDLE, *layout, set_layouts_.at(bindings)}};
}

Result<Pipeline> PipelineStore::make(const Dispatch& dispatch, bool split, const Layouts& layouts) {
  std::vector<VkSpecializationMapEntry> entries(dispatch.constants.size());
  for (std::uint32_t i = 0; i < entries.size(); ++i) entries[i] = {i, i * 4, 4};
  VkSpecializationInfo constants{};
  constants.mapEntryCount = static_cast<std::uint32_t>(entries.size());
  constants.pMapEntries = entries.data();
  constants.dataSize = dispatch.constants.size() * 4;
  constants.pData = dispatch.constants.data();
  VkComputePipelineCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
  if (split) info.flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT;
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = layouts.module;
  info.stage.pName = "main";
  info.stage.pSpecializationInfo = &constants;
  info.layout = layouts.pipeline.layout;
  info.basePipelineIndex = -1;
  Pipeline pipeline = layouts.pipeline;
  const VkResult result = device_.api().CreateComputePipelines(device_.handle(), cache_, 1, &info,
                                                               nullptr, &pipeline.handle);
  if (result != VK_SUCCESS) {
    return vulkan_error("vkCreateComputePipelines of " + std::string(dispatch.shader), result);
  }
  created_.fetch_add(1, std::memory_order_relaxed);
  return pipeline;
}

/// While it lives its maker is at it; whoever waits hears of the end, however it came about.
class PipelineStore::Making {
 public:
  Making(PipelineStore& store, const std::string& key) : store_(store), key_(key) {}
  ~Making() {
    const std::lock_guard lock(store_.mutex_);
    const auto at = store_.pipelines_.find(key_);
    if (!at->second.ready) store_.pipelines_.erase(at);
    store_.made_.notify_all();
  }
  Making(const Making&) = delete;
  Making& operator=(const Making&) = delete;

 private:
  PipelineStore& store_;
  const std::string& key_;
};

Result<Pipeline> PipelineStore::get(const Dispatch& dispatch, bool split) {
  const std::string key = key_of(dispatch, split);
  std::unique_lock lock(mutex_);
  while (true) {
    const auto found = pipelines_.find(key);
    if (found == pipelines_.end()) break;
    if (found->second.ready) return found->second.pipeline;
    made_.wait(lock);  // another thread makes it, or fails to
  }
  const Result<Layouts> layouts = layouts_for(dispatch);
  if (!layouts) return layouts.error();
  Entry& entry = pipelines_.emplace(key, Entry{}).first->second;
  lock.unlock();
  const Making making(*this, key);
  Result<Pipeline> pipeline = make(dispatch, split, *layouts);
  if (!pipeline) return pipeline;
  lock.lock();
  entry = {*pipeline, true};
  lock.unlock();
  return pipeline;
}

Status PipelineStore::prepare(std::span<const Dispatch* const> dispatches) {
  std::vector<const Dispatch*> missing;
  {
    const std::lock_guard lock(mutex_);
    std::set<std::string> keys;
    for (const Dispatch* dispatch : dispatches) {
      std::string key = key_of(*dispatch, false);
      if (!pipelines_.contains(key) && keys.insert(std::move(key)).second) {
        missing.push_back(dispatch);
      }
    }
  }
  const Status made = run_tasks(missing.size(), usable_processors(), [&](std::size_t i) {
    const Result<Pipeline> pipeline = get(*missing[i]);
    return pipeline ? Status::success() : Status(pipeline.error());
  });
  save_if_due();
  return made;
}

}  // namespace polaris::vulkan
