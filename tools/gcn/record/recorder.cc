// A preloaded library that writes down what another program's Vulkan dispatches are: SPIR-V,
// constants, push constants, buffers and grid, for `gcn replay`.
//
//     GCN_RECORD=FOLDER LD_PRELOAD=libgcn_record.so PROGRAM
//
// FOLDER gets one .spv a shader and dispatches.jsonl. The driver is RADV's null device: by what it
// tells, a program chooses what it would on the card. It has neither memory nor fences, so only
// instance and device are its own; objects are numbers here, memory is the host's, and work counts
// as done when it is submitted.
#include <dlfcn.h>
#include <sys/mman.h>
#include <vulkan/vulkan.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Pipeline {
  std::string shader;
  std::string constants;  // JSON
};
struct Range {
  std::uint64_t buffer = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};
struct Commands {
  const Pipeline* pipeline = nullptr;
  std::vector<Range> ranges;
  std::vector<std::uint32_t> push;
  bool barrier = false;  // since the last dispatch
};

/// What is known of the program's objects. One for the process, as its Vulkan is.
struct Record {
  Record() {
    const char* to = std::getenv("GCN_RECORD");  // NOLINT(concurrency-mt-unsafe): never set here
    folder = to == nullptr ? "." : to;
    out = std::fopen((folder + "/dispatches.jsonl").c_str(), "a");
    if (out == nullptr) std::abort();
  }
  std::mutex mutex;
  std::map<std::uint64_t, std::string> modules;
  std::map<std::uint64_t, Pipeline> pipelines;
  std::map<std::uint64_t, std::uint64_t> buffers;  // bytes
  std::map<std::uint64_t, std::vector<Range>> sets;
  std::map<std::uint64_t, Commands> commands;
  std::map<std::uint64_t, std::pair<void*, std::size_t>> memory;  // once mapped
  std::uint64_t last_id = 0;
  std::string folder;
  std::FILE* out = nullptr;
};

Record& record() {
  static Record one;  // tidy: allow globals -- an interposer has no context to pass
  return one;
}

template <class Handle>
std::uint64_t id(Handle handle) {
  return reinterpret_cast<std::uint64_t>(handle);
}

/// A new object, which is no more than its number.
template <class Handle>
Handle make(Record& r) {
  return reinterpret_cast<Handle>(++r.last_id);
}

std::string hash_name(const std::uint32_t* words, std::size_t count) {
  std::uint64_t h = 0xCBF29CE484222325;
  for (std::size_t i = 0; i < count; ++i) h = (h ^ words[i]) * 0x100000001B3;
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(h));
  return text;
}

VkResult create_shader_module(VkDevice, const VkShaderModuleCreateInfo* info,
                              const VkAllocationCallbacks*, VkShaderModule* out) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  const std::string name = hash_name(info->pCode, info->codeSize / 4);
  *out = make<VkShaderModule>(r);
  r.modules[id(*out)] = name;
  if (std::FILE* file = std::fopen((r.folder + "/" + name + ".spv").c_str(), "wb")) {
    std::fwrite(info->pCode, 1, info->codeSize, file);
    std::fclose(file);
  }
  return VK_SUCCESS;
}

std::string constants_of(const VkSpecializationInfo* info) {
  std::string out = "[";
  for (std::uint32_t i = 0; info != nullptr && i < info->mapEntryCount; ++i) {
    const VkSpecializationMapEntry& entry = info->pMapEntries[i];
    std::uint32_t value = 0;
    std::memcpy(&value, static_cast<const char*>(info->pData) + entry.offset,
                entry.size < 4 ? entry.size : 4);
    out += (i == 0 ? "[" : ", [") + std::to_string(entry.constantID) + ", " +
           std::to_string(value) + "]";
  }
  return out + "]";
}

VkResult create_pipelines(VkDevice, VkPipelineCache, std::uint32_t count,
                          const VkComputePipelineCreateInfo* infos, const VkAllocationCallbacks*,
                          VkPipeline* out) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  for (std::uint32_t i = 0; i < count; ++i) {
    out[i] = make<VkPipeline>(r);
    r.pipelines[id(out[i])] = {r.modules[id(infos[i].stage.module)],
                               constants_of(infos[i].stage.pSpecializationInfo)};
  }
  return VK_SUCCESS;
}

