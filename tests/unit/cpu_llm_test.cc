#include <doctest/doctest.h>

#include <algorithm>

#include "ir/op_attrs/attention.h"
#include "ir/op_attrs/chain.h"
#include "ir/op_attrs/normalization.h"
#include "support/cpu_case.h"
#include "support/random_blocks.h"
#include "tensor/element.h"

using namespace polaris;
using namespace polaris::test;

namespace {

Tensor ints_i32(const Shape& shape, const std::vector<std::int32_t>& values) {
  auto out = Tensor::from<std::int32_t>(DType::kI32, shape, std::span<const std::int32_t>(values));
  REQUIRE(out.ok());
  return out.take();
}

Tensor cache(const Shape& shape, std::uint32_t seed, int format) {
  const Tensor plain = random_tensor(format == 1 ? DType::kF16 : DType::kF32, shape, seed);
  if (format < 2) return plain;
  return encode_tensor(plain, format == 2 ? BlockFormat::kQ8_0 : BlockFormat::kQ4_0);
}

CpuCase attention(int format) {
  auto attrs = std::make_shared<PagedAttentionAttrs>();
  attrs->num_heads = 4;
  attrs->num_kv_heads = 2;
  CpuCase c{.op = "PagedAttention", .domain = "polaris", .attrs = attrs};
  const std::int64_t tokens = 6;
  c.inputs = {random_tensor(DType::kF32, {tokens, 4 * 32}, 1),
              cache({9, 16, 2 * 32}, 2, format),
              cache({9, 16, 2 * 32}, 3, format),
              ints_i32({2, 4}, {3, 0, 8, 5, 1, 7, 2, 6}),
              ints_i32({tokens}, {0, 1, 1, -1, 0, 1}),
              ints_i32({tokens}, {0, 63, 17, 5, 32, 31})};
  c.atol = 1e-4;
  return c;
}

}  // namespace

TEST_CASE("cpu: PagedAttention over every cache format") {
  const char* names[] = {"f32", "f16", "q8_0", "q4_0"};
  for (int format = 0; format < 4; ++format) {
    check_cpu(attention(format), std::string("paged_attention_") + names[format]);
  }
}

// A prompt in whole tiles, two sequences in turn, tokens that see nothing; heads that fill no
// vector; tokens in any order.
TEST_CASE("cpu: PagedAttention of many tokens over every cache format") {
  const char* names[] = {"f32", "f16", "q8_0", "q4_0"};
  for (int format = 0; format < 4; ++format) {
    for (const std::int64_t size : {32, 96, 20}) {
      if (format > 1 && size % 32 != 0) continue;
      const std::int64_t tokens = 53;
      CpuCase c = attention(format);
      c.inputs[0] = random_tensor(DType::kF32, {tokens, 4 * size}, 1);
      c.inputs[1] = cache({9, 40, 2 * size}, 2, format);
      c.inputs[2] = cache({9, 40, 2 * size}, 3, format);
      std::vector<std::int32_t> sequences;
      std::vector<std::int32_t> positions;
      for (std::int32_t t = 0; t < tokens; ++t) {
        sequences.push_back(t == 20 ? -1 : t < 37 ? 1 : 0);
        positions.push_back(t < 37 ? 50 + t : (t * 67) % 160);
      }
      c.inputs[4] = ints_i32({tokens}, sequences);
      c.inputs[5] = ints_i32({tokens}, positions);
      check_cpu(c, std::string("paged_attention_") + names[format]);
    }
  }
}

TEST_CASE("cpu: a token's attention has the same bits alone and among others") {
  for (const std::string& isa : isas_here()) {
    const auto device = cpu_device(isa);
    CpuCase all = attention(1);
    const Tensor y = device_outputs(*device, all)[0];
    for (std::int64_t t = 0; t < 6; ++t) {
      CpuCase one = all;
      const auto row = static_cast<std::size_t>(4 * 32 * 4);
      one.inputs[0] = *Tensor::from_bytes(
          {DType::kF32, {1, 4 * 32}, {}},
          all.inputs[0].bytes().subspan(static_cast<std::size_t>(t) * row, row));
      one.inputs[4] = ints_i32({1}, {all.inputs[4].data<std::int32_t>()[t]});
      one.inputs[5] = ints_i32({1}, {all.inputs[5].data<std::int32_t>()[t]});
      const Tensor alone = device_outputs(*device, one)[0];
      CHECK(std::ranges::equal(alone.bytes(),
                               y.bytes().subspan(static_cast<std::size_t>(t) * row, row)));
    }
  }
}

