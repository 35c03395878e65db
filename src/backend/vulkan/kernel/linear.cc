#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "backend/vulkan/parts/affine_blocks.h"
#include "backend/vulkan/parts/block_shaders.h"
#include "backend/vulkan/parts/block_weights.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/linear_format.h"
#include "backend/vulkan/parts/linear_stage.h"
#include "backend/vulkan/parts/linear_tile.h"
#include "backend/vulkan/parts/opcode.h"
#include "backend/vulkan/parts/widen.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "ir/op_attrs/matmul.h"
#include "tensor/block_format.h"
#include "tensor/element.h"

/// x @ w^T + bias with a constant w: polaris.Linear, those with more around it (linear_stage.h),
/// and MatMul and Gemm whose right side is a constant matrix. Weights are packed once, 64 rows to a
/// group, as linear.comp wants them; 16-bit activations are widened first.
namespace polaris::vulkan {
namespace {

constexpr std::int64_t kRows = kLinearRows;
constexpr std::uint32_t kFours = 1u << 16;  // in linear.comp's kTypes

/// Of a row of linear_formats().
LinearFormat format_at(const LinearFormatInfo& row) {
  return static_cast<LinearFormat>(&row - linear_formats().data());
}

/// x[t, k] @ w^T, w being input 1 as [n, k] or, transposed, [k, n].
struct Problem {
  std::int64_t t = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  LinearFormat format = LinearFormat::kF32;
  bool transposed = false;
  bool bias = false;
  DType x_type = DType::kF32;
  std::uint32_t types = 0;  // of bias and y, as linear.comp has them
  bool fours = false;       // x is read four elements at once
  // Affine weights: 2^shift units of a row share a scale; `scales` a row.
  std::uint32_t shift = 31;
  std::int64_t scales = 1;
  LinearStage stage;

  bool gated() const { return stage.up >= 0; }
  bool is_weight(int input) const { return input == 1 || (gated() && input == stage.up); }

  std::int64_t whole_units() const { return k / linear_format_info(format).unit; }
  /// Units of weights in a row group, the last one being padded.
  std::int64_t weight_units() const { return ceil_div(k, linear_format_info(format).unit); }
  /// Those, and what the scales of affine weights take after them.
  std::int64_t group_units() const {
    const std::int64_t table = format == LinearFormat::kI8 ? scales * kRows * 8 : 0;
    return weight_units() + ceil_div(table, linear_format_info(format).unit_bytes);
  }
};

/// Affine rows as [group][unit]{16 bytes of 64 lanes, twice}, then the group's scales and zero
/// points. Bytes are signed: a weight is scale * (byte - zero point).
void pack_affine(const Problem& p, const Constant& weight, std::byte* out) {
  const LinearFormatInfo& info = linear_format_info(LinearFormat::kI8);
  const Encoding& encoding = weight.data.type().encoding;
  const bool nibbles = is_small(encoding.storage);
  const bool is_signed = encoding.storage == DType::kI8 || nibbles;  // all nibbles fit
  const std::byte* from = weight.data.bytes().data();
  for (std::int64_t row = 0; row < p.n; ++row) {
    const std::int64_t lane = row % kRows;
    std::byte* group = out + row / kRows * p.group_units() * info.unit_bytes;
    for (std::int64_t k = 0; k < p.k; ++k) {
      std::byte* to = group + k / 32 * info.unit_bytes + (k % 32 / 16 * kRows + lane) * 16;
      const std::int64_t at = row * p.k + k;
      if (nibbles) {
        to[k % 16] = static_cast<std::byte>(load_i64(encoding.storage, from, at));
      } else {
        to[k % 16] = is_signed ? from[at] : from[at] ^ std::byte{0x80};
      }
    }
    for (std::int64_t s = 0; s < p.scales; ++s) {
      const std::int64_t at = encoding.axis < 0 ? 0 : encoding.axis == 0 ? row : row * p.scales + s;
      const auto scale = static_cast<float>(element_as_f64(weight.scale, at));
      double zero = is_signed ? 0 : -128;
      if (weight.zero_point) zero += element_as_f64(weight.zero_point, at);
      const float pair[2] = {scale, static_cast<float>(zero)};
      std::memcpy(group + p.weight_units() * info.unit_bytes + (s * kRows + lane) * 8, pair, 8);
    }
  }
}

class LinearKernel final : public VulkanKernel {
 public:
  LinearKernel(std::string name, const Problem& problem)
      : VulkanKernel(std::move(name)), problem_(problem) {}

