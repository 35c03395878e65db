#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace polaris {

/// Features to pretend missing, for tests on richer devices.
struct VulkanHide {
  bool int64 = false;
  bool int16 = false;
  bool int8 = false;
  bool float16 = false;
  bool integer_dot = false;
  bool subgroup = false;  // subgroup operations of every kind

  /// What an RX 470..590 lacks.
  static VulkanHide like_polaris();
  static VulkanHide everything();
};

struct VulkanOptions {
  /// "" is the first GPU; "vulkan:N" or "N" the N-th GPU; else ("vulkan:NAME" or NAME) part of a
  /// device's name, in any case.
  /// A software rasterizer is taken only by name: "llvmpipe".
  std::string selector;
  /// Device memory kept for others; nothing: the larger of 512 MiB and a tenth.
  std::optional<std::int64_t> keep_bytes;
  /// Part of the device's memory this process may use, 0 to 1, where keep_bytes says nothing.
  std::optional<double> share;
  // Pretended limits, 0 for the device's own.
  std::int64_t binding_bytes_max = 0;
  std::int64_t allocation_bytes_max = 0;
  std::int64_t memory_bytes = 0;
  /// Work is cut and split into units of this by its estimates alone, without measuring.
  double unit_us = 0;
  VulkanHide hide;
  /// The n-th device allocation (from 1) fails; 0: none does.
  std::int64_t fail_allocation_at = 0;
  /// The n-th submission to a queue (from 1) fails; 0: none does.
  std::int64_t fail_submit_at = 0;
  /// File of the pipeline cache; nothing: below the user's cache folder; "": none.
  std::optional<std::string> pipeline_cache_path;
};

/// Stands in DeviceInfo::limits where one kernel is one piece of work, however long it runs.
inline constexpr const char* kWholeKernels = "a kernel is never split into shorter pieces of work";

/// All Vulkan 1.2 devices, software ones last and marked; empty where there is no loader or driver.
/// Errors: device where the loader is there but fails.
Result<std::vector<DeviceInfo>> list_vulkan_devices();

/// Errors: not_found (no such device), unsupported (it lacks what we need), device.
Result<std::unique_ptr<Device>> make_vulkan_device(const VulkanOptions& options);

}  // namespace polaris
