// Times PagedAttention of decoding steps and prompts on a Vulkan device: one submission of many
// launches, each behind the one before as the layers of a decoder are. Caches rotate over at least
// 256 MiB, so that no cache of the device helps.
//   bench_vulkan_attention [device] [rotate_mib] [launches] [part of a case's name]
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "backend/vulkan/kernel.h"
#include "backend/vulkan/vulkan_device.h"
#include "ir/op_attrs/attention.h"
#include "ir/op_set.h"
#include "tensor/block_format.h"
#include "tensor/half.h"

namespace {

using namespace polaris;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kPageSize = 16;
constexpr double kSecondsPerCase = 1.0;

struct Case {
  const char* name;
  std::int64_t heads, kv_heads, size;
  std::vector<std::int64_t> lengths;  // of each sequence's cache
  std::int64_t fresh = 1;             // of those, the last tokens, which attend
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return values.empty() ? 0 : *middle;
}

std::uint32_t next_random(std::uint32_t& state) {
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}

/// Random numbers in [-1, 1), float32, float16 or blocks.
Tensor filled(const TensorType& type) {
  std::vector<float> floats(static_cast<std::size_t>(type.shape.elements()));
  std::uint32_t state = 12345;
  for (float& f : floats) f = static_cast<float>(next_random(state)) * 0x1p-23f - 1.0f;
  auto t = Tensor::allocate(type);
  if (!t) return {};
  if (type.encoding.is_block()) {
    encode_blocks(type.encoding.format, floats.data(), type.shape.elements(),
                  t->mutable_bytes().data());
    return t.take();
  }
  for (std::size_t i = 0; i < floats.size(); ++i) {
    if (type.dtype == DType::kF16) {
      t->mutable_data<std::uint16_t>()[i] = f32_to_f16(floats[i]);
    } else {
      t->mutable_data<float>()[i] = floats[i];
    }
  }
  return t.take();
}

/// A node's inputs: q, keys, values (one tensor for both), block table, sequences, positions.
struct Inputs {
  Tensor q, cache, table, sequences, positions;
  std::int64_t cache_bytes = 0;  // that the lengths really read, keys and values
};

Inputs make_inputs(const Case& c, const TensorType& element) {
  const auto rows = static_cast<std::int64_t>(c.lengths.size());
  const std::int64_t tokens = rows * c.fresh;
  std::int64_t columns = 64;  // of 16 positions, as the batcher's tables
  std::int64_t pages = 0;
  for (const std::int64_t length : c.lengths) {
    const std::int64_t needed = (length + kPageSize - 1) / kPageSize;
    while (columns < needed) columns *= 2;
    pages += needed;
  }
  Inputs in;
  const std::int64_t width = c.kv_heads * c.size;
  in.q = filled({DType::kF32, {tokens, c.heads * c.size}, {}});
  in.cache = filled({element.dtype, {pages, kPageSize, width}, element.encoding});
  const auto ints = [](const Shape& shape) { return Tensor::allocate(DType::kI32, shape).take(); };
  in.table = ints({rows, columns});
  in.sequences = ints({tokens});
  in.positions = ints({tokens});
  std::vector<std::int32_t> order(static_cast<std::size_t>(pages));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int32_t>(i);
  std::uint32_t state = 7;
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[next_random(state) % i]);
  }
  std::fill_n(in.table.mutable_data<std::int32_t>(), rows * columns, 0);
  std::int64_t page = 0;
  for (std::int64_t t = 0; t < rows; ++t) {
    const std::int64_t length = c.lengths[static_cast<std::size_t>(t)];
    for (std::int64_t i = 0; i * kPageSize < length; ++i) {
      in.table.mutable_data<std::int32_t>()[t * columns + i] =
          order[static_cast<std::size_t>(page++)];
    }
    for (std::int64_t i = 0; i < c.fresh; ++i) {
      const std::int64_t token = t * c.fresh + i;
      in.sequences.mutable_data<std::int32_t>()[token] = static_cast<std::int32_t>(t);
      in.positions.mutable_data<std::int32_t>()[token] =
          static_cast<std::int32_t>(length - c.fresh + i);
    }
    in.cache_bytes +=
        2 * length * static_cast<std::int64_t>(in.cache.bytes().size()) / (pages * kPageSize);
  }
  return in;
}

