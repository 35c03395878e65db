#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "ir/op_set.h"
#include "session/runtime.h"

namespace polaris {

struct DeviceOptions {
  /// What `--device` names, in order: "auto" (the first GPU, else the cpu), "cpu", "reference",
  /// "vulkan" (the first GPU), "vulkan:N" (the N-th Vulkan device), "vulkan:NAME" (part of its
  /// name; the only way to get a software rasterizer). A name twice is two instances.
  std::vector<std::string> devices = {"auto"};
  int threads = 0;  // of the cpu device; 0: one per core
  /// Part of a GPU's memory this process may use, 0 to 1; nothing: all but the desktop's share.
  std::optional<double> gpu_share;
  /// Memory that GPUs are taken to have, where they have more; 0: what they say.
  std::int64_t vram_bytes = 0;
  /// Where `polaris tune` keeps what it measured; nothing: in the user's cache folder, "": nowhere.
  std::optional<std::string> tuning_folder;
  Logger log;  // told of a tuning that is of no use here
};

/// The folder of caches that the options name, "" for none.
std::string tuning_folder(const DeviceOptions& options);

/// Opens the devices. The cpu stands behind them for nodes that none of them runs, unless it or the
/// reference is among them. Errors: invalid (a name that means nothing), not_found, device.
Result<std::shared_ptr<Runtime>> open_runtime(const DeviceOptions& options,
                                              OpSet ops = OpSet::builtin());

/// All devices of this machine, for `polaris info`: cpu, reference, every Vulkan device.
Result<std::vector<DeviceInfo>> list_devices(int threads = 0);

}  // namespace polaris