VkResult create_buffer(VkDevice, const VkBufferCreateInfo* info, const VkAllocationCallbacks*,
                       VkBuffer* out) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  *out = make<VkBuffer>(r);
  r.buffers[id(*out)] = info->size;
  return VK_SUCCESS;
}

void update_sets(VkDevice, std::uint32_t count, const VkWriteDescriptorSet* writes, std::uint32_t,
                 const VkCopyDescriptorSet*) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (writes[i].pBufferInfo == nullptr) continue;
    std::vector<Range>& set = r.sets[id(writes[i].dstSet)];
    for (std::uint32_t j = 0; j < writes[i].descriptorCount; ++j) {
      const VkDescriptorBufferInfo& from = writes[i].pBufferInfo[j];
      // An array of bindings may be written through the first of them.
      const std::size_t at = writes[i].dstBinding + writes[i].dstArrayElement + j;
      if (set.size() <= at) set.resize(at + 1);
      const std::uint64_t rest = r.buffers[id(from.buffer)] - from.offset;
      set[at] = {id(from.buffer), from.offset, from.range == VK_WHOLE_SIZE ? rest : from.range};
    }
  }
}

void bind_sets(VkCommandBuffer commands, VkPipelineBindPoint, VkPipelineLayout, std::uint32_t,
               std::uint32_t count, const VkDescriptorSet* sets, std::uint32_t,
               const std::uint32_t*) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  if (count > 0) r.commands[id(commands)].ranges = r.sets[id(sets[0])];
}

void bind_pipeline(VkCommandBuffer commands, VkPipelineBindPoint, VkPipeline pipeline) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  r.commands[id(commands)].pipeline = &r.pipelines[id(pipeline)];
}

void push_constants(VkCommandBuffer commands, VkPipelineLayout, VkShaderStageFlags,
                    std::uint32_t offset, std::uint32_t bytes, const void* values) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  std::vector<std::uint32_t>& push = r.commands[id(commands)].push;
  if (offset == 0) push.clear();
  if (push.size() * 4 < offset + bytes) push.resize((offset + bytes + 3) / 4);
  std::memcpy(reinterpret_cast<char*>(push.data()) + offset, values, bytes);
}

void barrier(VkCommandBuffer commands, VkPipelineStageFlags, VkPipelineStageFlags,
             VkDependencyFlags, std::uint32_t, const VkMemoryBarrier*, std::uint32_t,
             const VkBufferMemoryBarrier*, std::uint32_t, const VkImageMemoryBarrier*) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  r.commands[id(commands)].barrier = true;
}

void dispatch(VkCommandBuffer commands, std::uint32_t x, std::uint32_t y, std::uint32_t z) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  Commands& c = r.commands[id(commands)];
  if (c.pipeline == nullptr) return;
  std::fprintf(r.out, "{\"shader\": \"%s.spv\", \"constants\": %s, \"push\": [",
               c.pipeline->shader.c_str(), c.pipeline->constants.c_str());
  for (std::size_t i = 0; i < c.push.size(); ++i) {
    std::fprintf(r.out, "%s%u", i == 0 ? "" : ", ", c.push[i]);
  }
  std::fprintf(r.out, "], \"buffers\": [");
  for (std::size_t i = 0; i < c.ranges.size(); ++i) {
    std::fprintf(r.out, "%s[%llu, %llu, %llu]", i == 0 ? "" : ", ",
                 static_cast<unsigned long long>(c.ranges[i].buffer),
                 static_cast<unsigned long long>(c.ranges[i].offset),
                 static_cast<unsigned long long>(c.ranges[i].bytes));
  }
  std::fprintf(r.out, "], \"grid\": [%u, %u, %u], \"barrier\": %s}\n", x, y, z,
               c.barrier ? "true" : "false");
  std::fflush(r.out);
  c.barrier = false;
}

template <class Handle, class Info>
VkResult create(VkDevice, const Info*, const VkAllocationCallbacks*, Handle* out) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  *out = make<Handle>(r);
  return VK_SUCCESS;
}
template <class Handle>
void destroy(VkDevice, Handle, const VkAllocationCallbacks*) {}

VkResult allocate_sets(VkDevice, const VkDescriptorSetAllocateInfo* info, VkDescriptorSet* out) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  for (std::uint32_t i = 0; i < info->descriptorSetCount; ++i) out[i] = make<VkDescriptorSet>(r);
  return VK_SUCCESS;
}