/// The same kernel over the whole grid, without the dispatch that counts.
std::shared_ptr<const Kernel> with_fixed_grid(const Kernel& kernel) {
  auto fixed =
      std::make_shared<vulkan::VulkanKernel>(static_cast<const vulkan::VulkanKernel&>(kernel));
  fixed->dispatches.erase(fixed->dispatches.begin());
  vulkan::Dispatch& d = fixed->dispatches[0];
  d.indirect.reset();
  d.constants[3] = 1;
  d.operands.back() = vulkan::Operand::input(5);
  return fixed;
}

struct Rotation {
  std::int64_t bytes = std::int64_t{256} << 20;
  std::int64_t launches = 16;  // of a submission, at least
};

struct Timing {
  double wall_us = 0;   // of one launch, with its share of the submission
  double clock_us = 0;  // by the device's timestamps
};

/// Buffers of one case; caches are copies of the first.
class Runner {
 public:
  Runner(Device& device, const Inputs& in, const Rotation& rotation) : device_(device) {
    const auto cache_bytes = static_cast<std::int64_t>(in.cache.bytes().size());
    const std::int64_t copies =
        std::max<std::int64_t>(1, (rotation.bytes + 2 * cache_bytes - 1) / (2 * cache_bytes));
    for (const Tensor* t : {&in.q, &in.table, &in.sequences, &in.positions}) upload(*t);
    add(static_cast<std::int64_t>(in.q.bytes().size()));
    caches_ = views_.size();
    upload(in.cache);
    for (std::int64_t i = 1; ok_ && i < 2 * copies; ++i) {
      add(cache_bytes);
      ok_ = ok_ && device_.copy(views_[caches_], views_.back()).ok();
    }
    copies_ = static_cast<std::size_t>(copies);
    launches_ = std::max(copies_, static_cast<std::size_t>(rotation.launches));
  }

  Timing time(const std::shared_ptr<const Kernel>& kernel) {
    const std::size_t own = views_.size();
    add(std::max<std::int64_t>(kernel->workspace_bytes(), 4));
    Timing timing;
    if (ok_) timing = measure(segment(kernel));
    views_.resize(own);
    buffers_.resize(own);
    return timing;
  }

 private:
  void add(std::int64_t bytes) {
    auto buffer = device_.allocate(bytes, MemoryKind::kDevice);
    ok_ = ok_ && buffer.ok();
    if (!ok_) return;
    buffers_.push_back(buffer.take());
    views_.push_back({buffers_.back().get(), 0, bytes});
  }

  void upload(const Tensor& tensor) {
    add(static_cast<std::int64_t>(tensor.bytes().size()));
    ok_ = ok_ && device_.write(views_.back(), tensor.bytes().data()).ok();
  }

  OperandRef at(std::size_t region) const {
    return {static_cast<std::int32_t>(region), 0, views_[region].bytes};
  }

  SegmentDesc segment(const std::shared_ptr<const Kernel>& kernel) {
    SegmentDesc out;
    out.run_regions = static_cast<std::int32_t>(views_.size());
    for (std::size_t i = 0; i < launches_; ++i) {
      const std::size_t keys = caches_ + 2 * (i % copies_);
      out.launches.push_back(
          {kernel,
           "bench",
           {at(0), at(keys), at(keys + 1), at(1), at(2), at(3)},
           {at(4)},
           {static_cast<std::int32_t>(views_.size() - 1), 0, kernel->workspace_bytes()}});
    }
    return out;
  }

  Timing measure(SegmentDesc segment) {
    auto executable = device_.compile(std::move(segment));
    if (!executable) {
      std::fprintf(stderr, "%s\n", executable.error().message().c_str());
      return {};
    }
    std::vector<double> wall;
    const auto begin = Clock::now();
    for (int i = 0;
         i < 3 || std::chrono::duration<double>(Clock::now() - begin).count() < kSecondsPerCase;
         ++i) {
      const auto start = Clock::now();
      auto fence = device_.submit(**executable, {.regions = views_});
      if (!fence || !device_.wait(*fence)) return {};
      const std::chrono::duration<double, std::micro> passed = Clock::now() - start;
      if (i > 0) wall.push_back(passed.count() / static_cast<double>(launches_));
    }
    std::vector<LaunchTime> times;
    std::vector<double> clock;
    for (int i = 0; i < 3; ++i) {
      if (!device_.submit(**executable, {.regions = views_, .profile = &times})) return {};
      for (const LaunchTime& t : times) clock.push_back(t.us);
    }
    return {median(wall), median(clock)};
  }

