#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "support/cpu_case.h"
#include "support/random_blocks.h"
#include "tensor/block_format.h"

using namespace polaris;
using namespace polaris::test;

namespace {

/// float32 [experts, n, k] encoded.
Tensor encode_experts(const Tensor& plain, BlockFormat format) {
  const Shape& shape = plain.shape();
  const Tensor rows = plain.reshaped({shape[0] * shape[1], shape[2]});
  return encode_tensor(rows, format).reshaped(shape);
}

Tensor random_ids(std::int64_t tokens, std::int64_t used, std::int64_t experts,
                  std::uint32_t seed) {
  Tensor out = random_tensor(DType::kI64, {tokens, used}, seed, 1e6);
  auto* ids = out.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < out.elements(); ++i) ids[i] = std::abs(ids[i]) % experts;
  return out;
}

std::span<const std::byte> row_bytes(const Tensor& y, std::int64_t row) {
  const auto size = static_cast<std::size_t>(y.shape()[2]) * sizeof(float);
  return y.bytes().subspan(static_cast<std::size_t>(row) * size, size);
}

CpuCase routed(std::int64_t tokens, std::int64_t used, bool shared, Tensor w) {
  CpuCase c{.op = "RoutedMatMul", .domain = "polaris"};
  c.constants = {1};
  const std::int64_t experts = w.shape()[0];
  const std::int64_t k = w.shape()[2];
  c.inputs = {random_tensor(DType::kF32, {tokens, shared ? 1 : used, k}, 1), std::move(w),
              random_ids(tokens, used, experts, 3)};
  return c;
}

}  // namespace

TEST_CASE("cpu: RoutedMatMul equals the definition at every instruction set") {
  for (const std::int64_t tokens : {1, 2, 9, 60}) {
    for (const bool shared : {true, false}) {
      const Tensor plain = random_tensor(DType::kF32, {3, 45, 256}, 2);
      CpuCase c = routed(tokens, 2, shared, plain);
      c.atol = 2e-3;
      check_cpu(c, "routed_f32");
      c.inputs[1] = random_tensor(DType::kF16, {3, 45, 256}, 2);
      check_cpu(c, "routed_f16");
      for (const BlockFormat format : all_block_formats()) {
        c.inputs[1] = encode_experts(plain, format);
        check_cpu(c, "routed_" + std::string(block_format_info(format).name));
      }
    }
  }
}

// What other tokens choose decides which rows are multiplied together, and nothing else.
TEST_CASE("cpu: a row of RoutedMatMul has the same bits whatever its neighbours choose") {
  constexpr std::int64_t kExperts = 3;
  constexpr std::int64_t kN = 37;
  const Tensor plain = random_tensor(DType::kF32, {kExperts, kN, 512}, 2);
  std::vector<Tensor> weights = {plain, random_tensor(DType::kF16, {kExperts, kN, 512}, 4)};
  for (const BlockFormat format : all_block_formats()) {
    weights.push_back(encode_experts(plain, format));
  }
  for (const std::string& isa : isas_here()) {
    const auto device = cpu_device(isa, 3);
    for (const std::int64_t tokens : {2, 12, 24, 70}) {
      for (const Tensor& w : weights) {
        // Rows of one expert that stand side by side are multiplied where they stand.
        CpuCase c = routed(tokens, 2, tokens % 3 == 0, w);
        const Tensor spread = device_outputs(*device, c)[0];
        const auto* chosen = c.inputs[2].data<std::int64_t>();
        Tensor ids = Tensor::from<std::int64_t>(
                         DType::kI64, {tokens, 2},
                         std::vector<std::int64_t>(static_cast<std::size_t>(tokens * 2), 1))
                         .take();
        const std::vector<std::int64_t> before(chosen, chosen + tokens * 2);
        c.inputs[2] = ids;
        const Tensor together = device_outputs(*device, c)[0];
        std::int64_t compared = 0;
        for (std::int64_t row = 0; row < tokens * 2; ++row) {
          if (before[static_cast<std::size_t>(row)] != 1) continue;
          ++compared;
          CHECK(std::ranges::equal(row_bytes(spread, row), row_bytes(together, row)));
        }
        CHECK(compared > 0);
      }
    }
  }
}

// So stand the rows of texts without an adapter beside those with one.
TEST_CASE("cpu: a first matrix of zeros gives zeros, whoever has it") {
  for (const std::int64_t tokens : {1, 9, 40}) {
    for (const bool all : {true, false}) {
      Tensor w = random_tensor(DType::kF32, {3, 45, 64}, 2);
      std::fill_n(w.mutable_data<float>(), 45 * 64, 0.0f);
      CpuCase c = routed(tokens, 1, true, std::move(w));
      auto* ids = c.inputs[2].mutable_data<std::int64_t>();
      for (std::int64_t i = 0; i < tokens; ++i) ids[i] = all || i % 2 == 0 ? 0 : ids[i];
      c.atol = 2e-3;
      check_cpu(c, "routed_f32");
    }
  }
}
