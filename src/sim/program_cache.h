#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backend/vulkan/kernel.h"
#include "base/result.h"
#include "gcn/program.h"
#include "sim/null_device.h"

namespace polaris::gcn {

/// A dispatch's pipeline, for the compiler. It is named by all that tells it from others.
radv::Variant variant_of(const vulkan::Dispatch& dispatch);

/// Dispatches of the Vulkan backend's kernels as POLARIS10 programs, each compiled once.
class ProgramCache {
 public:
  static Result<std::unique_ptr<ProgramCache>> open(const std::string& icd);
  const std::string& mesa() const { return device_->mesa(); }
  /// The program of a dispatch's pipeline. It lives as long as the cache.
  Result<const Program*> get(const vulkan::Dispatch& dispatch);

 private:
  explicit ProgramCache(std::unique_ptr<radv::NullDevice> device) : device_(std::move(device)) {}
  std::unique_ptr<radv::NullDevice> device_;
  std::map<std::string, Program, std::less<>> programs_;
};

}  // namespace polaris::gcn
