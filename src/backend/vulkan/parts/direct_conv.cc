#include "backend/vulkan/parts/direct_conv.h"

#include <algorithm>
#include <utility>

#include "backend/vulkan/parts/conv_weights.h"
#include "backend/vulkan/parts/widen.h"
#include "base/checked.h"

namespace polaris::vulkan {
namespace {

constexpr std::int64_t kLanes = 64;
constexpr std::uint32_t kPushBytes = 100;
constexpr std::uint32_t kBindings = 7;

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

std::string_view shader_of(const ConvProblem& p) {
  const bool d = p.depthwise();
  switch (p.kind) {
    case ConvKind::kFloat:
      if (p.half) return d ? "conv_depthwise.f16" : "conv.f16";
      return d ? "conv_depthwise.f32" : "conv.f32";
    case ConvKind::kTransposed: return p.half ? "conv.transposed_f16" : "conv.transposed_f32";
    case ConvKind::kInteger: return d ? "conv_depthwise.i8_i32" : "conv.i8_i32";
    case ConvKind::kQuantized: break;
  }
  return d ? "conv_depthwise.i8_i8" : "conv.i8_i8";
}

class ConvKernel final : public VulkanKernel {
 public:
  ConvKernel(std::string name, ConvProblem problem, int weight)
      : VulkanKernel(std::move(name)), problem_(std::move(problem)), weight_(weight) {}

  std::string weight_layout(int input) const override {
    return packs(input) ? packed_layout(problem_) : std::string();
  }
  std::int64_t packed_bytes(int input) const override {
    return packs(input) ? packed_weight_bytes(problem_) : 0;
  }
  Status pack(int input, const Constant& weight, std::span<std::byte> out) const override {
    if (!packs(input) || static_cast<std::int64_t>(out.size()) != packed_bytes(input)) {
      return Error::internal("[conv] pack: not its weight, or of another size");
    }
    pack_conv_weights(problem_, weight.data, out);
    return Status::success();
  }

 private:
  bool packs(int input) const { return input == weight_ && problem_.packed; }

