#pragma once
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ir/constant.h"
#include "ir/op_def.h"
#include "tensor/layout.h"
#include "tensor/tensor.h"

/// The one interface between planning and devices. A Device answers what it can run (select), packs
/// weights, compiles a run of launches into an Executable, and runs it on memory it allocated.
/// Devices know nothing of graphs. All methods are thread-safe unless said otherwise.
namespace polaris {

enum class MemoryKind : std::uint8_t {
  kDevice,    // where kernels are fastest; not host-visible in general
  kUpload,    // written by the host, read by kernels: step parameters, inputs
  kReadback,  // written by kernels, read by the host: outputs
};

/// A device allocation. Must not outlive its Device. Its destructor does not wait: the memory is
/// freed once the work that was started with it is done.
class Buffer {
 public:
  virtual ~Buffer() = default;
  std::int64_t bytes() const { return bytes_; }
  /// Unique in the process, never reused: Executables key their recordings by it.
  std::uint64_t id() const { return id_; }
  /// Host address of byte 0, or null where the host cannot reach it. Host writes to kUpload memory
  /// before submit, and kernel writes to kReadback memory once their fence is waited for, are
  /// visible without more.
  std::byte* host() const { return host_; }

 protected:
  Buffer(std::int64_t bytes, std::byte* host);
  /// For buffers that are made before their memory.
  void set_host(std::byte* host) { host_ = host; }

 private:
  std::int64_t bytes_;
  std::uint64_t id_;
  std::byte* host_;
};

struct BufferView {
  Buffer* buffer = nullptr;
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
};

struct DeviceInfo {
  std::string id;                         // "cpu", "reference", "vulkan:0"
  std::string backend;                    // "cpu", "reference", "vulkan"
  std::string name;                       // "AMD Radeon RX 580 (RADV POLARIS10)", CPU model
  std::string driver;                     // driver name and version
  bool software = false;                  // a software rasterizer
  bool host_memory = false;               // kDevice memory is plain host memory (cpu, reference)
  std::int64_t memory_bytes = 0;          // all there is
  std::int64_t budget_bytes = 0;          // what this process might use when it was opened
  std::int64_t own_bytes = 0;             // of its budget, for staging
  std::int64_t allocation_bytes_max = 0;  // one Buffer
  std::int64_t binding_bytes_max = 0;     // one operand of one launch
  std::int64_t alignment_bytes = 64;      // of every operand's offset
  std::vector<std::string> features;      // "avx2", "storage16", ... for `polaris info`
  std::vector<std::string> limits;        // what limits it, in words: "no fp16 arithmetic" ...
  // What measured choices of kernels hold for (backend/tuning.h): the device, and the driver and
  // kernels that were measured. Empty where there is nothing to choose.
  std::string tuning_device;
  std::string tuning_build;
};

/// An operand of a node offered to select().
struct OperandDesc {
  TensorType type;  // static; data-dependent outputs: the bound
  Layout layout = Layout::kRowMajor;
  const Constant* constant = nullptr;  // weights: the bytes in the file's layout
  bool present = true;
};

/// One node, with nothing of its graph. An input that its op declares kHostRead is in no device
/// memory: its launch has no operand for it (region -1), and kernels take it from `values` while
/// they are selected. A kDataDependent op has, after its own outputs, one more output operand per
/// output: int64[rank], the actual dims, which the kernel writes.
struct NodeDesc {
  const OpDef* op = nullptr;
  const Attrs* attrs = nullptr;
  std::string_view name;
  std::span<const OperandDesc> inputs;
  std::span<const OperandDesc> outputs;
  std::span<const Tensor* const> values;  // known host values per input (shapes, axes ...) or null