  std::string weight_layout(int input) const override {
    if (!problem_.is_weight(input)) return {};
    std::string layout = "linear64.";
    layout += linear_format_info(problem_.format).name;
    if (problem_.format == LinearFormat::kI8) layout += "." + std::to_string(problem_.scales);
    return problem_.transposed ? layout + ".t" : layout;
  }
  std::int64_t packed_bytes(int input) const override {
    const LinearFormatInfo& info = linear_format_info(problem_.format);
    if (!problem_.is_weight(input)) return 0;
    return ceil_div(problem_.n, kRows) * problem_.group_units() * info.unit_bytes;
  }
  Status pack(int input, const Constant& weight, std::span<std::byte> out) const override {
    if (!problem_.is_weight(input) ||
        static_cast<std::int64_t>(out.size()) != packed_bytes(input)) {
      return Error::internal("[linear] pack: not its weight, or of another size");
    }
    clear_bytes(out.data(), out.size());
    switch (problem_.format) {
      case LinearFormat::kF32:
      case LinearFormat::kF16:
        pack_linear_elements(problem_.format, {problem_.n, problem_.k, problem_.transposed},
                             weight.data, out.data());
        break;
      case LinearFormat::kI8: pack_affine(problem_, weight, out.data()); break;
      case LinearFormat::kQ8_0:
      case LinearFormat::kQ4_0:
      case LinearFormat::kQ4_1:
      case LinearFormat::kQ5_0:
      case LinearFormat::kQ5_1:
      case LinearFormat::kQ4_K:
      case LinearFormat::kQ5_K:
      case LinearFormat::kQ6_K: return pack_blocks(weight, out.data());
    }
    return Status::success();
  }

 private:
  Status pack_blocks(const Constant& weight, std::byte* out) const {
    const Encoding& encoding = weight.data.type().encoding;
    if (encoding.is_block()) {
      pack_linear_blocks(encoding.format, problem_.n, problem_.k, weight.data.bytes().data(), out);
      return Status::success();
    }
    const auto format = blocks_of_affine(weight);
    if (!format) return Error::internal("[linear] pack: affine weights that are no blocks");
    const std::vector<std::byte> blocks = affine_as_blocks(weight, *format);
    pack_linear_blocks(*format, problem_.n, problem_.k, blocks.data(), out);
    return Status::success();
  }

