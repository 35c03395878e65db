#include "session/open_devices.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "backend/cpu/cpu_device.h"
#include "backend/reference/reference_device.h"
#include "backend/tuning_file.h"
#include "backend/vulkan/vulkan_device.h"
#include "base/os/environment.h"

namespace polaris {
namespace {

constexpr std::size_t kDevicesMax = 64;

Result<std::unique_ptr<Device>> open_cpu(const DeviceOptions& options) {
  CpuOptions cpu;
  cpu.threads = options.threads;
  return make_cpu_device(cpu);
}

Result<std::unique_ptr<Device>> open_vulkan(const std::string& selector,
                                            const DeviceOptions& options) {
  VulkanOptions vulkan;
  vulkan.selector = selector;
  vulkan.share = options.gpu_share;
  vulkan.memory_bytes = options.vram_bytes;
  return make_vulkan_device(vulkan);
}

Result<std::unique_ptr<Device>> open_auto(const DeviceOptions& options) {
  auto gpus = list_vulkan_devices();
  // A broken driver must not keep the cpu from working; `--device vulkan` shows its error.
  if (gpus) {
    for (const DeviceInfo& gpu : *gpus) {
      if (!gpu.software) return open_vulkan("", options);
    }
  }
  return open_cpu(options);
}

Result<std::unique_ptr<Device>> open_device(const std::string& name, const DeviceOptions& options) {
  if (name == "auto") return open_auto(options);
  if (name == "cpu") return open_cpu(options);
  if (name == "reference") return make_reference_device({});
  if (name == "vulkan") return open_vulkan("", options);
  constexpr std::string_view kPrefix = "vulkan:";
  if (name.starts_with(kPrefix)) return open_vulkan(name.substr(kPrefix.size()), options);
  return Error::invalid("[device] name, got '" + name +
                        "', wanted auto, cpu, reference, vulkan, vulkan:N or vulkan:NAME");
}

/// Kernels are chosen by what was measured here before, if anything was.
void use_tuning(Device& device, const DeviceOptions& options) {
  const std::string folder = tuning_folder(options);
  if (device.info().tuning_device.empty() || folder.empty()) return;
  auto tuning = load_tuning(tuning_path(folder, device.info()), device.info());
  if (tuning) {
    device.set_tuning(std::make_shared<const Tuning>(tuning.take()));
  } else if (tuning.error().code() != ErrorCode::kNotFound) {
    options.log.warning(tuning.error().message());
  }
}

}  // namespace

std::string tuning_folder(const DeviceOptions& options) {
  return options.tuning_folder ? *options.tuning_folder : user_cache_folder();
}

Result<std::shared_ptr<Runtime>> open_runtime(const DeviceOptions& options, OpSet ops) {
  if (options.devices.empty() || options.devices.size() > kDevicesMax) {
    return Error::invalid("[device] devices, got " + std::to_string(options.devices.size()) +
                          ", wanted 1 to " + std::to_string(kDevicesMax));
  }
  if (options.gpu_share && (*options.gpu_share <= 0 || *options.gpu_share > 1)) {
    return Error::invalid("[device] GPU share, got " + std::to_string(*options.gpu_share) +
                          ", wanted above 0 and at most 1");
  }
  std::vector<std::unique_ptr<Device>> devices;
  for (const std::string& name : options.devices) {
    auto device = open_device(name, options);
    if (!device) return device.error();
    devices.push_back(device.take());
  }
  const auto spread = static_cast<DeviceIndex>(devices.size());
  const bool complete = std::any_of(devices.begin(), devices.end(),
                                    [](const auto& device) { return device->info().host_memory; });
  if (!complete) {
    auto cpu = open_cpu(options);
    if (!cpu) return cpu.error();
    devices.push_back(cpu.take());
  }
  for (const auto& device : devices) use_tuning(*device, options);
  return std::make_shared<Runtime>(std::move(devices), spread, std::move(ops));
}

Result<std::vector<DeviceInfo>> list_devices(int threads) {
  DeviceOptions options;
  options.threads = threads;
  std::vector<DeviceInfo> out;
  auto cpu = open_cpu(options);
  if (!cpu) return cpu.error();
  out.push_back((*cpu)->info());
  out.push_back(make_reference_device()->info());
  auto gpus = list_vulkan_devices();
  if (!gpus) return gpus.error();
  for (DeviceInfo& gpu : *gpus) out.push_back(std::move(gpu));
  return out;
}

}  // namespace polaris
