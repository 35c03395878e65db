#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// Mesa's Vulkan driver for AMD cards with no card present: it compiles for POLARIS10 and says what
/// it made.
namespace polaris::radv {

inline constexpr const char* kDefaultIcd = "/usr/share/vulkan/icd.d/radeon_icd.x86_64.json";

/// One compute pipeline: what fixes its machine code, beside the SPIR-V.
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
  std::string nir;  // the program as the back end takes it
  std::string ir;   // the back end's own form
};

/// An assembly with every instruction written out: the driver writes one that follows itself once,
/// and "(then repeated N times)" below it.
std::string with_repeats(const std::string& assembly);

/// The null device. Nothing is executed. Not thread-safe.
class NullDevice {
 public:
  /// `icd` is the driver's manifest. RADV_FORCE_FAMILY and VK_ICD_FILENAMES are set while the
  /// driver is opened and then put back, so it opens before other threads start. Errors: a null
  /// pointer, and why in `error`.
  static std::unique_ptr<NullDevice> open(const std::string& icd, std::string& error);
  ~NullDevice();
  NullDevice(const NullDevice&) = delete;
  NullDevice& operator=(const NullDevice&) = delete;

  const std::string& mesa() const;
  Compiled compile(const Variant& variant, const std::vector<std::uint32_t>& words);

 private:
  struct State;
  explicit NullDevice(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace polaris::radv
