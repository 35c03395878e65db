#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "backend/vulkan/logical_device.h"
#include "backend/vulkan/memory.h"
#include "backend/vulkan/pipelines.h"
#include "backend/vulkan/transfer.h"

namespace polaris::vulkan {

/// The parts of one device, in the order in which they stand on each other.
struct Core {
  Core(std::unique_ptr<LogicalDevice> logical, std::int64_t fail_at, std::string cache_path)
      : device(std::move(logical)),
        memory(*device, fail_at),
        pipelines(*device, std::move(cache_path)),
        transfer(memory) {}
  std::unique_ptr<LogicalDevice> device;
  MemoryPool memory;
  PipelineStore pipelines;
  Transfer transfer;
  std::atomic<std::int64_t> command_buffers{0};
  std::atomic<std::int64_t> launches{0};
};

}  // namespace polaris::vulkan
