#include <algorithm>
#include <string>

#include "backend/vulkan/parts/batch.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/requantize.h"
#include "base/checked.h"

/// MatMulInteger and QLinearMatMul of 8-bit integers, bit-exact.
namespace polaris::vulkan {
namespace {

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// Where each op has its operands.
struct Ports {
  std::size_t b, a_zero, b_zero;
};

/// A zero point is one number or one a row of a (a column of b) of a plain matrix.
Result<std::uint32_t> zero_mode(const NodeDesc& node, std::size_t port, std::int64_t size,
                                bool batched) {
  if (!has_input(node, port)) return 0u;
  const std::int64_t count = operand_elements(node.inputs[port]);
  if (count == 1) return 1u;
  if (count != size || batched) return refuse(node, "a zero point of this shape");
  return 2u;
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const bool quantized = node.op->is("QLinearMatMul");
  const Ports ports = quantized ? Ports{3, 2, 5} : Ports{1, 2, 3};
  const TensorType& a = node.inputs[0].type;
  const TensorType& b = node.inputs[ports.b].type;
  const TensorType& y = node.outputs[0].type;
  if (dtype_info(a.dtype).bits != 8 || dtype_info(b.dtype).bits != 8 ||
      dtype_info(y.dtype).bits != (quantized ? 8 : 32)) {
    return refuse(node, "types other than 8-bit integers");
  }
  for (const OperandDesc* o : {&node.inputs[0], &node.inputs[ports.b], &node.outputs[0]}) {
    if (operand_bytes(*o) > std::min<std::int64_t>(target.binding_bytes_max, INT32_MAX)) {
      return refuse(node, "an operand larger than a binding may be");
    }
  }
  Result<BatchedProduct> product = read_product(node, a.shape, b.shape);
  if (!product) return product.error();
  const BatchedProduct& p = *product;
  if (p.batches() * p.m * p.n == 0) return refuse(node, "an empty product");
  const std::int64_t rows_of_a = a.shape.rank() == 1 ? 1 : a.shape[a.shape.rank() - 2];
  const bool batched_a = p.batches() > 1 || rows_of_a != p.m;
  Result<std::uint32_t> a_zero = zero_mode(node, ports.a_zero, p.m, batched_a);
  Result<std::uint32_t> b_zero = zero_mode(node, ports.b_zero, p.n, b.shape.rank() > 2);
  if (!a_zero) return a_zero.error();
  if (!b_zero) return b_zero.error();
  Requantization requantization;
  if (quantized) {
    Result<Requantization> read = read_requantization(node, p.n);
    if (!read) return read.error();
    requantization = read.take();
  }
  std::uint32_t rows = 8;
  while (rows > p.m) rows /= 2;

  auto kernel =
      std::make_shared<VulkanKernel>(quantized ? "matmul_int8_requantized" : "matmul_int8");
  Dispatch d;
  d.shader = quantized ? "matmul_int.i8" : "matmul_int.i32";
  d.constants = {rows,
                 (a.dtype == DType::kI8 ? 1u : 0u) | (b.dtype == DType::kI8 ? 2u : 0u) |
                     (y.dtype == DType::kI8 ? 4u : 0u),
                 *a_zero | *b_zero << 2, requantization.factors.size() > 1 ? 1u : 0u};
  d.push = {word(p.m),          word(p.n),          word(p.k),
            word(p.batch[1]),   word(p.batch[2]),   word(p.a_batch[0]),
            word(p.a_batch[1]), word(p.a_batch[2]), word(p.b_batch[0]),
            word(p.b_batch[1]), word(p.b_batch[2]), word(requantization.y_zero)};
  const auto port = [&](std::uint32_t mode, std::size_t i) {
    return Operand::input(mode == 0 ? 0 : static_cast<int>(i));
  };
  d.operands = {Operand::input(0),           Operand::input(static_cast<int>(ports.b)),
                port(*a_zero, ports.a_zero), port(*b_zero, ports.b_zero),
                Operand::params(),           Operand::output(0)};
  d.grid = {word(ceil_div(p.m, rows)), word(ceil_div(p.n, 64)), word(p.batches())};
  d.barrier_before = false;
  d.loop_rounds = p.k + ceil_div(p.k, 256);
  d.estimate_us = model_us(operand_bytes(node.inputs[0]) + operand_bytes(node.inputs[ports.b]) +
                               operand_bytes(node.outputs[0]),
                           4 * p.batches() * p.m * p.n * p.k);
  if (std::any_of(d.grid.begin(), d.grid.end(),
                  [&](std::uint32_t n) { return n > target.group_count_max; })) {
    return refuse(node, "more output than a grid holds");
  }
  if (quantized) {
    append_params(*kernel, requantization.factors, target.alignment_bytes);
    kernel->absorbed = 1u << 1 | 1u << 4 | 1u << 6 | 1u << 7;
  }
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  for (const std::string_view shader : {"matmul_int.i32", "matmul_int.i8"}) {
    for (const std::uint32_t rows : {1u, 2u, 4u, 8u}) {
      all.push_back({std::string(shader) + " " + std::to_string(rows) + " rows",
                     shader,
                     {rows, 7, 10, 1},
                     6,
                     48,
                     rows});
    }
  }
  return all;
}

constexpr std::string_view kOps[] = {"MatMulInteger", "QLinearMatMul"};

}  // namespace

extern const KernelFamily family_matmul_int;
const KernelFamily family_matmul_int{{"matmul_int", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
