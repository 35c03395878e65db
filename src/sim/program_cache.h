#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/vulkan/kernel.h"
#include "base/result.h"
#include "gcn/program.h"
#include "sim/null_device.h"
#include "sim/program_file.h"

namespace polaris::gcn {

/// A dispatch's pipeline, for the compiler. It is named by all that tells it from others.
radv::Variant variant_of(const vulkan::Dispatch& dispatch);

/// Dispatches of the Vulkan backend's kernels as POLARIS10 programs, each compiled once.
class ProgramCache {
 public:
  /// With Mesa's driver, which compiles. `file` (ProgramFile, "" for none) stands in where there is
  /// no driver. Errors: not_found where there is neither; the file's.
  static Result<std::unique_ptr<ProgramCache>> open(const std::string& icd,
                                                    const std::string& file = "");
  /// The version that made the programs.
  const std::string& mesa() const { return device_ ? device_->mesa() : kept_.mesa; }
  /// The program of a dispatch's pipeline. It lives as long as the cache. Errors: not_found where
  /// it would have to be compiled and there is no driver.
  Result<const Program*> get(const vulkan::Dispatch& dispatch);
  /// Adds what was compiled to a file, in which only programs of the same Mesa stay. Errors: io.
  Status save(const std::string& file);

 private:
  std::unique_ptr<radv::NullDevice> device_;  // null: `kept_` is all there is
  ProgramFile kept_;
  std::map<std::string, Program, std::less<>> programs_;  // by the name of their variant
};

}  // namespace polaris::gcn