  ConvProblem problem_;
  int weight_;
};

std::uint32_t byte_flags(const NodeDesc& node, const ConvProblem& p, const ConvPorts& ports) {
  const auto is_signed = [](const OperandDesc& operand) {
    return operand.type.dtype == DType::kI8;
  };
  std::uint32_t flags = 0;
  if (is_signed(node.inputs[0])) flags |= 1;
  if (is_signed(node.outputs[0])) flags |= 2;
  if (is_signed(node.inputs[static_cast<std::size_t>(ports.w)])) flags |= 4;
  if (!p.w_zero.empty()) flags |= 32;
  if (!p.packed && has_port(node, ports.w_zero)) {
    const OperandDesc& zero = node.inputs[static_cast<std::size_t>(ports.w_zero)];
    flags |= operand_elements(zero) == 1 ? 8u : 16u;
  }
  return flags;
}

/// What the shader finds as weights; see conv_operands.glsl.
std::uint32_t packed_mode(const ConvProblem& p) {
  if (!p.packed) return 0;
  return p.weight_bytes() == 4 || p.widened ? 1 : 2;
}

/// How y is stored: channels last, in fours where they are whole and one lane has their sums.
std::uint32_t y_last(const ConvProblem& p) {
  if (!p.last) return 0;
  const bool fours = p.tile.threads == 64 && p.tile.out % 4 == 0 && p.geometry.group_out % 4 == 0;
  return fours ? 2 : 1;
}

/// What a lane of conv_depthwise.comp takes: four channels where they are whole, and four pixels
/// where enough waves are left.
struct DepthwiseTile {
  std::int64_t channels = 1;
  std::int64_t pixels = 1;
};
std::int64_t depthwise_groups(const ConvProblem& p, const DepthwiseTile& t) {
  return ceil_div(p.out_channels() / t.channels * ceil_div(p.pixels(), t.pixels), kLanes);
}
DepthwiseTile depthwise_tile(const ConvProblem& p) {
  DepthwiseTile t;
  if (p.geometry.group_out == 1 && p.out_channels() % 4 == 0) t.channels = 4;
  const DepthwiseTile more = {t.channels, 4};
  return depthwise_groups(p, more) < kConvWavesEnough ? t : more;
}

Dispatch make_dispatch(const VulkanTarget& target, const NodeDesc& node, const ConvProblem& p,
                       const ConvPorts& ports, std::int64_t y_zero) {
  const bool bias = has_port(node, ports.bias);
  const bool x_zero = has_port(node, ports.x_zero);
  const bool w_zero = !p.packed && has_port(node, ports.w_zero);
  const std::uint32_t flags = byte_flags(node, p, ports);
  const std::uint32_t depth = p.geometry.spatial == 3 ? 1 : 0;
  Dispatch d;
  d.shader = shader_of(p);
  if (p.depthwise()) {
    const DepthwiseTile t = depthwise_tile(p);
    d.constants = {0, word(t.channels), word(t.pixels), bias ? 1u : 0u, flags,
                   0, packed_mode(p),   depth};
    d.grid = grid_1d(target, depthwise_groups(p, t));
  } else {
    d.constants = {p.tile.threads, p.tile.out,     p.tile.pixels, bias ? 1u : 0u,   flags,
                   word(p.step),   packed_mode(p), depth,         p.last ? 1u : 0u, y_last(p)};
    d.grid = {word(ceil_div(p.pixels(), kLanes * p.tile.pixels)), word(p.tiles()),
              word(p.geometry.groups * p.phases())};
  }
  if (p.half) {
    d.constants.resize(10, 0);
    d.constants.push_back(node.inputs[0].type.dtype == DType::kBF16 ? 1 : 0);
  }
  d.push = {word(p.pixels()),          word(p.in_channels()),      word(p.out_channels()),
            word(p.geometry.group_in), word(p.geometry.group_out), word(y_zero),
            x_zero ? 1u : 0u};
  append_window(d.push, p.geometry);
  // An absent port is bound to input 0, whose bytes are there; the shader does not look.
  d.operands = {Operand::input(0),
                p.widened ? Operand::workspace() : Operand::input(ports.w),
                Operand::input(bias ? ports.bias : 0),
                Operand::params(),
                Operand::input(x_zero ? ports.x_zero : 0),
                Operand::output(0),
                Operand::input(w_zero ? ports.w_zero : 0)};
  d.barrier_before = p.widened;
  // A round a tap, and in it one for each step of input channels that a slice takes.
  const std::int64_t steps =
      p.depthwise() ? 1 : ceil_div(p.geometry.group_in, p.step * (p.tile.threads / kLanes));
  const WindowDim* dims = p.geometry.dims;
  d.loop_rounds =
      p.taps() * (1 + steps) + (p.depthwise() ? dims[0].kernel * (1 + dims[1].kernel) : 0);
  return d;
}

/// Whether the grid's words hold it; they may have wrapped.
bool fits_grid(const VulkanTarget& target, const ConvProblem& p) {
  if (p.depthwise()) return true;
  return std::max({ceil_div(p.pixels(), kLanes * p.tile.pixels), p.tiles(),
                   p.geometry.groups * p.phases()}) <= target.group_count_max;
}

/// A float16 weight costs a conversion beside the multiply-adds of its pixels, which slows a
/// convolution by its arithmetic by a third. Where that is longer than to write the weights out as
/// float32 once a run, they are. bfloat16 becomes float32 by a shift, which the scalar unit does.
bool widens_first(const VulkanTarget& target, const NodeDesc& node, const ConvProblem& p,
                  std::int64_t macs) {
  constexpr std::int64_t kBytesMax = std::int64_t{32} << 20;  // of a workspace
  constexpr std::int64_t kSlower = 3;
  if (!p.packed || p.depthwise() || node.inputs[0].type.dtype != DType::kF16) return false;
  const std::int64_t count = packed_weight_bytes(p) / p.weight_bytes();
  if (count * 4 > std::min(kBytesMax, target.binding_bytes_max)) return false;
  return model_us(0, 2 * macs / kSlower) > model_us(count * 6, 0);
}

/// Bytes moved. With channels last a lane fetches whole lines for a group's channels of a pixel.
std::int64_t traffic(const NodeDesc& node, const ConvProblem& p, std::int64_t weights) {
  constexpr std::int64_t kLine = 64;
  std::int64_t x = operand_bytes(node.inputs[0]);
  if (p.last && !p.depthwise()) {
    const ElementWidth width = width_of(node.inputs[0].type.dtype);
    const std::int64_t group_bytes = width.of(p.geometry.group_in);
    x = std::max(x, p.pixels() * p.geometry.groups * round_up(group_bytes, kLine));
  }
  return x + operand_bytes(node.outputs[0]) + weights;
}

constexpr std::uint32_t kSignedBytes = 7;  // of x, y and w

bool is_integer(std::string_view shader) { return shader.find(".i8") != std::string_view::npos; }

/// How a module may find packed weights, its own width last.
std::vector<std::uint32_t> packed_modes(std::string_view shader) {
  if (is_integer(shader)) return {2};
  return shader.find("f16") != std::string_view::npos ? std::vector<std::uint32_t>{1, 2}
                                                      : std::vector<std::uint32_t>{1};
}

/// What a variant's name says of its weights.
std::string weight_suffix(std::string_view shader, std::uint32_t packed) {
  if (packed == 0) return " computed weights";
  if (packed == 1) return "";
  return is_integer(shader) ? " w8" : " w16";
}

/// The modules of 16-bit floats serve both of their types. Only float16 is widened before.
void add_bfloat(std::vector<ShaderVariant>& all) {
  const std::size_t count = all.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t type = all[i].name.find("f16");
    if (type == std::string::npos) return;
    if (all[i].constants[6] == 1) continue;
    ShaderVariant variant = all[i];
    variant.name.replace(type, 3, "bf16");
    variant.constants.resize(10, 0);
    variant.constants.push_back(1);
    all.push_back(std::move(variant));
  }
}

}  // namespace

