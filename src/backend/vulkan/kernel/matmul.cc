#include <algorithm>
#include <string>

#include "backend/vulkan/parts/batch.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"
#include "ir/op_attrs/matmul.h"

/// Matrix products of any strides: MatMul with batches, Gemm, Linear with a computed w.
namespace polaris::vulkan {
namespace {

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// Strides in elements; batch dims are collapsed to at most three, the last varying fastest.
struct Problem {
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t a_row = 0, a_k = 1, b_k = 0, b_column = 1;
  std::int64_t c_row = 0, c_column = 0;
  float alpha = 1, beta = 0;
  std::int64_t batch[3] = {1, 1, 1};
  std::int64_t a_batch[3] = {}, b_batch[3] = {};
  bool c = false;
};

Result<Problem> read_matmul(const NodeDesc& node) {
  Result<BatchedProduct> product =
      read_product(node, node.inputs[0].type.shape, node.inputs[1].type.shape);
  if (!product) return product.error();
  Problem p;
  p.m = product->m;
  p.n = product->n;
  p.k = product->k;
  p.a_row = p.k;
  p.b_k = p.n;
  std::copy(product->batch, product->batch + 3, p.batch);
  std::copy(product->a_batch, product->a_batch + 3, p.a_batch);
  std::copy(product->b_batch, product->b_batch + 3, p.b_batch);
  return p;
}

Result<Problem> read_gemm(const NodeDesc& node) {
  const Shape& a = node.inputs[0].type.shape;
  const Shape& b = node.inputs[1].type.shape;
  const auto& attrs = node.attributes<GemmAttrs>();
  const bool flip_a = attrs.transA;
  const bool flip_b = attrs.transB;
  Problem p;
  p.m = a[flip_a ? 1 : 0];
  p.k = a[flip_a ? 0 : 1];
  p.n = b[flip_b ? 0 : 1];
  p.a_row = flip_a ? 1 : p.k;
  p.a_k = flip_a ? p.m : 1;
  p.b_k = flip_b ? 1 : p.n;
  p.b_column = flip_b ? p.k : 1;
  p.alpha = attrs.alpha;
  p.beta = attrs.beta;
  p.c = has_input(node, 2);
  if (!p.c) return p;
  const Shape& c = node.inputs[2].type.shape;
  if (c.rank() > 2) return refuse(node, "a bias of more than two dims");
  const std::int64_t columns = c.rank() > 0 ? c.back() : 1;
  const std::int64_t rows = c.rank() > 1 ? c[0] : 1;
  p.c_column = columns == 1 ? 0 : 1;
  p.c_row = rows == 1 ? 0 : columns;
  return p;
}

Problem read_linear(const NodeDesc& node) {
  const Shape& w = node.inputs[1].type.shape;
  Problem p;
  p.n = w[0];
  p.k = w[1];
  p.m = node.inputs[0].type.shape.elements_between(0, node.inputs[0].type.shape.rank() - 1);
  p.a_row = p.k;
  p.b_k = 1;
  p.b_column = p.k;
  p.c = has_input(node, 2);
  p.c_column = 1;
  p.beta = 1;
  return p;
}

/// The module and the operands' type codes as matmul.comp has them.
struct Types {
  std::string_view shader;
  std::uint32_t codes = 0;
};

Result<Types> read_types(const VulkanTarget& target, const NodeDesc& node) {
  const DType dtype = node.outputs[0].type.dtype;
  for (std::size_t i = 0; i <= node.inputs.size(); ++i) {
    const OperandDesc& operand = i < node.inputs.size() ? node.inputs[i] : node.outputs[0];
    if (!operand.present) continue;
    if (!operand.type.encoding.is_plain()) return refuse(node, "an encoded operand");
    if (operand_elements(operand) > INT32_MAX ||
        operand_bytes(operand) > target.binding_bytes_max) {
      return refuse(node, "an operand larger than a binding may be");
    }
  }
  if (is_float(dtype)) {
    const Result<std::uint32_t> inputs = float_codes(node, 0, 3);
    const Result<std::uint32_t> y = float_code(node, node.outputs[0]);
    if (!inputs) return inputs.error();
    if (!y) return y.error();
    return Types{"matmul.float", *inputs | *y << 24};
  }
  const bool wide = dtype_info(dtype).bits == 64;
  if (wide && !target.int64) return refuse(node, "64-bit integers, which this device lacks");
  return Types{wide ? "matmul.int64" : "matmul.int", type_code(dtype) * 0x01010101u};
}

std::uint32_t rows_together(std::int64_t m) {
  std::uint32_t rows = 8;
  while (rows > m) rows /= 2;
  return rows;
}

/// The threads to try: four slices of k where there is enough of it, first where workgroups would
/// be too few to fill a card without.
std::vector<std::uint32_t> threads_for(const Problem& p, std::int64_t groups) {
  if (p.k < 64) return {64};
  if (groups < 1024) return {256, 64};
  return {64, 256};
}

std::shared_ptr<Kernel> make_kernel(const VulkanTarget& target, const NodeDesc& node,
                                    const Problem& p, const Types& types, std::uint32_t threads) {
  const DType dtype = node.outputs[0].type.dtype;
  const std::uint32_t rows = rows_together(p.m);
  const std::int64_t wide = ceil_div(p.m, rows);
  const std::int64_t high = ceil_div(p.n, 64);
  const std::int64_t batches = p.batch[0] * p.batch[1] * p.batch[2];
  auto kernel = std::make_shared<VulkanKernel>("matmul_" + std::string(dtype_name(dtype)));
  kernel->variant = std::to_string(threads) + " threads";
  for (std::int64_t b = 0; b < batches; b += target.group_count_max) {
    const std::int64_t here = std::min<std::int64_t>(batches - b, target.group_count_max);
    Dispatch d;
    d.shader = types.shader;
    d.constants = {threads, rows, p.c ? 1u : 0u, p.a_k == 1 ? 1u : 0u, types.codes};
    d.push = {word(p.m),          word(p.n),           word(p.k),          word(p.a_row),
              word(p.a_k),        word(p.b_k),         word(p.b_column),   word(p.c_row),
              word(p.c_column),   float_bits(p.alpha), float_bits(p.beta), word(b),
              word(p.batch[1]),   word(p.batch[2]),    word(p.a_batch[0]), word(p.a_batch[1]),
              word(p.a_batch[2]), word(p.b_batch[0]),  word(p.b_batch[1]), word(p.b_batch[2])};
    d.operands = {Operand::input(0), Operand::input(1), Operand::input(2), Operand::output(0)};
    d.grid = {word(wide), word(high), word(here)};
    d.barrier_before = false;
    d.loop_rounds = ceil_div(p.k / 4, threads / 64) + 4;
    d.estimate_us = model_us(width_of(dtype).of(here * (p.m * p.k + p.k * p.n + p.m * p.n)),
                             3 * here * p.m * p.n * p.k);
    kernel->dispatches.push_back(std::move(d));
  }
  finish_estimate(*kernel, node);
  return kernel;
}

Result<KernelList> candidates(const VulkanTarget& target, const NodeDesc& node) {
  const Result<Types> types = read_types(target, node);
  if (!types) return types.error();
  Result<Problem> problem = node.op->is("MatMul") ? read_matmul(node)
                            : node.op->is("Gemm") ? read_gemm(node)
                                                  : Result<Problem>(read_linear(node));
  if (!problem) return problem.error();
  const Problem& p = *problem;
  const std::int64_t batches = p.batch[0] * p.batch[1] * p.batch[2];
  if (batches * p.m * p.n == 0) return refuse(node, "an empty product");
  if (target.subgroup_size > 64) return refuse(node, "a subgroup of more than 64");
  const std::uint32_t rows = rows_together(p.m);
  const std::int64_t wide = ceil_div(p.m, rows);
  const std::int64_t high = ceil_div(p.n, 64);
  if (wide > target.group_count_max || high > target.group_count_max) {
    return refuse(node, "more rows or columns than a grid holds");
  }
  const DType dtype = node.outputs[0].type.dtype;
  if (!is_float(dtype) && (p.alpha != 1.0f || (p.c && p.beta != 1.0f))) {
    return refuse(node, "integers with an alpha or beta other than 1");
  }
  KernelList out;
  for (const std::uint32_t threads : threads_for(p, wide * high * batches)) {
    out.push_back(make_kernel(target, node, p, *types, threads));
  }
  return out;
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  struct Kind {
    std::string_view name;
    std::string_view shader;
    std::uint32_t type;
  };
  const Kind kinds[] = {{"f32", "matmul.float", kTypeF32},
                        {"f16", "matmul.float", kTypeF16},
                        {"bf16", "matmul.float", kTypeBF16},
                        {"i32", "matmul.int", kTypeI32},
                        {"i64", "matmul.int64", kTypeI64}};
  for (const Kind& kind : kinds) {
    for (const std::uint32_t threads : {64u, 256u}) {
      for (const std::uint32_t rows : {1u, 2u, 4u, 8u}) {
        all.push_back({"matmul " + std::string(kind.name) + " " + std::to_string(rows) + " rows " +
                           std::to_string(threads),
                       kind.shader,
                       {threads, rows, 1u, 1u, kind.type * 0x01010101u},
                       4,
                       80,
                       4 * rows});
      }
    }
  }
  return all;
}

constexpr std::string_view kOps[] = {"MatMul", "Gemm", "polaris.Linear"};

}  // namespace

extern const KernelFamily family_matmul;
const KernelFamily family_matmul{{"matmul", kOps, candidates}, variants};

}  // namespace polaris::vulkan
