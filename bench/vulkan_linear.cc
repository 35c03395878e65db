// Times polaris.Linear on a Vulkan device: one submission of launches over different matrices, of
// at least 8 and 256 MiB, so that no cache of the device helps. Wall time each behind the one
// before, as in a decoder, and all at once, as ggml's are in bench/peers/ggml_ops.py.
//   bench_vulkan_linear DEVICE FORMAT:MxKxN...    y[n, m] = x[n, k] @ w[m, k]^T, as
//   q4_0:4096x14336x512
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/vulkan/kernel.h"
#include "backend/vulkan/vulkan_device.h"
#include "base/checked.h"
#include "base/os/clock.h"
#include "ir/op_set.h"
#include "tensor/block_quantize.h"
#include "tensor/half.h"

namespace {

using namespace polaris;

constexpr std::int64_t kRotatedBytes = std::int64_t{256} << 20;
constexpr std::int64_t kMatricesMin = 8;
constexpr std::int64_t kMatricesMax = 1024;
constexpr std::int64_t kLaunchesMin = 16;
constexpr double kMillisecondsPerCase = 1000;

struct Case {
  TensorType element;
  std::int64_t m = 0, k = 0, n = 0;
};

std::optional<TensorType> element_of(std::string_view format) {
  if (format == "f32") return TensorType{DType::kF32, {}, {}};
  if (format == "f16") return TensorType{DType::kF16, {}, {}};
  const auto block = block_format_from_name(format);
  if (!block || !quantizes(*block)) return std::nullopt;
  return TensorType{DType::kF32, {}, Encoding::of(*block)};
}

std::optional<Case> read_case(std::string_view text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto element = element_of(text.substr(0, colon));
  if (!element) return std::nullopt;
  Case c{*element};
  const char* at = text.data() + colon;
  const char* const end = text.data() + text.size();
  for (std::int64_t* size : {&c.m, &c.k, &c.n}) {
    if (at == end) return std::nullopt;
    const auto read = std::from_chars(at + 1, end, *size);
    if (read.ec != std::errc() || *size < 1 || *size > (1 << 20)) return std::nullopt;
    at = read.ptr;
  }
  return c;
}

/// Random numbers in [-1, 1): a run of them, over and over.
Tensor filled(const TensorType& type) {
  constexpr std::int64_t kRun = 1 << 18;
  std::vector<float> floats(kRun);
  std::uint32_t state = 12345;
  for (float& f : floats) {
    state = state * 1664525u + 1013904223u;
    f = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
  }
  auto run = Tensor::allocate({type.dtype, {kRun}, type.encoding});
  auto t = Tensor::allocate(type);
  if (!run || !t) return {};
  if (type.encoding.is_block()) {
    quantize_blocks(type.encoding.format, floats.data(), kRun, run->mutable_bytes().data());
  } else if (type.dtype == DType::kF16) {
    std::transform(floats.begin(), floats.end(), run->mutable_data<std::uint16_t>(), f32_to_f16);
  } else {
    std::copy(floats.begin(), floats.end(), run->mutable_data<float>());
  }
  const std::span<std::byte> out = t->mutable_bytes();
  for (std::size_t at = 0; at < out.size(); at += run->bytes().size()) {
    const std::size_t size = std::min(out.size() - at, run->bytes().size());
    std::copy_n(run->bytes().begin(), size, out.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return t.take();
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Buffers of the device: x, y, workspace and the matrices, all copies of one.
class Buffers {
 public:
  explicit Buffers(Device& device) : device_(device) {}

  Status add(std::int64_t bytes) {
    auto buffer = device_.allocate(std::max<std::int64_t>(bytes, 4), MemoryKind::kDevice);
    if (!buffer) return buffer.error();
    buffers_.push_back(buffer.take());
    views_.push_back({buffers_.back().get(), 0, bytes});
    return Status::success();
  }
  Status write(std::size_t at, const std::byte* bytes) { return device_.write(views_[at], bytes); }
  Status copy(std::size_t from, std::size_t to) { return device_.copy(views_[from], views_[to]); }
  const std::vector<BufferView>& views() const { return views_; }
  OperandRef ref(std::size_t at) const {
    return {static_cast<std::int32_t>(at), 0, views_[at].bytes};
  }

 private:
  Device& device_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::vector<BufferView> views_;
};

constexpr std::size_t kX = 0, kY = 1, kWorkspace = 2, kMatrices = 3;
/// Launches at once have a part of y each.
constexpr std::int64_t kAligned = 256;

std::int64_t launches_for(std::int64_t copies) { return std::max(copies, kLaunchesMin); }

Result<std::int64_t> make_buffers(const Kernel& kernel, const Case& c, const Constant& w,
                                  Buffers& buffers) {
  const Tensor x = filled({DType::kF32, {c.n, c.k}, {}});
  const std::int64_t packed = std::max<std::int64_t>(kernel.packed_bytes(1), 1);
  const auto copies = std::clamp((kRotatedBytes + packed - 1) / packed, kMatricesMin, kMatricesMax);
  const std::int64_t y_bytes = launches_for(copies) * round_up(c.n * c.m * 4, kAligned);
  for (const std::int64_t bytes : {c.n * c.k * 4, y_bytes, kernel.workspace_bytes()}) {
    if (Status s = buffers.add(bytes); !s) return s.error();
  }
  if (Status s = buffers.write(kX, x.bytes().data()); !s) return s.error();
  std::vector<std::byte> bytes(static_cast<std::size_t>(kernel.packed_bytes(1)));
  if (Status s = kernel.pack(1, w, bytes); !s) return s.error();
  for (std::int64_t i = 0; i < copies; ++i) {
    if (Status s = buffers.add(packed); !s) return s.error();
    Status s = i == 0 ? buffers.write(kMatrices, bytes.data())
                      : buffers.copy(kMatrices, buffers.views().size() - 1);
    if (!s) return s.error();
  }
  return copies;
}

SegmentDesc segment_of(const std::shared_ptr<const Kernel>& kernel, const Buffers& buffers,
                       std::int64_t copies, const Case& c, bool at_once) {
  SegmentDesc out;
  out.run_regions = static_cast<std::int32_t>(buffers.views().size());
  const std::int64_t y_bytes = c.n * c.m * 4;
  for (std::int64_t i = 0; i < launches_for(copies); ++i) {
    const std::int64_t at = at_once ? i * round_up(y_bytes, kAligned) : 0;
    out.launches.push_back(
        {kernel,
         "bench",
         {buffers.ref(kX), buffers.ref(kMatrices + static_cast<std::size_t>(i % copies))},
         {{static_cast<std::int32_t>(kY), at, y_bytes}},
         {static_cast<std::int32_t>(kWorkspace), 0, kernel->workspace_bytes()}});
  }
  return out;
}

/// Wall time of a launch in microseconds.
Result<double> wall_us(Device& device, Executable& executable, const Buffers& buffers,
                       std::int64_t launches) {
  std::vector<double> wall;
  const std::int64_t begin = monotonic_ns();
  for (int i = 0; i < 3 || elapsed_ms(begin) < kMillisecondsPerCase; ++i) {
    const std::int64_t start = monotonic_ns();
    auto fence = device.submit(executable, {.regions = buffers.views()});
    if (!fence) return fence.error();
    if (Status s = device.wait(*fence); !s) return s.error();
    if (i > 0) wall.push_back(elapsed_ms(start) * 1000 / static_cast<double>(launches));
  }
  return median(wall);
}

Status time_case(Device& device, const OpDef& op, std::string_view name, const Case& c) {
  TensorType type = c.element;
  type.shape = {c.m, c.k};
  Constant w;
  w.data = filled(type);
  const OperandDesc inputs[] = {{{DType::kF32, {c.n, c.k}, {}}}, {type, Layout::kRowMajor, &w}};
  const OperandDesc outputs[] = {{{DType::kF32, {c.n, c.m}, {}}}};
  const std::vector<const Tensor*> values(2);
  auto kernel = device.select({&op, nullptr, "bench", inputs, outputs, values});
  if (!kernel) return kernel.error();
  Buffers buffers(device);
  const auto copies = make_buffers(**kernel, c, w, buffers);
  if (!copies) return copies.error();
  const std::int64_t launches = launches_for(*copies);
  auto in_turn = device.compile(segment_of(*kernel, buffers, *copies, c, false));
  if (!in_turn) return in_turn.error();
  auto at_once = device.compile(segment_of(*kernel, buffers, *copies, c, true));
  if (!at_once) return at_once.error();
  const auto turn_us = wall_us(device, **in_turn, buffers, launches);
  if (!turn_us) return turn_us.error();
  const auto once_us = wall_us(device, **at_once, buffers, launches);
  if (!once_us) return once_us.error();
  std::vector<double> clock;
  std::vector<LaunchTime> times;
  for (int i = 0; i < 3; ++i) {
    auto fence = device.submit(**in_turn, {.regions = buffers.views(), .profile = &times});
    if (!fence) return fence.error();
    for (const LaunchTime& t : times) clock.push_back(t.us);
  }
  const double us = median(clock);
  std::printf(
      "%-22s %-24s us: %8.1f in turn %8.1f at once %8.1f clock, %7.1f GB/s %6.2f TFLOPS by the "
      "clock\n",
      std::string(name).c_str(), std::string((*kernel)->name()).c_str(), *turn_us, *once_us, us,
      static_cast<double>((*kernel)->packed_bytes(1)) / us * 1e-3,
      2.0 * static_cast<double>(c.m) * static_cast<double>(c.k) * static_cast<double>(c.n) / us *
          1e-6);
  std::fflush(stdout);
  return Status::success();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_vulkan_linear DEVICE FORMAT:MxKxN...\n");
    return 1;
  }
  VulkanOptions options;
  options.pipeline_cache_path = "";
  options.selector = argv[1];
  auto device = make_vulkan_device(options);
  if (!device) {
    std::fprintf(stderr, "bench_vulkan_linear: %s\n", device.error().message().c_str());
    return 1;
  }
  std::printf("%s, %s\n", (*device)->info().name.c_str(), (*device)->info().driver.c_str());
  const OpSet ops = OpSet::builtin();
  const OpDef* op = ops.find("Linear", "polaris");
  for (int i = 2; i < argc; ++i) {
    const auto c = read_case(argv[i]);
    const Status s = c && op != nullptr
                         ? time_case(**device, *op, argv[i], *c)
                         : Error::invalid("[bench] wanted FORMAT:MxKxN, sizes of 1 to 1048576");
    if (!s) {
      std::fprintf(stderr, "%s: %s\n", argv[i], s.error().message().c_str());
      return 1;
    }
  }
  return 0;
}