bool has_port(const NodeDesc& node, int port) {
  return port >= 0 && has_input(node, static_cast<std::size_t>(port));
}

std::int64_t ConvProblem::tiles() const { return ceil_div(geometry.group_out, tile.out); }

std::int64_t ConvProblem::phases() const {
  std::int64_t phases = 1;
  if (kind != ConvKind::kTransposed) return phases;
  for (const WindowDim& d : geometry.dims) phases *= std::min(d.stride, d.out);
  return phases;
}

std::int64_t ConvProblem::pixels() const {
  if (kind != ConvKind::kTransposed) return geometry.batch * geometry.out_size();
  std::int64_t pixels = geometry.batch;
  for (const WindowDim& d : geometry.dims) pixels *= ceil_div(d.out, d.stride);
  return pixels;
}

Result<std::shared_ptr<VulkanKernel>> make_conv(const VulkanTarget& target, const NodeDesc& node,
                                                ConvProblem p, const ConvPorts& ports,
                                                const std::vector<std::uint32_t>& factors,
                                                std::int64_t y_zero) {
  if (operand_elements(node.outputs[0]) == 0) {
    return std::make_shared<VulkanKernel>("conv_empty");
  }
  if (p.geometry.group_in == 0) return refuse(node, "no input channels");
  if (target.subgroup_size > kLanes) return refuse(node, "a subgroup of more than 64");
  if (!fits_grid(target, p)) return refuse(node, "more output than a grid holds");
  const std::int64_t macs =
      p.pixels() * p.phases() * p.out_channels() * p.geometry.group_in * p.taps();
  p.widened = widens_first(target, node, p, macs);
  Dispatch d = make_dispatch(target, node, p, ports, y_zero);
  auto kernel = std::make_shared<ConvKernel>(std::string(d.shader), p, ports.w);
  const std::int64_t weights = kernel->packed_bytes(ports.w);
  if (weights > target.binding_bytes_max)
    return refuse(node, "weights larger than a binding may be");
  if (p.widened) {
    const std::int64_t count = weights / p.weight_bytes();
    kernel->workspace = round_up(count * 4, 64);
    add_widen(*kernel, target, Operand::input(ports.w), Operand::workspace(), DType::kF16, count);
  }
  d.estimate_us = model_us(traffic(node, p, weights), 2 * macs / p.phases());
  std::vector<std::uint32_t> params = factors;
  const auto channels = static_cast<std::size_t>(p.w_zero.empty() ? 0 : p.out_channels());
  for (std::size_t c = 0; c < channels; ++c)
    params.push_back(word(p.w_zero[p.w_zero.size() == 1 ? 0 : c]));
  append_params(*kernel, params, target.alignment_bytes);
  if (!p.depthwise()) kernel->variant = tile_text(p.tile);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<VulkanKernel>(std::move(kernel));
}

