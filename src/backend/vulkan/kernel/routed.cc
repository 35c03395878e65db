#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include "backend/vulkan/parts/block_weights.h"
#include "backend/vulkan/parts/index_check.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/linear_format.h"
#include "backend/vulkan/parts/opcode.h"
#include "backend/vulkan/parts/widen.h"
#include "base/bytes.h"
#include "base/checked.h"

/// polaris.RoutedMatMul with constant matrices: a GEMV for each row of y, by the matrix whose id
/// the shader reads. Experts are packed one after the other as linear.comp has a matrix.
namespace polaris::vulkan {
namespace {

constexpr std::int64_t kRows = kLinearRows;
constexpr std::uint32_t kFours = 1u << 16;  // in linear.comp's kTypes

struct Problem {
  std::int64_t rows = 0;  // of y
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::int64_t experts = 0;
  std::int64_t x_share = 1;  // rows of y to a row of x
  LinearFormat format = LinearFormat::kF32;
  DType x_type = DType::kF32;
  std::uint32_t types = 0;  // of y, as linear.comp has it
  bool wide = false;        // ids of 64 bits
  bool fours = false;       // x is read four elements at once

  const LinearFormatInfo& info() const { return linear_format_info(format); }
  std::int64_t groups() const { return ceil_div(n, kRows); }
  std::int64_t units() const { return ceil_div(k, info().unit); }
  std::int64_t whole_units() const { return k / info().unit; }
  std::int64_t expert_bytes() const { return groups() * units() * info().unit_bytes; }
};

class RoutedKernel final : public VulkanKernel {
 public:
  RoutedKernel(std::string name, const Problem& problem)
      : VulkanKernel(std::move(name)), problem_(problem) {}

  std::string weight_layout(int input) const override {
    if (input != 1) return {};
    return "linear64." + std::string(problem_.info().name) + ".x" +
           std::to_string(problem_.experts);
  }
  std::int64_t packed_bytes(int input) const override {
    return input == 1 ? problem_.experts * problem_.expert_bytes() : 0;
  }
  Status pack(int input, const Constant& weight, std::span<std::byte> out) const override {
    if (input != 1 || static_cast<std::int64_t>(out.size()) != packed_bytes(input)) {
      return Error::internal("[routed] pack: not its weight, or of another size");
    }
    clear_bytes(out.data(), out.size());
    const Problem& p = problem_;
    const Encoding& encoding = weight.data.type().encoding;
    const std::int64_t file_bytes =
        static_cast<std::int64_t>(weight.data.bytes().size()) / p.experts;
    for (std::int64_t e = 0; e < p.experts; ++e) {
      std::byte* to = out.data() + e * p.expert_bytes();
      if (encoding.is_block()) {
        pack_linear_blocks(encoding.format, p.n, p.k, weight.data.bytes().data() + e * file_bytes,
                           to);
      } else {
        pack_linear_elements(p.format, {p.n, p.k, false, e * p.n * p.k}, weight.data, to);
      }
    }
    return Status::success();
  }

