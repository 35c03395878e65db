// Times single kernels of the cpu device against what the machine can do: Linear with each weight
// encoding at one token and at a prompt's length, and convolutions. Weights rotate over at least
// 256 MiB, so that no cache helps a memory-bound kernel.
//   cpu_kernels [threads] [isa]
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "backend/cpu/cpu_device.h"
#include "base/thread_pool.h"
#include "ir/op_attrs/conv.h"
#include "ir/op_set.h"
#include "tensor/block_format.h"
#include "tensor/half.h"

namespace {

using namespace polaris;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kRotateBytes = std::int64_t{256} << 20;
constexpr double kSecondsPerCase = 1.0;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Tensor filled(const Shape& shape) {
  auto t = Tensor::allocate(DType::kF32, shape);
  if (!t) return {};
  std::uint32_t state = 12345;
  for (std::int64_t i = 0; i < t->elements(); ++i) {
    state = state * 1664525u + 1013904223u;
    t->mutable_data<float>()[i] = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
  }
  return t.take();
}

Tensor encoded(const Tensor& plain, BlockFormat format) {
  TensorType type = plain.type();
  type.encoding = Encoding::of(format);
  auto t = Tensor::allocate(type);
  if (!t) return {};
  encode_blocks(format, plain.data<float>(), plain.elements(), t->mutable_bytes().data());
  return t.take();
}

/// Median milliseconds of a node with constant input 1, over rotating copies of the weight.
struct Timing {
  double ms = 0;
  std::int64_t weight_bytes = 0;
};
Timing time_node(Device& device, const OpDef& op, const Attrs& attrs, const Tensor& x,
                 const Tensor& w, const Shape& y) {
  const Constant weight{w, {}, {}, "w"};
  const OperandDesc inputs[] = {{x.type()}, {w.type(), Layout::kRowMajor, &weight}};
  const OperandDesc outputs[] = {{TensorType{DType::kF32, y, {}}}};
  const Tensor* values[] = {nullptr, &w};
  auto kernel = device.select({&op, &attrs, "bench", inputs, outputs, values});
  if (!kernel) return {};
  const bool packs = !(*kernel)->weight_layout(1).empty();
  const std::int64_t bytes =
      packs ? (*kernel)->packed_bytes(1) : static_cast<std::int64_t>(w.bytes().size());
  const std::int64_t y_bytes = y.elements() * 4;
  const auto copies = static_cast<std::size_t>(kRotateBytes / std::max<std::int64_t>(bytes, 1) + 1);
  std::vector<std::unique_ptr<Buffer>> weights;
  for (std::size_t i = 0; i < copies; ++i) {
    auto buffer = device.allocate(bytes, MemoryKind::kDevice);
    if (!buffer) return {};
    if (i > 0) {
      std::memcpy((*buffer)->host(), weights[0]->host(), static_cast<std::size_t>(bytes));
    } else if (packs) {
      if (!(*kernel)->pack(1, weight, {(*buffer)->host(), static_cast<std::size_t>(bytes)})) {
        return {};
      }
    } else {
      std::memcpy((*buffer)->host(), w.bytes().data(), static_cast<std::size_t>(bytes));
    }
    weights.push_back(buffer.take());
  }
  const std::int64_t work_bytes = (*kernel)->workspace_bytes();
  auto out = device.allocate(y_bytes, MemoryKind::kDevice);
  auto work = device.allocate(work_bytes, MemoryKind::kDevice);
  const auto in = device.wrap(x.bytes(), x.owner());
  if (!out || !work || in == nullptr) return {};
  SegmentDesc segment;
  segment.run_regions = 4;
  segment.launches.push_back({*kernel,
                              "bench",
                              {{0, 0, in->bytes()}, {1, 0, bytes}},
                              {{2, 0, y_bytes}},
                              {3, 0, work_bytes}});
  auto executable = device.compile(std::move(segment));
  if (!executable) return {};
  std::vector<double> times;
  const auto begin = Clock::now();
  for (std::size_t i = 0; times.size() < 5 || seconds_since(begin) < kSecondsPerCase; ++i) {
    Buffer* weight_buffer = weights[i % copies].get();
    const BufferView views[] = {{in.get(), 0, in->bytes()},
                                {weight_buffer, 0, bytes},
                                {out->get(), 0, y_bytes},
                                {work->get(), 0, work_bytes}};
    const auto start = Clock::now();
    if (!device.submit(**executable, {views, nullptr, nullptr})) return {};
    times.push_back(seconds_since(start) * 1e3);
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                   times.end());
  return {times[times.size() / 2], bytes};
}

void bench_linear(Device& device, const OpSet& ops) {
  constexpr std::int64_t kSize = 4096;
  const OpDef* op = ops.find("Linear", "polaris");
  if (op == nullptr) return;
  const NoAttrs attrs;
  const Tensor plain = filled({kSize, kSize});
  auto half = Tensor::allocate(DType::kF16, {kSize, kSize});
  if (!half) return;
  for (std::int64_t i = 0; i < plain.elements(); ++i) {
    half->mutable_data<std::uint16_t>()[i] = f32_to_f16(plain.data<float>()[i]);
  }
  const std::pair<const char*, Tensor> weights[] = {{"q4_0", encoded(plain, BlockFormat::kQ4_0)},
                                                    {"q8_0", encoded(plain, BlockFormat::kQ8_0)},
                                                    {"f16", *half},
                                                    {"f32", plain}};
  for (const auto& [name, w] : weights) {
    for (const std::int64_t tokens : {1, 8, 256}) {
      const Timing t = time_node(device, *op, attrs, filled({tokens, kSize}), w, {tokens, kSize});
      const double flops = 2.0 * static_cast<double>(tokens * kSize * kSize);
      std::printf("linear %-5s T=%-4lld %9.3f ms  %7.1f GB/s  %8.1f GFLOP/s\n", name,
                  static_cast<long long>(tokens), t.ms,
                  static_cast<double>(t.weight_bytes) / t.ms * 1e-6, flops / t.ms * 1e-6);
    }
  }
}

void bench_conv(Device& device, const OpSet& ops) {
  const OpDef* op = ops.find("Conv");
  if (op == nullptr) return;
  struct Case {
    Shape x, w;
    std::int64_t pad, stride, group;
  };
  const Case cases[] = {{{1, 64, 56, 56}, {64, 64, 3, 3}, 1, 1, 1},
                        {{1, 256, 14, 14}, {256, 256, 3, 3}, 1, 1, 1},
                        {{1, 256, 28, 28}, {512, 256, 1, 1}, 0, 1, 1},
                        {{1, 3, 224, 224}, {64, 3, 7, 7}, 3, 2, 1},
                        {{1, 128, 56, 56}, {128, 1, 3, 3}, 1, 1, 128}};
  for (const Case& c : cases) {
    ConvAttrs attrs;
    attrs.pads = {c.pad, c.pad, c.pad, c.pad};
    attrs.strides = {c.stride, c.stride};
    attrs.group = c.group;
    const Shape y{1, c.w[0], (c.x[2] + 2 * c.pad - c.w[2]) / c.stride + 1,
                  (c.x[3] + 2 * c.pad - c.w[3]) / c.stride + 1};
    const Timing t = time_node(device, *op, attrs, filled(c.x), filled(c.w), y);
    const double flops =
        2.0 * static_cast<double>(y.elements() * c.w.elements_between(1, c.w.rank()));
    std::printf("conv %s * %s  %9.3f ms  %8.1f GFLOP/s\n", c.x.to_string().c_str(),
                c.w.to_string().c_str(), t.ms, flops / t.ms * 1e-6);
  }
}

/// What the memory gives: reading 512 MiB with all threads.
void bench_memory(int threads) {
  ThreadPool pool(threads);
  std::vector<std::uint64_t> data(std::size_t{1} << 26, 1);
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(pool.threads()) * 8);
  double best = 0;
  for (int run = 0; run < 5; ++run) {
    const auto start = Clock::now();
    pool.parallel_for(static_cast<std::int64_t>(data.size()), 1 << 18,
                      [&](std::int64_t from, std::int64_t to, int worker) {
                        std::uint64_t sum[8] = {};
                        for (std::int64_t i = from; i < to; i += 8) {
                          for (int j = 0; j < 8; ++j)
                            sum[j] += data[static_cast<std::size_t>(i + j)];
                        }
                        for (const std::uint64_t s : sum)
                          sums[static_cast<std::size_t>(worker) * 8] += s;
                      });
    best = std::max(best, static_cast<double>(data.size()) * 8e-9 / seconds_since(start));
  }
  std::printf("memory read %.1f GB/s (%d threads, check %llu)\n", best, pool.threads(),
              static_cast<unsigned long long>(sums[0] != 0));
}

}  // namespace

int main(int argc, char** argv) {
  CpuOptions options;
  if (argc > 1) {
    const std::string_view text(argv[1]);
    std::from_chars(text.data(), text.data() + text.size(), options.threads);
  }
  if (argc > 2) options.isa_max = argv[2];
  auto device = make_cpu_device(options);
  if (!device) {
    std::fprintf(stderr, "cpu_kernels: %s\n", device.error().message().c_str());
    return 1;
  }
  std::printf("%s, %s, %s\n", (*device)->info().name.c_str(), (*device)->info().driver.c_str(),
              (*device)->info().features.back().c_str());
  const OpSet ops = OpSet::builtin();
  bench_memory(options.threads);
  bench_linear(**device, ops);
  bench_conv(**device, ops);
  return 0;
}