VkResult allocate_commands(VkDevice, const VkCommandBufferAllocateInfo* info,
                           VkCommandBuffer* out) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  for (std::uint32_t i = 0; i < info->commandBufferCount; ++i) out[i] = make<VkCommandBuffer>(r);
  return VK_SUCCESS;
}
void free_commands(VkDevice, VkCommandPool, std::uint32_t, const VkCommandBuffer*) {}
VkResult begin_commands(VkCommandBuffer, const VkCommandBufferBeginInfo*) { return VK_SUCCESS; }
VkResult end_commands(VkCommandBuffer) { return VK_SUCCESS; }
VkResult reset_commands(VkCommandBuffer, VkCommandBufferResetFlags) { return VK_SUCCESS; }
VkResult reset_pool(VkDevice, VkCommandPool, VkCommandPoolResetFlags) { return VK_SUCCESS; }
void set_event(VkCommandBuffer, VkEvent, VkPipelineStageFlags) {}
void wait_events(VkCommandBuffer, std::uint32_t, const VkEvent*, VkPipelineStageFlags,
                 VkPipelineStageFlags, std::uint32_t, const VkMemoryBarrier*, std::uint32_t,
                 const VkBufferMemoryBarrier*, std::uint32_t, const VkImageMemoryBarrier*) {}

VkResult no_executables(VkDevice, const VkPipelineInfoKHR*, std::uint32_t* count,
                        VkPipelineExecutablePropertiesKHR*) {
  *count = 0;
  return VK_SUCCESS;
}
VkResult no_statistics(VkDevice, const VkPipelineExecutableInfoKHR*, std::uint32_t* count,
                       VkPipelineExecutableStatisticKHR*) {
  *count = 0;
  return VK_SUCCESS;
}

// Memory: one heap, as large as the card's, which the host sees.
constexpr VkDeviceSize kHeap = VkDeviceSize{8} << 30;

void memory_properties(VkPhysicalDevice, VkPhysicalDeviceMemoryProperties* out) {
  *out = {};
  out->memoryTypeCount = out->memoryHeapCount = 1;
  out->memoryTypes[0].propertyFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT |
                                      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                      VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  out->memoryHeaps[0] = {kHeap, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
}
void memory_properties2(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties2* out) {
  memory_properties(device, &out->memoryProperties);
  for (auto* next = static_cast<VkBaseOutStructure*>(out->pNext); next != nullptr;
       next = next->pNext) {
    if (next->sType != VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT) continue;
    auto* budget = reinterpret_cast<VkPhysicalDeviceMemoryBudgetPropertiesEXT*>(next);
    budget->heapBudget[0] = kHeap;
    budget->heapUsage[0] = 0;
  }
}
void buffer_requirements(VkDevice, VkBuffer buffer, VkMemoryRequirements* out) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  *out = {(r.buffers[id(buffer)] + 255) / 256 * 256, 256, 1};
}
VkResult allocate_memory(VkDevice, const VkMemoryAllocateInfo* info, const VkAllocationCallbacks*,
                         VkDeviceMemory* out) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  *out = make<VkDeviceMemory>(r);
  r.memory[id(*out)] = {nullptr, info->allocationSize};
  return VK_SUCCESS;
}
void free_memory(VkDevice, VkDeviceMemory memory, const VkAllocationCallbacks*) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  const auto [at, bytes] = r.memory[id(memory)];
  if (at != nullptr) munmap(at, bytes);
  r.memory.erase(id(memory));
}
VkResult map_memory(VkDevice, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize,
                    VkMemoryMapFlags, void** out) {
  Record& r = record();
  const std::lock_guard lock(r.mutex);
  auto& [at, bytes] = r.memory[id(memory)];
  if (at == nullptr) {
    // Pages that nobody touches cost nothing.
    at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
              -1, 0);
    if (at == MAP_FAILED) return VK_ERROR_MEMORY_MAP_FAILED;
  }
  *out = static_cast<char*>(at) + offset;
  return VK_SUCCESS;
}
void unmap_memory(VkDevice, VkDeviceMemory) {}
VkResult bind_memory(VkDevice, VkBuffer, VkDeviceMemory, VkDeviceSize) { return VK_SUCCESS; }
VkDeviceAddress buffer_address(VkDevice, const VkBufferDeviceAddressInfo* info) {
  return id(info->buffer) << 36;
}

