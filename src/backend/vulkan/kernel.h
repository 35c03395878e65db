#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "backend/kernel_family.h"

/// What a kernel family says about its nodes. Kernels are data: the device turns them into
/// pipelines, descriptor sets and commands, so a family never sees Vulkan.
namespace polaris::vulkan {

/// What the device offers, as families may choose by it. Nothing here is ever required.
struct VulkanTarget {
  bool int64 = false;                // 64-bit integer arithmetic
  bool int16 = false;                // 16-bit integer arithmetic
  bool int8 = false;                 // 8-bit integer arithmetic
  bool float16 = false;              // 16-bit float arithmetic (storage is always there)
  bool integer_dot = false;          // accelerated 4x8-bit dot product
  bool subgroup_arithmetic = false;  // subgroupAdd and friends in compute shaders
  bool subgroup_shuffle = false;
  std::uint32_t subgroup_size = 64;
  std::uint32_t group_count_max = 65535;   // per grid dimension
  std::uint32_t group_threads_max = 256;   // threads of one workgroup
  std::uint32_t shared_bytes_max = 32768;  // never count on more than 32 KiB
  // Rounds of all loops of one invocation together. Mesa's software rasterizer ends loops there,
  // and says nothing.
  std::int64_t loop_rounds_max = INT64_MAX;
  std::int64_t binding_bytes_max = 0;  // one operand of one dispatch
  std::int64_t alignment_bytes = 64;   // of every operand's offset within its region
};

/// What one storage-buffer binding of a dispatch shows.
struct Operand {
  enum class Source : std::uint8_t {
    kInput,      // node input `index`
    kOutput,     // node output `index`; dims operands of data-dependent ops follow the outputs
    kWorkspace,  // the launch's scratch
    kParams,     // the kernel's own bytes (VulkanKernel::params)
    kStatus,     // one uint32, 0 before each run, for what the kernel reports
  };
  Source source = Source::kInput;
  std::int32_t index = 0;
  std::int64_t offset = 0;  // bytes into the source, a multiple of alignment_bytes
  std::int64_t bytes = -1;  // -1: to the source's end

  static Operand input(int i, std::int64_t offset = 0, std::int64_t bytes = -1) {
    return {Source::kInput, i, offset, bytes};
  }
  static Operand output(int i, std::int64_t offset = 0, std::int64_t bytes = -1) {
    return {Source::kOutput, i, offset, bytes};
  }
  static Operand workspace(std::int64_t offset = 0, std::int64_t bytes = -1) {
    return {Source::kWorkspace, 0, offset, bytes};
  }
  static Operand params(std::int64_t offset = 0, std::int64_t bytes = -1) {
    return {Source::kParams, 0, offset, bytes};
  }
  static Operand status() { return {Source::kStatus, 0, 0, -1}; }
};

/// One dispatch. Bindings are storage buffers 0..n-1 of set 0; an empty source is bound to spare
/// bytes, so that shaders need no variant for it. Specialization constants have ids 0..n-1.
struct Dispatch {
  std::string_view shader;               // name of an embedded module, static
  std::vector<std::uint32_t> constants;  // floats by bit pattern
  std::vector<std::uint32_t> push;       // push-constant words, at most 32
  std::vector<Operand> operands;
  std::array<std::uint32_t, 3> grid = {1, 1, 1};  // workgroups; a zero skips the dispatch
  std::optional<Operand> indirect;                // uint32[3] that replaces the grid
  bool barrier_before = true;  // reads what this kernel's earlier dispatches wrote
  // At most so many rounds do all loops of one invocation take, those that do not depend on sizes
  // left out. A kernel with more than the device allows is refused.
  std::int64_t loop_rounds = 0;
  double estimate_us = 0;
};

/// One shipped pipeline variant, as tools/audit compiles it.
struct ShaderVariant {
  std::string name;  // unique, "elementwise.f32 add strided"
  std::string_view shader;
  std::vector<std::uint32_t> constants;
  std::uint32_t bindings = 0;
  std::uint32_t push_bytes = 0;
  std::uint32_t work_per_trip = 0;  // units of work per trip of the hot loop; 0: no loop
};

/// A chosen kernel: plain data. Families with packed weights derive from it.
class VulkanKernel : public Kernel {
 public:
  explicit VulkanKernel(std::string name) : name_(std::move(name)) {}
  std::string_view name() const override { return name_; }
  std::int64_t workspace_bytes() const override { return workspace; }
  bool absorbs(int input) const override {
    return input >= 0 && input < 64 && ((absorbed >> static_cast<unsigned>(input)) & 1u) != 0;
  }

  bool reports() const override { return !report_text.empty(); }
  std::string report(std::uint32_t code) const override;

  std::vector<Dispatch> dispatches;  // run in order
  /// What is wrong where a dispatch leaves anything but 0 in its status operand, which "{}" stands
  /// for as a signed number; "": none has one.
  std::string report_text;
  // Bytes as they stand in memory before every run, at most 64 KiB: a kernel that writes them (a
  // counter) leaves them as they were. Runs of one executable never overlap.
  std::vector<std::byte> params;
  std::int64_t workspace = 0;
  std::uint64_t absorbed = 0;  // bit i: input i is not read by any dispatch

 private:
  std::string name_;
};

using KernelResult = Result<std::shared_ptr<Kernel>>;

struct KernelFamily : polaris::KernelFamily<VulkanTarget> {
  /// Every pipeline variant that its candidates may ask for, up to shape-dependent constants.
  std::vector<ShaderVariant> (*variants)() = nullptr;
};

extern const KernelFamily* const kFamilies[];
extern const std::size_t kFamilyCount;

}  // namespace polaris::vulkan