TEST_CASE("cpu: KvWrite encodes as the definition does and skips slots outside") {
  const char* names[] = {"f32", "f16", "q8_0", "q4_0"};
  for (int format = 0; format < 4; ++format) {
    CpuCase c{.op = "KvWrite", .domain = "polaris"};
    c.inputs = {cache({3, 4, 64}, 1, format), cache({3, 4, 64}, 2, format),
                random_tensor(DType::kF32, {5, 64}, 3), random_tensor(DType::kF32, {5, 64}, 4),
                ints_i32({5}, {0, -1, 11, 12, 5})};
    c.outputs = 2;
    check_cpu(c, std::string("kv_write_") + names[format]);
  }
}

TEST_CASE("cpu: RotaryEmbedding in both pairings and with part of a head rotated") {
  for (const bool interleaved : {false, true}) {
    for (const std::int64_t part : {0, 8}) {
      auto attrs = std::make_shared<RotaryEmbeddingAttrs>();
      attrs->interleaved = interleaved;
      attrs->num_heads = 3;
      attrs->rotary_embedding_dim = part;
      const std::int64_t half = part == 0 ? 11 : 4;
      CpuCase c{.op = "RotaryEmbedding", .attrs = attrs};
      c.inputs = {random_tensor(DType::kF32, {2, 5, 3 * 22}, 1),
                  random_tensor(DType::kF32, {20, half}, 2),
                  random_tensor(DType::kF32, {20, half}, 3),
                  ints_i32({2, 5}, {0, 19, 3, 4, 5, 6, 7, 8, 9, 10})};
      check_cpu(c, "rotary");
    }
  }
}

TEST_CASE("cpu: RMSNormalization and Gather, plain and encoded") {
  for (const std::int64_t width : {1, 7, 64, 333}) {
    CpuCase c{.op = "RMSNormalization"};
    c.inputs = {random_tensor(DType::kF32, {5, width}, 1), random_tensor(DType::kF32, {width}, 2)};
    check_cpu(c, "rms_norm");
  }
  const Tensor table = random_tensor(DType::kF32, {10, 512}, 5);
  std::vector<Tensor> tables = {table};
  for (const BlockFormat format : all_block_formats())
    tables.push_back(encode_tensor(table, format));
  for (const Tensor& data : tables) {
    CpuCase c{.op = "Gather"};
    c.inputs = {data, ints_i32({2, 3}, {9, 0, 4, 4, -1, 2})};
    c.constants = {0};
    check_cpu(c, "gather");
  }
}

TEST_CASE("cpu: a wrong index is an error, not a crash") {
  const auto device = cpu_device("");
  CpuCase c{.op = "Gather"};
  c.inputs = {random_tensor(DType::kF32, {10, 4}, 5), ints_i32({1}, {10})};
  // device_outputs would fail the test: drive the pieces that matter by hand.
  const OpSet ops = OpSet::builtin();
  const OpDef* op = ops.find("Gather");
  REQUIRE(op != nullptr);
  const auto attrs = op->make_attrs();
  const OperandDesc inputs[] = {{c.inputs[0].type()}, {c.inputs[1].type()}};
  const OperandDesc outputs[] = {{TensorType{DType::kF32, {1, 4}, {}}}};
  const Tensor* values[] = {nullptr, nullptr};
  auto kernel = device->select({op, attrs.get(), "g", inputs, outputs, values});
  REQUIRE(kernel.ok());
  auto out = device->allocate(16, MemoryKind::kDevice);
  REQUIRE(out.ok());
  const auto data = device->wrap(c.inputs[0].bytes(), c.inputs[0].owner());
  const auto index = device->wrap(c.inputs[1].bytes(), c.inputs[1].owner());
  SegmentDesc segment;
  segment.run_regions = 3;
  segment.launches.push_back({*kernel, "g", {{0, 0, 160}, {1, 0, 4}}, {{2, 0, 16}}, {}});
  auto executable = device->compile(std::move(segment));
  REQUIRE(executable.ok());
  const BufferView views[] = {{data.get(), 0, 160}, {index.get(), 0, 4}, {out->get(), 0, 16}};
  const auto fence = device->submit(**executable, {views, nullptr, nullptr});
  REQUIRE_FALSE(fence.ok());
  CHECK(fence.error().code() == ErrorCode::kInvalid);
  CHECK(fence.error().message().find("got 10, wanted one below 10") != std::string::npos);
}
