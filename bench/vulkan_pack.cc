// How fast convolution weights are packed for Vulkan, over weights and results of at least 256 MiB
// together, so that no cache helps: bytes of the packed weights over the median processor time of
// one packing, which is one thread's, and over the time of all of them as a model's weights are
// brought, on up to four threads (the least of three rounds). Needs no device.
//   bench_vulkan_pack [mib] [least GB/s as brought: exits 1 below]
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "backend/vulkan/kernel.h"
#include "base/os/clock.h"
#include "base/os/cpu_features.h"
#include "base/tasks.h"
#include "ir/op_attrs/conv.h"
#include "ir/op_set.h"

namespace polaris::vulkan {
extern const KernelFamily family_conv;
extern const KernelFamily family_conv_transpose;
}  // namespace polaris::vulkan

namespace {

using namespace polaris;

struct Case {
  const char* op;
  DType dtype;
  Shape x, w;
  std::int64_t group = 1;
};

const Case kCases[] = {
    {"Conv", DType::kF32, {1, 320, 64, 64}, {320, 320, 3, 3}},
    {"Conv", DType::kF16, {1, 320, 64, 64}, {320, 320, 3, 3}},
    {"Conv", DType::kF16, {1, 1280, 16, 16}, {1280, 1280, 1, 1}},
    {"Conv", DType::kBF16, {1, 512, 28, 28}, {512, 512, 3, 3}},
    {"Conv", DType::kF16, {1, 2048, 12, 12}, {8, 2048, 5, 5}},
    {"ConvInteger", DType::kI8, {1, 512, 28, 28}, {512, 512, 3, 3}},
    {"ConvInteger", DType::kU8, {1, 1024, 14, 14}, {1024, 1024, 1, 1}},
    {"ConvTranspose", DType::kF16, {1, 512, 32, 32}, {512, 256, 4, 4}},
};

std::shared_ptr<const Kernel> select(const Case& c, const Constant& weight) {
  const OpDef* op = OpSet::builtin().find(c.op);
  const auto attrs = op->make_attrs();
  OperandDesc inputs[2];
  inputs[0].type = {c.dtype, c.x, {}};
  inputs[1].type = {c.dtype, c.w, {}};
  inputs[1].constant = &weight;
  const bool transposed = std::string(c.op) == "ConvTranspose";
  OperandDesc output;
  output.type = {c.op[4] == 'I' ? DType::kI32 : c.dtype, c.x, {}};
  output.type.shape = {c.x[0], c.w[transposed ? 1 : 0], c.x[2] - c.w[2] + 1, c.x[3] - c.w[3] + 1};
  if (transposed) output.type.shape = {1, c.w[1], c.x[2] + c.w[2] - 1, c.x[3] + c.w[3] - 1};
  NodeDesc node;
  node.op = op;
  node.attrs = attrs.get();
  node.inputs = inputs;
  node.outputs = {&output, 1};
  vulkan::VulkanTarget target;
  target.binding_bytes_max = std::int64_t{1} << 31;
  const auto& family = transposed ? vulkan::family_conv_transpose : vulkan::family_conv;
  const auto kernels = family.candidates(target, node);
  if (!kernels) std::fprintf(stderr, "%s\n", kernels.error().message().c_str());
  return kernels ? kernels->front() : nullptr;
}

/// GB/s as brought, or 0 where it failed.
double measure(const Case& c, std::int64_t mib) {
  auto plain = Tensor::allocate(c.dtype, c.w);
  if (!plain) return 0;
  const auto bytes = static_cast<std::int64_t>(plain->bytes().size());
  std::vector<Constant> weights;
  for (std::int64_t used = 0; used < mib << 19; used += bytes) {
    auto t = Tensor::allocate(c.dtype, c.w);
    if (!t) return 0;
    for (std::byte& b : t->mutable_bytes()) b = static_cast<std::byte>(weights.size() * 7 + 1);
    weights.push_back({t.take(), {}, {}, "w"});
  }
  const auto kernel = select(c, weights[0]);
  if (kernel == nullptr) return 0;
  const std::int64_t packed = kernel->packed_bytes(1);
  std::vector<std::vector<std::byte>> out(weights.size());
  for (auto& o : out) o.resize(static_cast<std::size_t>(packed));
  const auto pack = [&](std::size_t i) { return kernel->pack(1, weights[i], out[i]); };
  std::vector<double> seconds;
  for (std::size_t i = 0; i < 3 * weights.size(); ++i) {
    const std::clock_t start = std::clock();
    if (!pack(i % weights.size())) return 0;
    seconds.push_back(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  const double one = static_cast<double>(packed) / *middle * 1e-9;
  std::int64_t least_ns = std::numeric_limits<std::int64_t>::max();
  for (int round = 0; round < 3; ++round) {
    const std::int64_t start = monotonic_ns();
    if (!run_tasks(weights.size(), std::min(usable_processors(), 4), pack)) return 0;
    least_ns = std::min(least_ns, monotonic_ns() - start);
  }
  const double brought = static_cast<double>(packed) * static_cast<double>(weights.size()) /
                         static_cast<double>(least_ns);
  std::printf("%-14s %-9s %-22s %8.2f MB as %8.2f MB  %6.2f GB/s a thread, %6.2f as brought\n",
              c.op, std::string(dtype_name(c.dtype)).c_str(), c.w.to_string().c_str(),
              static_cast<double>(bytes) * 1e-6, static_cast<double>(packed) * 1e-6, one, brought);
  return brought;
}

/// An argument of the command line, or what it is without one.
std::int64_t argument(int argc, char** argv, int i, std::int64_t otherwise) {
  if (i >= argc) return otherwise;
  const std::string_view text = argv[i];
  std::from_chars(text.data(), text.data() + text.size(), otherwise);
  return otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t mib = argument(argc, argv, 1, 256);
  const auto least = static_cast<double>(argument(argc, argv, 2, 0));
  bool slow = false;
  for (const Case& c : kCases) slow = measure(c, mib) < least || slow;
  return slow ? 1 : 0;
}