VkResult touch_ranges(VkDevice, std::uint32_t, const VkMappedMemoryRange*) { return VK_SUCCESS; }
VkResult reset_sets(VkDevice, VkDescriptorPool, VkDescriptorPoolResetFlags) { return VK_SUCCESS; }
VkResult free_sets(VkDevice, VkDescriptorPool, std::uint32_t, const VkDescriptorSet*) {
  return VK_SUCCESS;
}

// Work and waiting: everything is done, always.
VkResult touch_event(VkDevice, VkEvent) { return VK_SUCCESS; }
VkResult event_status(VkDevice, VkEvent) { return VK_EVENT_SET; }
VkResult semaphore_value(VkDevice, VkSemaphore, std::uint64_t* value) {
  *value = ~std::uint64_t{0} >> 1;
  return VK_SUCCESS;
}
VkResult reset_fences(VkDevice, std::uint32_t, const VkFence*) { return VK_SUCCESS; }
VkResult wait_fences(VkDevice, std::uint32_t, const VkFence*, VkBool32, std::uint64_t) {
  return VK_SUCCESS;
}
VkResult fence_status(VkDevice, VkFence) { return VK_SUCCESS; }
VkResult wait_semaphores(VkDevice, const VkSemaphoreWaitInfo*, std::uint64_t) { return VK_SUCCESS; }
VkResult submit(VkQueue, std::uint32_t, const VkSubmitInfo*, VkFence) { return VK_SUCCESS; }
VkResult queue_idle(VkQueue) { return VK_SUCCESS; }
VkResult device_idle(VkDevice) { return VK_SUCCESS; }
void copy_buffer(VkCommandBuffer, VkBuffer, VkBuffer, std::uint32_t, const VkBufferCopy*) {}
void fill_buffer(VkCommandBuffer, VkBuffer, VkDeviceSize, VkDeviceSize, std::uint32_t) {}
void update_buffer(VkCommandBuffer, VkBuffer, VkDeviceSize, VkDeviceSize, const void*) {}

struct Wrapper {
  const char* name;
  PFN_vkVoidFunction function;
};

template <class F>
PFN_vkVoidFunction plain(F* function) {
  return reinterpret_cast<PFN_vkVoidFunction>(function);
}