std::vector<ShaderVariant> conv_variants(std::string_view shader) {
  std::vector<ShaderVariant> all;
  const auto add = [&](const ConvTile& t, std::uint32_t step, std::uint32_t packed, bool depth,
                       bool last, std::uint32_t bytes) {
    std::string name = std::string(shader) + " " + std::to_string(t.out) + "x" +
                       std::to_string(t.pixels * 64) + " " + std::to_string(t.threads) + " step" +
                       std::to_string(step) + weight_suffix(shader, packed);
    if (depth) name += " 3d";
    if (last) name += " last";
    if (bytes != kSignedBytes) name += " zeros";
    const std::uint32_t fours = t.threads == 64 && t.out >= 4 ? 2 : 1;
    all.push_back({std::move(name),
                   shader,
                   {t.threads, t.out, t.pixels, 1, bytes, step, packed, depth ? 1u : 0u,
                    last ? 1u : 0u, last ? fours : 0u},
                   kBindings,
                   kPushBytes,
                   t.out * t.pixels * step});
  };
  for (const std::uint32_t packed : packed_modes(shader)) {
    for (const ConvTile& t : kConvTiles) {
      for (const std::uint32_t step : {1u, 2u}) add(t, step, packed, false, false, kSignedBytes);
      add(t, 2, packed, true, false, kSignedBytes);
      for (const std::uint32_t step : {1u, 2u, 4u}) {
        add(t, step, packed, false, true, kSignedBytes);
      }
    }
    add(kConvTiles[0], 4, packed, true, true, kSignedBytes);
    // What zero points change is one subtraction a weight, alike in all tiles.
    if (is_integer(shader)) add(kConvTiles[0], 2, packed, false, false, kSignedBytes | 32);
  }
  for (const ConvTile& t : kConvTiles) add(t, 2, 0, false, false, kSignedBytes);
  add_bfloat(all);
  return all;
}

std::vector<ShaderVariant> depthwise_variants(std::string_view shader) {
  std::vector<ShaderVariant> all;
  for (const std::uint32_t channels : {1u, 4u}) {
    for (const std::uint32_t pixels : {1u, 4u}) {
      for (const std::uint32_t depth : {0u, 1u}) {
        for (const std::uint32_t packed : {packed_modes(shader).back(), 0u}) {
          if (packed == 0 && depth != 0) continue;
          std::string name = std::string(shader) + " " + std::to_string(channels) + "x" +
                             std::to_string(pixels) + (depth != 0 ? " 3d" : "") +
                             weight_suffix(shader, packed);
          all.push_back({std::move(name),
                         shader,
                         {0, channels, pixels, 1, kSignedBytes, 0, packed, depth},
                         kBindings,
                         kPushBytes,
                         channels * pixels * 64});
        }
      }
    }
  }
  add_bfloat(all);
  return all;
}

}  // namespace polaris::vulkan
