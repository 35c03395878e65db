#include <doctest/doctest.h>

#include <cstring>

#include "conformance/devices.h"
#include "conformance/node_run.h"
#include "ir/op_attrs/attention.h"
#include "ir/op_attrs/normalization.h"
#include "ir/op_set.h"
#include "tensor/element.h"

// In one bucket a row's result does not depend on the other rows, on its place among them, or on
// the run: each device gives the same bits.
namespace polaris::test {
namespace {

Tensor row_of(const Tensor& x, std::int64_t row) {
  const std::int64_t bytes = static_cast<std::int64_t>(x.bytes().size()) / x.shape()[0];
  Shape shape = x.shape();
  shape[0] = 1;
  return Tensor::from_bytes({x.dtype(), shape, {}},
                            x.bytes().subspan(static_cast<std::size_t>(row * bytes),
                                              static_cast<std::size_t>(bytes)))
      .take();
}

/// A copy of x whose row `to` holds row `from` of `source`.
Tensor with_row(const Tensor& x, std::int64_t to, const Tensor& source, std::int64_t from) {
  Tensor out = Tensor::from_bytes(x.type(), x.bytes()).take();
  const Tensor row = row_of(source, from);
  std::memcpy(out.mutable_bytes().data() + to * static_cast<std::int64_t>(row.bytes().size()),
              row.bytes().data(), row.bytes().size());
  return out;
}

/// Inputs [0, row_inputs) have a row per token; the rest stands for all.
struct RowOp {
  const char* op;
  const char* domain;
  std::shared_ptr<const Attrs> attrs;
  std::vector<Tensor> inputs;
  std::vector<int> row_inputs;
  bool weight = false;  // input 1 is a constant
};

RunResult run(Device& device, const RowOp& op, std::vector<Tensor> inputs) {
  Sample sample;
  sample.name = op.op;
  sample.op = OpSet::builtin().find(op.op, op.domain);
  REQUIRE(sample.op != nullptr);
  sample.attrs = op.attrs;
  if (sample.attrs == nullptr && sample.op->make_attrs) sample.attrs = sample.op->make_attrs();
  if (sample.attrs == nullptr) sample.attrs = std::make_shared<NoAttrs>();
  sample.weight.resize(inputs.size(), false);
  if (op.weight) sample.weight[1] = true;
  for (Tensor& tensor : inputs) sample.inputs.push_back({std::move(tensor), {}, {}, ""});
  RunOptions options;
  options.constants = op.weight;
  return run_node(device, sample, options);
}

void check(Device& device, const RowOp& op, std::int64_t rows) {
  const RunResult base = run(device, op, op.inputs);
  if (!base.refusal.empty()) return;
  REQUIRE_MESSAGE(base.fault.empty(), base.fault);
  // Row 0 moves to another place, between rows that were not there before.
  for (std::int64_t to = 1; to < rows; ++to) {
    std::vector<Tensor> moved = op.inputs;
    for (int i : op.row_inputs) {
      const auto at = static_cast<std::size_t>(i);
      moved[at] = with_row(op.inputs[at], to, op.inputs[at], 0);
      moved[at] = with_row(moved[at], 0, op.inputs[at], rows - 1);
    }
    const RunResult other = run(device, op, moved);
    REQUIRE_MESSAGE(other.fault.empty(), other.fault);
    const Tensor a = row_of(base.outputs[0], 0);
    const Tensor b = row_of(other.outputs[0], to);
    CHECK_MESSAGE(std::memcmp(a.bytes().data(), b.bytes().data(), a.bytes().size()) == 0,
                  device.info().backend, " ", op.op, " (", base.kernel, "): row 0 of ", rows,
                  " differs at place ", to);
  }
}

}  // namespace

TEST_CASE("a row's result does not depend on its neighbours") {
  for (const auto& device : devices()) {
    for (std::int64_t rows : {2, 4, 7, 16}) {
      const Tensor x = random(DType::kF32, {rows, 96}, -1, 1);
      for (const bool weight : {false, true}) {
        check(*device,
              {"Linear", "polaris", nullptr, {x, random(DType::kF32, {37, 96})}, {0}, weight},
              rows);
      }
      for (BlockFormat f : {BlockFormat::kQ4_0, BlockFormat::kQ8_0}) {
        check(*device, {"Linear", "polaris", nullptr, {x, random_blocks(f, {67, 96})}, {0}, true},
              rows);
      }
      check(*device, {"MatMul", "", nullptr, {x, random(DType::kF32, {96, 37})}, {0}, true}, rows);
      check(*device, {"RMSNormalization", "", nullptr, {x, random(DType::kF32, {96})}, {0}}, rows);
      check(*device, {"LayerNormalization", "", nullptr, {x, random(DType::kF32, {96})}, {0}},
            rows);
      check(*device, {"Softmax", "", nullptr, {x}, {0}}, rows);
    }
  }
}

TEST_CASE("a token's attention does not depend on its neighbours") {
  for (const auto& device : devices()) {
    for (std::int64_t rows : {2, 5, 8, 21}) {
      for (const int kind : {0, 1, 2, 3}) {
        const bool encoded = kind % 2 == 1;
        const auto heads = attrs<PagedAttentionAttrs>([=](auto& a) {
          a.num_heads = 4, a.num_kv_heads = 2;
          a.window = kind < 2 ? 0 : 37;
        });
        const Shape shape{24, 16, 64};
        const Tensor k =
            encoded ? random_blocks(BlockFormat::kQ8_0, shape) : random(DType::kF16, shape, -1, 1);
        const Tensor v =
            encoded ? random_blocks(BlockFormat::kQ8_0, shape) : random(DType::kF16, shape, -1, 1);
        check(*device,
              {"PagedAttention",
               "polaris",
               heads,
               {random(DType::kF32, {rows, 128}, -1, 1), k, v,
                random_ints(DType::kI32, {3, 12}, 0, 23), random_ints(DType::kI32, {rows}, 0, 2),
                random_ints(DType::kI32, {rows}, 0, 191)},
               {0, 4, 5}},
              rows);
      }
    }
  }
}

}  // namespace polaris::test
