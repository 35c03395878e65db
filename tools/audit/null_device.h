#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace polaris::audit {

/// One pipeline that we ship, as shaders.json lists it.
struct Variant {
  std::string name;
  std::string file;                                                     // relative to shaders.json
  std::vector<std::pair<std::uint32_t, std::uint32_t>> specialization;  // id, bits
  std::uint32_t bindings = 0;
  std::uint32_t push_constant_bytes = 0;
  double work_per_trip = 1;  // units of work a lane does in a trip of the hot loop
};

/// What the driver made of a Variant. `error` is empty where it compiled.
struct Compiled {
  std::string error;
  std::string mesa;  // driver version, e.g. "22.3.6"
  std::map<std::string, std::int64_t> statistics;
  std::string assembly;
};

/// Compiles SPIR-V words for POLARIS10 with RADV's null device (nothing is executed and no card is
/// needed). `icd` is the driver's manifest. Sets RADV_FORCE_FAMILY and VK_ICD_FILENAMES, so it
/// belongs in a process of its own.
Compiled compile_for_polaris(const Variant& variant, const std::vector<std::uint32_t>& words,
                             const std::string& icd);

}  // namespace polaris::audit
