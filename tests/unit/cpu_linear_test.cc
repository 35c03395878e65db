#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "support/cpu_case.h"
#include "support/random_blocks.h"
#include "tensor/block_format.h"

using namespace polaris;
using namespace polaris::test;

namespace {

CpuCase linear(std::int64_t m, std::int64_t n, std::int64_t k, Tensor w, bool bias) {
  CpuCase c{.op = "Linear", .domain = "polaris"};
  c.inputs = {random_tensor(DType::kF32, {m, k}, 1), std::move(w)};
  if (bias) c.inputs.push_back(random_tensor(DType::kF32, {n}, 3));
  c.constants = {1};
  return c;
}

Tensor rows_of(const Tensor& x, std::int64_t from, std::int64_t count) {
  const std::int64_t width = x.shape()[1];
  auto out = Tensor::from_bytes({x.dtype(), {count, width}, {}},
                                x.bytes().subspan(static_cast<std::size_t>(from * width * 4),
                                                  static_cast<std::size_t>(count * width * 4)));
  REQUIRE(out.ok());
  return out.take();
}

}  // namespace

TEST_CASE("cpu: Linear with plain weights equals the definition at every instruction set") {
  for (const std::int64_t m : {1, 2, 5, 13, 29}) {
    for (const std::int64_t n : {1, 15, 17, 67, 130}) {
      for (const std::int64_t k : {1, 33, 300}) {
        CpuCase c = linear(m, n, k, random_tensor(DType::kF32, {n, k}, 2), (m + n) % 2 == 0);
        c.atol = 1e-4;
        check_cpu(c, "linear_f32");
        c.inputs[1] = random_tensor(DType::kF16, {n, k}, 2);
        check_cpu(c, "linear_f16");
      }
    }
  }
}

TEST_CASE("cpu: Linear with block-encoded weights is as close as float32") {
  for (const BlockFormat format : all_block_formats()) {
    const BlockFormatInfo& info = block_format_info(format);
    for (const std::int64_t m : {1, 3, 8, 70}) {
      for (const std::int64_t n : {1, 16, 45, 100}) {
        for (const std::int64_t blocks : {1, 3, 10}) {
          const std::int64_t k = blocks * info.block_elements;
          if (info.block_elements > 64 && blocks > 3) continue;
          const Tensor w = encode_tensor(random_tensor(DType::kF32, {n, k}, 2), format);
          CpuCase c = linear(m, n, k, w, n % 2 == 0);
          // 15-bit activations: 3e-5 of 2 * 2 * sqrt(k), a few deviations.
          c.atol = std::max(2e-3, 1.2e-4 * std::sqrt(static_cast<double>(k)));
          check_cpu(c, "linear_" + std::string(info.name));
        }
      }
    }
  }
}

// Every byte of a weight alike: codes, scales and exponents from one end to the other, among them
// subnormals and scales whose product with a code leaves float16 behind.
TEST_CASE("cpu: Linear with blocks of extreme scales follows the definition") {
  constexpr int kBytes[] = {0x00, 0x01, 0x80, 0x04, 0x3c, 0x54, 0x7b, 0xbb};
  for (const BlockFormat format : all_block_formats()) {
    const BlockFormatInfo& info = block_format_info(format);
    const std::int64_t n = 17;
    const std::int64_t k = info.block_elements;
    for (const int byte : kBytes) {
      INFO(info.name, " bytes ", byte);
      Tensor w = encode_tensor(random_tensor(DType::kF32, {n, k}, 2), format);
      std::memset(w.mutable_bytes().data(), byte, w.bytes().size());
      std::vector<float> row(static_cast<std::size_t>(k));
      decode_blocks(format, w.bytes().data(), k, row.data());
      float largest = 0;
      for (const float v : row) largest = std::max(largest, std::fabs(v));
      for (const std::int64_t m : {1, 20}) {
        CpuCase c = linear(m, n, k, w, false);
        c.atol = 1e-3 * static_cast<double>(largest);
        check_cpu(c, "linear_" + std::string(info.name));
      }
    }
  }
}

// Encoded weights are decoded for many rows: a kernel of its own, and bits of its own.
TEST_CASE("cpu: a row of Linear has the same bits whatever stands beside it") {
  const std::int64_t n = 70;
  const std::int64_t k = 512;
  const Tensor plain = random_tensor(DType::kF32, {n, k}, 2);
  std::vector<Tensor> weights = {plain, random_tensor(DType::kF16, {n, k}, 4)};
  for (const BlockFormat format : all_block_formats()) {
    weights.push_back(encode_tensor(plain, format));
  }
  struct Rows {
    std::int64_t m;
    std::vector<std::int64_t> counts;
    bool encoded;
  };
  const Rows cases[] = {{27, {1, 2, 7, 12}, false}, {7, {1, 2, 5}, true}, {43, {16, 29}, true}};
  for (const std::string& isa : isas_here()) {
    const auto device = cpu_device(isa, 3);
    for (const Rows& rows : cases) {
      for (const Tensor& w : weights) {
        if (rows.encoded == w.type().encoding.is_plain()) continue;
        CpuCase c = linear(rows.m, n, k, w, true);
        const Tensor all = device_outputs(*device, c)[0];
        const Tensor x = c.inputs[0];
        for (const std::int64_t count : rows.counts) {
          for (std::int64_t from = 0; from + count <= rows.m; from += 5) {
            c.inputs[0] = rows_of(x, from, count);
            const Tensor part = device_outputs(*device, c)[0];
            CHECK(std::memcmp(part.data<float>(), all.data<float>() + from * n,
                              static_cast<std::size_t>(count * n * 4)) == 0);
          }
        }
      }
    }
  }
}

TEST_CASE(
    "cpu: Linear takes half-precision activations, empty batches and weights made at run time") {
  CpuCase c = linear(3, 20, 64, random_tensor(DType::kF32, {20, 64}, 2), true);
  c.constants.clear();
  c.atol = 1e-4;
  check_cpu(c, "linear_f32");
  c.constants = {1};
  c.inputs[0] = random_tensor(DType::kF16, {3, 64}, 1);
  c.rtol = 4e-3;
  c.atol = 1e-2;
  check_cpu(c, "linear_f32");
  c.inputs[0] = random_tensor(DType::kF32, {0, 64}, 1);
  check_cpu(c, "linear_f32");
}