  /// The attributes, in the struct that the op makes: kernels read them by no other way.
  template <class A>
  const A& attributes() const {
    assert(op->make_attrs == make_attrs<A>);
    return static_cast<const A&>(*attrs);
  }
};

/// The one layout of the node's kSpatial operands. Errors: unsupported where they differ, where
/// another operand is not row-major, or where an operand in another layout is encoded.
Result<Layout> spatial_layout(const NodeDesc& node);

/// The small dtype that an operand of the node has or is stored in, or nothing. Kernels that
/// compute in bytes and words refuse such a node by it.
std::optional<DType> small_dtype(const NodeDesc& node);

/// What a kernel was chosen from: kernels of one node, by kernel_id(), the one that estimates
/// choose first. `node` is the node's key in a Tuning.
struct KernelChoice {
  std::string node;
  std::vector<std::string> kernels;
};

class Tuning;

/// A kernel chosen for one node: how it wants its weights, what workspace, what it costs.
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// "matmul_q4_0_gemv": family and variant, for --profile.
  virtual std::string_view name() const = 0;
  virtual std::int64_t workspace_bytes() const { return 0; }
  /// Input `i` (a constant) is not read by the launch: its value was taken at select() time.
  virtual bool absorbs(int input) const { return (void)input, false; }
  /// Layout in which constant input `i` must stand in device memory: "" is the file's bytes as they
  /// are (plain or encoded, row-major); any other string names pack()'s result and keys sharing.
  virtual std::string weight_layout(int input) const { return (void)input, std::string(); }
  /// Bytes of packed input `i`; only where weight_layout(i) is not "".
  virtual std::int64_t packed_bytes(int input) const { return (void)input, 0; }
  virtual Status pack(int input, const Constant& weight, std::span<std::byte> out) const;
  /// The kernel takes its operands row-major, and the device has one that takes them channels-last
  /// and is faster by more than the conversions of its neighbours may cost.
  virtual bool rather_channels_last() const { return false; }
  /// The launch writes a code other than 0 to its status word (LaunchDesc::status) where it finds
  /// that its data are wrong; report() says in words what the code means.
  virtual bool reports() const { return false; }
  virtual std::string report(std::uint32_t code) const;
  /// What tells it from kernels of the same name that were offered for the node: "256 threads".
  std::string variant;
  std::shared_ptr<const KernelChoice> choice;  // null where only one was offered
  std::int64_t flops = 0;                      // counts, filled by the device from OpDef and types
  std::int64_t bytes = 0;
  double estimate_us = 0;  // what the planner weighs; a model, not a measurement
};

/// Where a launch finds an operand: a region bound at run time or fixed at compile time.
struct OperandRef {
  std::int32_t region = -1;  // -1: absent or absorbed
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
};

struct LaunchDesc {
  std::shared_ptr<const Kernel> kernel;
  std::string node_name;
  std::vector<OperandRef> inputs;   // one per node input
  std::vector<OperandRef> outputs;  // one per node output (+ dims operands of data-dependent ops)
  OperandRef workspace;
  OperandRef status;  // uint32, zero before each run; only where the kernel reports()
};

/// A straight run of launches on one device. Launches run as if in order; a launch may overlap its
/// predecessors only where no byte is shared.
struct SegmentDesc {
  std::string name;
  std::vector<LaunchDesc> launches;
  /// Regions [0, fixed.size()) are bound now (weights); the rest, run_regions of them, at submit.
  std::vector<BufferView> fixed;
  std::int32_t run_regions = 0;
};

/// A compiled segment. Belongs to its Device. May be submitted again before its last run is over:
/// its runs follow each other.
class Executable {
 public:
  virtual ~Executable() = default;
};

class CancelToken {
 public:
  void cancel() { flag_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return flag_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> flag_{false};
};

/// Time spent by one launch, filled when profiling is asked for.
struct LaunchTime {
  std::int32_t launch = 0;
  double us = 0;
};

/// A point in one of a device's queues, reached once the work that was given it is done. One that
/// was made by default is reached. Fences are of one device; across devices the host waits.
struct Fence {
  std::uint64_t value = 0;  // rises within a queue
  std::uint32_t queue = 0;