 private:
  Problem problem_;
};

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

Result<Problem> read_problem(const VulkanTarget& target, const NodeDesc& node) {
  const OperandDesc& x = node.inputs[0];
  const OperandDesc& w = node.inputs[1];
  const TensorType& ids = node.inputs[2].type;
  const Result<std::uint32_t> x_code = float_code(node, x);
  if (!x_code) return x_code.error();
  if (w.constant == nullptr) return refuse(node, "the experts' weights are no constant");
  const Result<LinearFormat> format = linear_format_of(node, w.type);
  if (!format) return format.error();
  Problem p;
  p.format = *format;
  if (p.info().routed.empty()) return refuse(node, "affine weights");
  p.rows = ids.shape.elements();
  p.experts = w.type.shape[0];
  p.n = w.type.shape[1];
  p.k = w.type.shape[2];
  p.x_share = x.type.shape[1] == 1 ? ids.shape[1] : 1;
  p.x_type = x.type.dtype;
  p.types = *x_code << 8;
  p.wide = ids.dtype == DType::kI64;
  // As for Linear: with a scalar unit it would cost some percent.
  p.fours = target.subgroup_size < kRows && p.k % p.info().unit == 0;
  return p;
}

/// The products by experts [from, to).
Dispatch make_dispatch(const Problem& p, std::uint32_t threads, std::int64_t from,
                       std::int64_t to) {
  const LinearFormatInfo& info = p.info();
  Dispatch d;
  d.shader = info.routed;
  d.constants = {
      threads,         1u, 1u, 0u, word(p.k % info.unit), p.types | (p.fours ? kFours : 0u),
      p.wide ? 1u : 0u};
  if (shares_sums(p.format, 1, p.whole_units())) {
    d.constants.insert(d.constants.end(), {0u, kLinearSumsMax});
  }
  d.push = {word(p.rows),    word(p.n),  word(p.k), word(p.whole_units()),
            word(p.units()), 0u,         word(p.n), word(p.x_share),
            word(p.experts), word(from), word(to)};
  d.operands = {p.x_type == DType::kF32 ? Operand::input(0) : Operand::workspace(),
                Operand::input(1, from * p.expert_bytes(), (to - from) * p.expert_bytes()),
                Operand::params(), Operand::output(0), Operand::input(2)};
  d.grid = {word(p.rows), word(p.groups()), 1};
  d.loop_rounds = ceil_div(p.whole_units(), threads / kRows) + p.k % info.unit;
  const std::int64_t read = std::min(p.rows, to - from);
  d.estimate_us = model_us(read * p.expert_bytes() + p.rows * (p.k + p.n) * 4,
                           2 * p.rows * p.n * p.k * (to - from) / p.experts);
  return d;
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  Result<Problem> problem = read_problem(target, node);
  if (!problem) return problem.error();
  const Problem& p = *problem;
  if (p.rows == 0 || p.n == 0 || p.k == 0 || p.experts == 0) {
    return refuse(node, "an empty product");
  }
  if (target.subgroup_size > kRows) return refuse(node, "a subgroup of more than 64");
  if (p.rows * std::max(p.k, p.n) * 4 > std::min<std::int64_t>(target.binding_bytes_max, INT32_MAX))
    return refuse(node, "activations larger than a binding may be");
  if (p.rows > target.group_count_max || p.groups() > target.group_count_max) {
    return refuse(node, "too many rows");
  }
  // Parts of whole experts that fit a binding and start aligned.
  const std::int64_t expert_bytes = std::max<std::int64_t>(p.expert_bytes(), 1);
  const std::int64_t shared = std::gcd(target.alignment_bytes, expert_bytes);
  const std::int64_t step = std::max<std::int64_t>(target.alignment_bytes / shared, 1);
  std::int64_t piece = target.binding_bytes_max / expert_bytes;
  if (piece < p.experts) piece = piece / step * step;
  if (piece == 0) return refuse(node, "an expert larger than a binding may be");

  auto kernel = std::make_shared<RoutedKernel>("routed_" + std::string(p.info().name) + "_gemv", p);
  if (p.x_type != DType::kF32) {
    const std::int64_t elements = operand_elements(node.inputs[0]);
    kernel->workspace = round_up(elements * 4, 64);
    add_widen(*kernel, target, Operand::input(0), Operand::workspace(), p.x_type, elements);
  }
  const std::uint32_t threads = gemv_threads(target, p.groups() * p.rows, p.whole_units());
  for (std::int64_t e = 0; e < p.experts; e += piece) {
    kernel->dispatches.push_back(make_dispatch(p, threads, e, std::min(e + piece, p.experts)));
    kernel->dispatches.back().barrier_before = e == 0 && p.x_type != DType::kF32;
  }
  const std::int64_t experts[] = {p.experts};
  if (Status s = add_index_check(*kernel, target, node, 2, experts); !s) return s.error();
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  std::size_t at = 0;
  for (const LinearFormatInfo& info : linear_formats()) {
    const auto format = static_cast<LinearFormat>(at++);
    if (info.routed.empty()) continue;
    for (const std::uint32_t threads : kGemvThreads) {
      ShaderVariant v;
      v.name = "routed." + std::string(info.name) + " " + std::to_string(threads);
      v.shader = info.routed;
      v.constants = {threads, 1u, 1u, 0u, info.unit < 32 ? word(info.unit - 1) : 0u, 0u, 1u};
      v.bindings = 5;
      v.push_bytes = 44;
      v.work_per_trip = word(info.unit);
      if (shares_sums(format, 1, 0)) {
        all.push_back(v);
        all.back().name += " long";
        v.constants.insert(v.constants.end(), {0u, kLinearSumsMax});
      }
      all.push_back(std::move(v));
    }
  }
  return all;
}

constexpr std::string_view kOps[] = {"polaris.RoutedMatMul"};

}  // namespace

extern const KernelFamily family_routed;
const KernelFamily family_routed{{"routed", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
