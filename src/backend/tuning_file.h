#pragma once
#include <string>

#include "backend/tuning.h"
#include "base/result.h"

namespace polaris {

/// What was measured on a device, kept in a text file: a line that names the format, the device,
/// the build (driver and kernels) and one line a node with its key and kernel, then a hash of it
/// all.

/// The file of a device in a folder of caches; it holds one build's figures, those of the last
/// `polaris tune`.
std::string tuning_path(const std::string& cache_folder, const DeviceInfo& device);

/// Errors: not_found (no file); invalid: damaged, of a newer form, or of another device, driver or
/// build, in words that say which.
Result<Tuning> load_tuning(const std::string& path, const DeviceInfo& device);

/// Replaces the file, so that readers see the old or the new one whole. Errors: io.
Status save_tuning(const std::string& path, const DeviceInfo& device, const Tuning& tuning);

}  // namespace polaris