  friend bool operator==(const Fence&, const Fence&) = default;
};

struct SubmitArgs {
  std::span<const BufferView> regions;  // one per run region
  /// Must live until the run is over; it then ends between two of its units.
  const CancelToken* cancel = nullptr;
  std::vector<LaunchTime>* profile = nullptr;  // with it the device may serialize launches
  std::span<const Fence> after = {};           // what the run starts after
};

/// Monotonic event counts, for proofs and --profile.
struct DeviceCounters {
  std::int64_t allocations = 0;  // device buffers ever allocated
  std::int64_t live_bytes = 0;   // in buffers now
  std::int64_t peak_bytes = 0;
  std::int64_t command_buffers = 0;  // recorded, ever
  std::int64_t pipelines = 0;        // created, ever
  std::int64_t submits = 0;
  std::int64_t launches = 0;
  /// Times that work gave way to that of others before it was done, and the longest unit of work as
  /// measured, once units are cut by what was measured.
  std::int64_t turns_given = 0;
  std::int64_t longest_unit_us = 0;
};

/// Work starts when what it was told to follow is done, and waits for nothing else. Where several
/// submissions have work left they take turns, in units of at most kUnitUs.
class Device {
 public:
  /// The longest that a unit of work keeps the device from others; a kernel that runs longer in one
  /// piece is split, and named where it cannot be.
  static constexpr double kUnitUs = 50e3;

  virtual ~Device() = default;
  virtual const DeviceInfo& info() const = 0;
  virtual DeviceCounters counters() const = 0;
  /// What this process may use now, with what it uses; it changes as others come and go.
  virtual std::int64_t budget_bytes() { return info().budget_bytes; }
  /// The kernel that kept the device longest in one piece that was longer than a unit, in words; ""
  /// where there was none.
  virtual std::string slow_kernel() const { return {}; }

  /// The kernel for a node, in the layouts that its operands have. Errors: unsupported, with the
  /// reason in words.
  virtual Result<std::shared_ptr<const Kernel>> select(const NodeDesc& node) const = 0;

  /// What was measured here: select() goes by it from now on. Null: by estimates alone.
  virtual void set_tuning(const std::shared_ptr<const Tuning>& /*tuning*/) {}

  /// Errors: out_of_memory (also where the budget or allocation_bytes_max forbids it).
  virtual Result<std::unique_ptr<Buffer>> allocate(std::int64_t bytes, MemoryKind kind) = 0;
  /// A buffer over host bytes without copying them, or nothing where the device cannot; `owner`
  /// keeps the bytes alive. Read only.
  virtual std::unique_ptr<Buffer> wrap(std::span<const std::byte> bytes,
                                       std::shared_ptr<const void> owner) = 0;

  // Copies. Each starts after the fences it is given; the views' buffers stay until it is done.
  /// `from` has been read when it returns.
  virtual Result<Fence> start_write(const BufferView& to, const std::byte* from,
                                    std::span<const Fence> after) = 0;
  /// Between two buffers of this device. Errors: invalid where the ranges overlap.
  virtual Result<Fence> start_copy(const BufferView& from, const BufferView& to,
                                   std::span<const Fence> after) = 0;
  virtual Result<Fence> start_fill_zero(const BufferView& to, std::span<const Fence> after) = 0;
  /// `to` is filled when it returns. (What must not wait is copied to kReadback memory instead.)
  virtual Status read(const BufferView& from, std::byte* to, std::span<const Fence> after) = 0;

  virtual Result<std::unique_ptr<Executable>> compile(SegmentDesc segment) = 0;
  /// Starts a run after args.after and after the executable's earlier runs; returns at once where
  /// the device is asynchronous. Steady state (same executable, same bindings) neither allocates
  /// nor records. After an error nothing of the run uses the buffers any more.
  virtual Result<Fence> submit(Executable& executable, const SubmitArgs& args) = 0;
  /// Blocks until the fence is reached. After an error too nothing of its work is under way.
  virtual Status wait(Fence fence) = 0;

  // The same copies, waited for.
  Status write(const BufferView& to, const std::byte* from) {
    return finish(start_write(to, from, {}));
  }
  Status copy(const BufferView& from, const BufferView& to) {
    return finish(start_copy(from, to, {}));
  }
  Status fill_zero(const BufferView& to) { return finish(start_fill_zero(to, {})); }
  Status read(const BufferView& from, std::byte* to) { return read(from, to, {}); }

 private:
  Status finish(const Result<Fence>& started) {
    return started ? wait(*started) : Status(started.error());
  }
};

}  // namespace polaris