  Device& device_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::vector<BufferView> views_;
  std::size_t caches_ = 0;
  std::size_t copies_ = 0;
  std::size_t launches_ = 0;
  bool ok_ = true;
};

void print(const Case& c, const char* format, std::string_view kernel, const Timing& t,
           std::int64_t bytes) {
  std::printf("%-28s %-5s %-34s %9.1f us wall %9.1f us clock %8.1f GB/s\n", c.name, format,
              std::string(kernel).c_str(), t.wall_us, t.clock_us,
              static_cast<double>(bytes) / t.clock_us * 1e-3);
  std::fflush(stdout);
}

void bench_case(Device& device, const OpDef& op, const Case& c, const Rotation& rotation) {
  const std::pair<const char*, TensorType> formats[] = {
      {"f16", {DType::kF16, {}, {}}},
      {"q8_0", {DType::kF32, {}, Encoding::of(BlockFormat::kQ8_0)}},
      {"q4_0", {DType::kF32, {}, Encoding::of(BlockFormat::kQ4_0)}}};
  for (const auto& [name, element] : formats) {
    const Inputs in = make_inputs(c, element);
    PagedAttentionAttrs attrs;
    attrs.num_heads = c.heads;
    attrs.num_kv_heads = c.kv_heads;
    const OperandDesc inputs[] = {{in.q.type()},     {in.cache.type()},     {in.cache.type()},
                                  {in.table.type()}, {in.sequences.type()}, {in.positions.type()}};
    const OperandDesc outputs[] = {{in.q.type()}};
    const std::vector<const Tensor*> values(6);
    auto kernel = device.select({&op, &attrs, "bench", inputs, outputs, values});
    if (!kernel) {
      std::printf("%s %s: %s\n", c.name, name, kernel.error().message().c_str());
      continue;
    }
    Runner runner(device, in, rotation);
    print(c, name, (*kernel)->name(), runner.time(*kernel), in.cache_bytes);
    if (c.fresh == 1 && static_cast<const vulkan::VulkanKernel&>(**kernel).dispatches.size() > 1) {
      print(c, name, "  over the whole grid", runner.time(with_fixed_grid(**kernel)),
            in.cache_bytes);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  VulkanOptions options;
  options.pipeline_cache_path = "";
  Rotation rotation;
  const auto number = [&](int i, std::int64_t otherwise) {
    std::int64_t value = otherwise;
    const std::string_view text(i < argc ? argv[i] : "");
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  if (argc > 1) options.selector = argv[1];
  rotation.bytes = number(2, 256) << 20;
  rotation.launches = number(3, 16);
  const std::string_view part = argc > 4 ? argv[4] : "";
  auto device = make_vulkan_device(options);
  if (!device) {
    std::fprintf(stderr, "bench_vulkan_attention: %s\n", device.error().message().c_str());
    return 1;
  }
  std::printf("%s, %s\n", (*device)->info().name.c_str(), (*device)->info().driver.c_str());
  const OpSet ops = OpSet::builtin();
  const OpDef* op = ops.find("PagedAttention", "polaris");
  if (op == nullptr) return 1;
  std::vector<std::int64_t> ragged(16, 128);
  ragged[0] = 7680;
  const Case cases[] = {{"32x128, kv 128", 32, 32, 128, {128}},
                        {"32x128, kv 512", 32, 32, 128, {512}},
                        {"32x128, kv 2048", 32, 32, 128, {2048}},
                        {"32x128, kv 7680", 32, 32, 128, {7680}},
                        {"32x128 on 8, kv 512", 32, 8, 128, {512}},
                        {"32x128 on 8, kv 2048", 32, 8, 128, {2048}},
                        {"32x128 on 8, kv 7680", 32, 8, 128, {7680}},
                        {"64x64 on 8, kv 7680", 64, 8, 64, {7680}},
                        {"32x128, 7680 and 15 of 128", 32, 32, 128, ragged},
                        {"32x128, prompt of 512", 32, 32, 128, {512}, 512},
                        {"64x64 on 8, kv 7680, last 512", 64, 8, 64, {7680}, 512},
                        {"64x64 on 8, 16 of 2048", 64, 8, 64, std::vector<std::int64_t>(16, 2048)}};
  for (const Case& c : cases) {
    if (std::string_view(c.name).find(part) != std::string_view::npos) {
      bench_case(**device, *op, c, rotation);
    }
  }
  return 0;
}