  Problem problem_;
};

/// How scales lie along the rows of affine weights; refuses those that end inside a unit.
Status read_affine(const NodeDesc& node, const Constant& weight, Problem& p) {
  const TensorType& w = weight.data.type();
  const DType storage = w.encoding.storage;
  constexpr DType kStored[] = {DType::kI8, DType::kU8, DType::kI4, DType::kU4};
  if (std::ranges::count(kStored, storage) == 0) {
    return refuse(node, "affine weights of other integers than those of 4 and 8 bits");
  }
  const std::int64_t block = w.encoding.block;
  const bool by_rows = w.encoding.axis < 0 || (w.encoding.axis == 0 && block == 0);
  if (by_rows) return Status::success();
  const auto units = static_cast<std::uint64_t>(block / 32);
  if (w.encoding.axis != 1 || block % 32 != 0 || !std::has_single_bit(units)) {
    return refuse(node, "affine scales that are neither one a row nor one for 2^n times 32 of k");
  }
  p.shift = static_cast<std::uint32_t>(std::countr_zero(units));
  p.scales = ceil_div(p.k, block);
  return Status::success();
}

/// The format in which constant weights are packed: affine ones as blocks where they are some.
Result<LinearFormat> packed_format(const NodeDesc& node, const OperandDesc& w) {
  const auto blocks = w.constant != nullptr ? blocks_of_affine(*w.constant) : std::nullopt;
  if (!blocks) return linear_format_of(node, w.type);
  TensorType type = w.type;
  type.encoding = Encoding::of(*blocks);
  return linear_format_of(node, type);
}

/// What a stage adds: its shader, and a second matrix that is packed as the first.
Status read_other(const NodeDesc& node, const Problem& p) {
  if (linear_format_info(p.format).stage.empty()) {
    return refuse(node, "weights of " + std::string(linear_format_info(p.format).name));
  }
  if (!p.gated()) return Status::success();
  const OperandDesc& up = node.inputs[static_cast<std::size_t>(p.stage.up)];
  if (up.constant == nullptr) return refuse(node, "the second right side is no constant matrix");
  const Result<LinearFormat> format = packed_format(node, up);
  if (!format) return format.error();
  Problem other = p;
  if (*format == LinearFormat::kI8) {
    if (Status s = read_affine(node, *up.constant, other); !s) return s;
  }
  if (*format != p.format || other.shift != p.shift || other.scales != p.scales) {
    return refuse(node, "two matrices of different kinds");
  }
  return Status::success();
}

/// Gemm, MatMul or Linear as one problem; refuses what matmul.cc is for.
Result<Problem> read_problem(const NodeDesc& node) {
  const OperandDesc& x = node.inputs[0];
  const OperandDesc& w = node.inputs[1];
  const Result<std::uint32_t> x_code = float_code(node, x);
  if (!x_code) return x_code.error();
  if (w.constant == nullptr || w.type.shape.rank() != 2) {
    return refuse(node, "the right side is no constant matrix");
  }
  Problem p;
  p.x_type = x.type.dtype;
  Result<LinearStage> stage = read_linear_stage(node);
  if (!stage) return stage.error();
  p.stage = *stage;
  const bool gemm = node.op->is("Gemm");
  const GemmAttrs attrs = gemm ? node.attributes<GemmAttrs>() : GemmAttrs();
  p.transposed = node.op->is("MatMul") || (gemm && !attrs.transB);
  p.n = w.type.shape[p.transposed ? 1 : 0];
  p.k = w.type.shape[p.transposed ? 0 : 1];
  if (attrs.transA || attrs.alpha != 1.0f || attrs.beta != 1.0f) {
    return refuse(node, "a scaled or transposed left side");
  }
  const auto bias = static_cast<std::size_t>(p.stage.bias);
  p.bias = p.stage.bias >= 0 && has_input(node, bias);
  if (p.bias &&
      (operand_elements(node.inputs[bias]) != p.n || node.inputs[bias].type.shape.rank() == 0 ||
       node.inputs[bias].type.shape.back() != p.n)) {
    return refuse(node, "a bias that is not one number a column");
  }
  const Result<std::uint32_t> bias_code =
      p.bias ? float_code(node, node.inputs[bias]) : Result<std::uint32_t>(kTypeF32);
  if (!bias_code) return bias_code.error();
  p.types = *bias_code | *x_code << 8;
  Result<LinearFormat> format = packed_format(node, w);
  if (!format) return format.error();
  p.format = *format;
  if (p.transposed && !w.type.encoding.is_plain()) {
    return refuse(node, "encoded weights that do not run along k");
  }
  if (p.format == LinearFormat::kI8) {
    if (Status s = read_affine(node, *w.constant, p); !s) return s.error();
  }
  if (p.stage.any) {
    if (Status s = read_other(node, p); !s) return s.error();
  }
  p.t = p.k == 0 ? 0 : operand_elements(x) / p.k;
  return p;
}

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

std::string_view shader_of(const LinearFormatInfo& info, LinearShader shader, bool stage) {
  switch (shader) {
    case LinearShader::kWave: return stage ? info.stage : info.shader;
    case LinearShader::kRows: return stage ? info.rows_stage : info.rows;
    case LinearShader::kTile: return stage ? info.tile_stage : info.tile;
  }
  return {};
}

/// Rounds of the hot loop of the thread that has most of them.
std::int64_t rounds_of(const Problem& p, const LinearTile& tile) {
  const LinearFormatInfo& info = linear_format_info(p.format);
  switch (tile.shader) {
    case LinearShader::kWave:
      return ceil_div(p.whole_units(), tile.threads / kRows) + p.k % info.unit;
    case LinearShader::kRows: return ceil_div(p.whole_units(), tile.threads / (8 * tile.groups));
    case LinearShader::kTile: return p.k / 16;
  }
  return 0;
}

/// One dispatch over row groups [group0, group1).
Dispatch make_dispatch(const Problem& p, const LinearTile& tile, std::int64_t group0,
                       std::int64_t group1) {
  const LinearFormatInfo& info = linear_format_info(p.format);
  const std::int64_t stride = p.group_units();
  const std::int64_t rows = std::min(p.n - group0 * kRows, (group1 - group0) * kRows);
  const std::int64_t group_bytes = stride * info.unit_bytes;
  Dispatch d;
  d.shader = shader_of(info, tile.shader, p.stage.any);
  d.constants = {tile.threads,     tile.columns,          tile.groups,
                 p.bias ? 1u : 0u, word(p.k % info.unit), p.types | (p.fours ? kFours : 0u)};
  d.push = {word(p.t),    word(rows),   word(p.k), word(p.whole_units()),
            word(stride), word(group0), word(p.n)};
  if (p.format == LinearFormat::kI8) d.push.insert(d.push.end(), {word(p.weight_units()), p.shift});
  const auto weights = [&](int input) {
    return Operand::input(input, group0 * group_bytes, (group1 - group0) * group_bytes);
  };
  d.operands = {p.x_type == DType::kF32 ? Operand::input(0) : Operand::workspace(), weights(1),
                p.bias || !p.stage.any ? Operand::input(p.stage.bias) : Operand::params(),
                Operand::output(0)};
  const bool sums =
      tile.shader == LinearShader::kWave && shares_sums(p.format, tile.columns, p.whole_units());
  if (p.stage.any || sums) {
    d.constants.insert(d.constants.end(), {p.stage.gate, p.stage.any ? p.stage.bits() : 0u});
  }
  if (sums) d.constants.push_back(kLinearSumsMax);
  if (p.stage.any) {
    const std::vector<std::uint32_t> push = p.stage.push(p.n);
    d.push.insert(d.push.end(), push.begin(), push.end());
    const std::vector<Operand> more = p.stage.operands(weights(p.stage.up));
    d.operands.insert(d.operands.end(), more.begin(), more.end());
  }
  const std::uint32_t side_by_side = p.gated() ? tile.groups / 2 : tile.groups;
  const std::uint32_t halves = tile.shader == LinearShader::kRows ? 2 : 1;
  d.grid = {word(ceil_div(p.t, tile.columns)),
            word(ceil_div(group1 - group0, side_by_side) * halves), 1};
  d.loop_rounds = rounds_of(p, tile);
  const std::int64_t matrices = p.gated() ? 2 : 1;
  // Without what fills up the last group, for which no other kernel is better.
  d.estimate_us = model_us(matrices * rows * group_bytes / kRows + p.t * (p.k + rows) * 4,
                           2 * matrices * p.t * rows * p.k);
  return d;
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  Result<Problem> problem = read_problem(node);
  if (!problem) return problem.error();
  // With a scalar unit, which reads x for a whole wave at once, it would cost some percent.
  problem->fours =
      target.subgroup_size < kRows && problem->k % linear_format_info(problem->format).unit == 0;
  const Problem& p = *problem;
  if (p.t == 0 || p.n == 0 || p.k == 0) return refuse(node, "an empty product");
  if (target.subgroup_size > kRows) return refuse(node, "a subgroup of more than 64");
  if (p.t * std::max(p.k, p.n) * 4 > std::min<std::int64_t>(target.binding_bytes_max, INT32_MAX)) {
    return refuse(node, "activations larger than a binding may be");
  }
  const LinearFormatInfo& info = linear_format_info(p.format);
  const std::int64_t group_bytes = p.group_units() * info.unit_bytes;
  const std::int64_t groups = ceil_div(p.n, kRows);
  // Four groups are a multiple of any alignment that a device asks for.
  const std::int64_t most = std::min<std::int64_t>(target.binding_bytes_max / group_bytes,
                                                   target.group_count_max / 4 * 2);
  const std::int64_t piece = most >= groups ? groups : most / 4 * 4;
  const LinearTile tile =
      choose_linear_tile(target, {p.format, p.t, p.n, p.k, p.gated(), p.stage.any});
  if (piece == 0) return refuse(node, "rows longer than a binding may be");
  if (ceil_div(p.t, tile.columns) > target.group_count_max) return refuse(node, "too many rows");

  std::string name = "linear_";
  name += info.name;
  name += tile.columns == 1 ? "_gemv" : "_gemm" + std::to_string(tile.columns);
  if (tile.shader == LinearShader::kTile) name += "_shared";
  if (tile.shader == LinearShader::kRows) name += "_rows";
  name += p.stage.name();
  auto kernel = std::make_shared<LinearKernel>(std::move(name), p);
  if (p.x_type != DType::kF32) {
    kernel->workspace = round_up(p.t * p.k * 4, 64);
    add_widen(*kernel, target, Operand::input(0), Operand::workspace(), p.x_type, p.t * p.k);
  }
  for (std::int64_t g = 0; g < groups; g += piece) {
    kernel->dispatches.push_back(make_dispatch(p, tile, g, std::min(g + piece, groups)));
    kernel->dispatches.back().barrier_before = g == 0 && p.x_type != DType::kF32;
  }
  if (p.stage.new_squares && tile.columns >= kSquaresColumns) {
    if (p.t > target.group_count_max) return refuse(node, "too many rows");
    kernel->dispatches.push_back(sum_squares(p.t, p.n));
  }
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

/// What passes make of a decoder, by the shader's constants.
struct StageVariant {
  std::string_view name;
  std::uint32_t gate;
  std::uint32_t bits;
  bool whole;  // of all that stands around a product, so that others are parts of it
};
constexpr StageVariant kStages[] = {
    {" scaled", 0, 1, true},    {" residual normed", 0, 14, true}, {" gated scaled", 1, 1, true},
    {" residual", 0, 2, false}, {" gated", 1, 0, false},           {" gated gelu", 2, 1, false}};

/// Hot loops are alike in all stages: parts of others are there for one tile.
void add_stages(const LinearFormatInfo& info, const ShaderVariant& plain, const LinearTile& tile,
                bool gated, std::vector<ShaderVariant>& all) {
  if (info.stage.empty()) return;
  for (const StageVariant& stage : kStages) {
    if (gated != (stage.gate != 0)) continue;
    const bool wave = tile.shader == LinearShader::kWave;
    if (wave && tile.threads > stage_threads_max(gated, tile.columns)) continue;
    if (!stage.whole && (!wave || tile.columns != 1 || tile.threads != 1024)) continue;
    ShaderVariant v = plain;
    v.name += stage.name;
    v.shader = shader_of(info, tile.shader, true);
    v.constants[3] = 0;
    v.constants.insert(v.constants.end(), {stage.gate, stage.bits});
    if (wave && shares_sums(format_at(info), tile.columns, 0)) {
      v.constants.push_back(kLinearSumsMax);
    }
    v.bindings = 10;
    v.push_bytes += 16;
    all.push_back(std::move(v));
  }
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all = {{"row_squares", "row_squares", {}, 2, 12, 0}};
  std::vector<LinearTile> tiles = {{16, 2, 64}};
  std::vector<LinearTile> gated_tiles;
  for (const std::uint32_t columns : {1u, 2u, 4u, 8u, 16u}) {
    for (const std::uint32_t threads : kGemvThreads) {
      if (columns < 16 || threads <= 512) tiles.push_back({columns, 1, threads});
      gated_tiles.push_back({columns, 2, threads});
    }
  }
  const auto variant = [](const LinearFormatInfo& info, const LinearTile& tile) {
    const bool affine = info.shader == "linear.i8";
    const bool tail = info.unit < 32 || affine;
    ShaderVariant v;
    v.name = "linear." + std::string(info.name) + " " + std::to_string(tile.columns) + "x" +
             std::to_string(tile.groups * kRows) + " " + std::to_string(tile.threads);
    v.shader = info.shader;
    v.constants = {
        tile.threads, tile.columns, tile.groups, 1u, tail ? word(info.unit - 1) : 0u, 0u};
    v.bindings = 4;
    v.push_bytes = affine ? 36 : 28;
    v.work_per_trip = word(info.unit) * tile.columns * tile.groups;
    return v;
  };
  for (const LinearFormatInfo& info : linear_formats()) {
    for (const LinearTile& tile : gated_tiles)
      add_stages(info, variant(info, tile), tile, true, all);
    for (const std::uint32_t columns : {1u, 2u, 4u, 8u}) {
      const LinearTile tile{columns, 1, 256, LinearShader::kRows};
      ShaderVariant v = variant(info, tile);
      v.name += " rows";
      v.shader = info.rows;
      v.constants[4] = 0;
      v.work_per_trip = word(info.unit) * columns * 4;
      add_stages(info, v, tile, false, all);
      if (columns <= 4) {
        ShaderVariant gated = v;
        gated.constants[2] = 2;
        add_stages(info, gated, {columns, 2, 256, LinearShader::kRows}, true, all);
      }
      all.push_back(std::move(v));
    }
    if (!info.tile.empty()) {
      ShaderVariant v = variant(info, kSharedTile);
      v.name += " shared";
      v.shader = info.tile;
      v.work_per_trip = 16 * kSharedTile.columns * kSharedTile.groups;
      for (const bool gated : {false, true}) add_stages(info, v, kSharedTile, gated, all);
      all.push_back(std::move(v));
    }
    for (const LinearTile& tile : tiles) {
      ShaderVariant v = variant(info, tile);
      add_stages(info, v, tile, false, all);
      if (shares_sums(format_at(info), tile.columns, 0)) {
        all.push_back(v);
        all.back().name += " long";
        v.constants.insert(v.constants.end(), {0u, 0u, kLinearSumsMax});
      }
      all.push_back(v);
      // What a 16-bit result changes is the store, alike in all tiles.
      if (tile.columns != 16 || tile.threads != 64 || tile.groups != 1) continue;
      v.name += " float16";
      v.constants[5] = kTypeF16 | kTypeF16 << 8;
      all.push_back(std::move(v));
    }
  }
  return all;
}

constexpr std::string_view kOps[] = {"polaris.Linear",
                                     "polaris.NormLinear",
                                     "polaris.GatedLinear",
                                     "polaris.ResidualLinear",
                                     "MatMul",
                                     "Gemm"};

}  // namespace

extern const KernelFamily family_linear;
const KernelFamily family_linear{{"linear", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