PFN_vkVoidFunction wrapped(const char* name, PFN_vkVoidFunction found) {
  const Wrapper wrappers[] = {
      {"vkCreateShaderModule", plain(create_shader_module)},
      {"vkCreateComputePipelines", plain(create_pipelines)},
      {"vkCreateBuffer", plain(create_buffer)},
      {"vkUpdateDescriptorSets", plain(update_sets)},
      {"vkCmdBindDescriptorSets", plain(bind_sets)},
      {"vkCmdBindPipeline", plain(bind_pipeline)},
      {"vkCmdPushConstants", plain(push_constants)},
      {"vkCmdPipelineBarrier", plain(barrier)},
      {"vkCmdDispatch", plain(dispatch)},
      {"vkCreateCommandPool", plain(create<VkCommandPool, VkCommandPoolCreateInfo>)},
      {"vkDestroyCommandPool", plain(destroy<VkCommandPool>)},
      {"vkResetCommandPool", plain(reset_pool)},
      {"vkAllocateCommandBuffers", plain(allocate_commands)},
      {"vkFreeCommandBuffers", plain(free_commands)},
      {"vkBeginCommandBuffer", plain(begin_commands)},
      {"vkEndCommandBuffer", plain(end_commands)},
      {"vkResetCommandBuffer", plain(reset_commands)},
      {"vkCreateEvent", plain(create<VkEvent, VkEventCreateInfo>)},
      {"vkDestroyEvent", plain(destroy<VkEvent>)},
      {"vkCmdSetEvent", plain(set_event)},
      {"vkCmdWaitEvents", plain(wait_events)},
      {"vkResetEvent", plain(touch_event)},
      {"vkSetEvent", plain(touch_event)},
      {"vkGetEventStatus", plain(event_status)},
      {"vkCmdResetEvent", plain(set_event)},
      {"vkResetDescriptorPool", plain(reset_sets)},
      {"vkFreeDescriptorSets", plain(free_sets)},
      {"vkGetSemaphoreCounterValue", plain(semaphore_value)},
      {"vkFlushMappedMemoryRanges", plain(touch_ranges)},
      {"vkInvalidateMappedMemoryRanges", plain(touch_ranges)},
      {"vkCmdCopyBuffer", plain(copy_buffer)},
      {"vkCmdFillBuffer", plain(fill_buffer)},
      {"vkCmdUpdateBuffer", plain(update_buffer)},
      {"vkGetPipelineExecutablePropertiesKHR", plain(no_executables)},
      {"vkGetPipelineExecutableStatisticsKHR", plain(no_statistics)},
      {"vkDestroyShaderModule", plain(destroy<VkShaderModule>)},
      {"vkDestroyPipeline", plain(destroy<VkPipeline>)},
      {"vkDestroyBuffer", plain(destroy<VkBuffer>)},
      {"vkCreateDescriptorPool", plain(create<VkDescriptorPool, VkDescriptorPoolCreateInfo>)},
      {"vkDestroyDescriptorPool", plain(destroy<VkDescriptorPool>)},
      {"vkAllocateDescriptorSets", plain(allocate_sets)},
      {"vkGetPhysicalDeviceMemoryProperties", plain(memory_properties)},
      {"vkGetPhysicalDeviceMemoryProperties2", plain(memory_properties2)},
      {"vkGetPhysicalDeviceMemoryProperties2KHR", plain(memory_properties2)},
      {"vkGetBufferMemoryRequirements", plain(buffer_requirements)},
      {"vkAllocateMemory", plain(allocate_memory)},
      {"vkFreeMemory", plain(free_memory)},
      {"vkMapMemory", plain(map_memory)},
      {"vkUnmapMemory", plain(unmap_memory)},
      {"vkBindBufferMemory", plain(bind_memory)},
      {"vkGetBufferDeviceAddress", plain(buffer_address)},
      {"vkCreateFence", plain(create<VkFence, VkFenceCreateInfo>)},
      {"vkDestroyFence", plain(destroy<VkFence>)},
      {"vkResetFences", plain(reset_fences)},
      {"vkWaitForFences", plain(wait_fences)},
      {"vkGetFenceStatus", plain(fence_status)},
      {"vkCreateSemaphore", plain(create<VkSemaphore, VkSemaphoreCreateInfo>)},
      {"vkDestroySemaphore", plain(destroy<VkSemaphore>)},
      {"vkWaitSemaphores", plain(wait_semaphores)},
      {"vkQueueSubmit", plain(submit)},
      {"vkQueueWaitIdle", plain(queue_idle)},
      {"vkDeviceWaitIdle", plain(device_idle)},
  };
  for (const Wrapper& w : wrappers) {
    if (found != nullptr && std::strcmp(w.name, name) == 0) return w.function;
  }
  return found;
}

/// The loader's own function. It may have been opened where RTLD_NEXT does not look.
void* of_loader(const char* name) {
  void* loader = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
  void* found = loader == nullptr ? nullptr : dlsym(loader, name);
  if (found == nullptr) std::abort();
  return found;
}

}  // namespace

extern "C" {

// Some programs link this one instead of asking for it.
__attribute__((visibility("default"))) VKAPI_ATTR void VKAPI_CALL
vkCmdCopyBuffer(VkCommandBuffer commands, VkBuffer from, VkBuffer to, std::uint32_t count,
                const VkBufferCopy* regions) {
  copy_buffer(commands, from, to, count, regions);
}

__attribute__((visibility("default"))) VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
vkGetDeviceProcAddr(VkDevice device, const char* name) {
  static const auto next =
      reinterpret_cast<PFN_vkGetDeviceProcAddr>(of_loader("vkGetDeviceProcAddr"));
  return wrapped(name, next(device, name));
}

__attribute__((visibility("default"))) VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
vkGetInstanceProcAddr(VkInstance instance, const char* name) {
  static const auto next =
      reinterpret_cast<PFN_vkGetInstanceProcAddr>(of_loader("vkGetInstanceProcAddr"));
  if (std::strcmp(name, "vkGetDeviceProcAddr") == 0) {
    return reinterpret_cast<PFN_vkVoidFunction>(vkGetDeviceProcAddr);
  }
  return wrapped(name, next(instance, name));
}
}
