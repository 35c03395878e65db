#include "backend/vulkan/direct_conv.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked.h"
#include "tensor/element.h"

namespace polaris::vulkan {
namespace {

constexpr ConvTile kTiles[] = {{64, 16, 2}, {256, 16, 1}, {64, 8, 4}, {64, 4, 4},
                               {256, 4, 1}, {64, 1, 4},   {64, 1, 1}};
constexpr std::int64_t kLanes = 64;
constexpr std::int64_t kWavesEnough = 576;  // for every SIMD of the largest card
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
    if (input != weight_ || !problem_.packed) return {};
    const ConvProblem& p = problem_;
    std::string layout = p.kind == ConvKind::kTransposed ? "conv_transposed."
                         : p.depthwise()                 ? "conv_depthwise."
                                                         : "conv.";
    layout += std::to_string(p.tile.out) + "." + std::to_string(p.step) + "." +
              std::to_string(p.geometry.groups);
    for (const std::int64_t zero : p.w_zero) layout += "," + std::to_string(zero);
    return layout;
  }
  std::int64_t packed_bytes(int input) const override {
    const ConvProblem& p = problem_;
    if (input != weight_ || !p.packed) return 0;
    if (p.depthwise()) return p.taps() * p.out_channels() * 4;
    return p.geometry.groups * p.tiles() * p.taps() * padded_in() * p.tile.out * 4;
  }
  Status pack(int input, const Constant& weight, std::span<std::byte> out) const override {
    if (input != weight_ || static_cast<std::int64_t>(out.size()) != packed_bytes(weight_)) {
      return Error::internal("[conv] pack: not its weight, or of another size");
    }
    std::memset(out.data(), 0, out.size());
    const ConvProblem& p = problem_;
    for (std::int64_t c = 0; c < p.out_channels(); ++c) {
      for (std::int64_t i = 0; i < p.geometry.group_in; ++i) {
        for (std::int64_t tap = 0; tap < p.taps(); ++tap) {
          const auto value = static_cast<float>(
              load_f64(weight.data.dtype(), weight.data.bytes().data(), source(c, i, tap)) -
              zero_of(c));
          std::memcpy(out.data() + target(c, i, tap) * 4, &value, 4);
        }
      }
    }
    return Status::success();
  }

 private:
  std::int64_t padded_in() const { return round_up(problem_.geometry.group_in, problem_.step); }
  /// Index of a weight as the file has it: [M, C / groups, taps], transposed [C, M / groups, taps].
  std::int64_t source(std::int64_t c, std::int64_t i, std::int64_t tap) const {
    const ConvGeometry& g = problem_.geometry;
    if (problem_.kind != ConvKind::kTransposed) return (c * g.group_in + i) * problem_.taps() + tap;
    const std::int64_t in = c / g.group_out * g.group_in + i;
    return (in * g.group_out + c % g.group_out) * problem_.taps() + tap;
  }
  /// Index of a weight as the shader reads it.
  std::int64_t target(std::int64_t c, std::int64_t i, std::int64_t tap) const {
    const ConvProblem& p = problem_;
    if (p.depthwise()) return tap * p.out_channels() + c;
    const std::int64_t tile = p.tile.out;
    const std::int64_t in_group = c % p.geometry.group_out;
    const std::int64_t first = c / p.geometry.group_out * p.tiles() + in_group / tile;
    return ((first * p.taps() + tap) * padded_in() + i) * tile + in_group % tile;
  }
  double zero_of(std::int64_t channel) const {
    const auto& zeros = problem_.w_zero;
    if (zeros.empty()) return 0;
    return static_cast<double>(zeros[zeros.size() == 1 ? 0 : static_cast<std::size_t>(channel)]);
  }

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
  if (!p.packed && has_port(node, ports.w_zero)) {
    const OperandDesc& zero = node.inputs[static_cast<std::size_t>(ports.w_zero)];
    flags |= operand_elements(zero) == 1 ? 8u : 16u;
  }
  return flags;
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
  return depthwise_groups(p, more) < kWavesEnough ? t : more;
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
    d.constants = {0, word(t.channels),   word(t.pixels), bias ? 1u : 0u, flags,
                   0, p.packed ? 1u : 0u, depth};
    d.grid = grid_1d(target, depthwise_groups(p, t));
  } else {
    d.constants = {p.tile.threads, p.tile.out,         p.tile.pixels, bias ? 1u : 0u,   flags,
                   word(p.step),   p.packed ? 1u : 0u, depth,         p.last ? 1u : 0u, y_last(p)};
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
                Operand::input(ports.w),
                Operand::input(bias ? ports.bias : 0),
                Operand::params(),
                Operand::input(x_zero ? ports.x_zero : 0),
                Operand::output(0),
                Operand::input(w_zero ? ports.w_zero : 0)};
  d.barrier_before = false;
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

/// Bytes moved. With channels last a lane fetches whole lines for a group's channels of a pixel.
std::int64_t traffic(const NodeDesc& node, const ConvProblem& p, std::int64_t weights) {
  constexpr std::int64_t kLine = 64;
  std::int64_t x = operand_bytes(node.inputs[0]);
  if (p.last && !p.depthwise()) {
    const std::int64_t group_bytes = p.geometry.group_in * dtype_bytes(node.inputs[0].type.dtype);
    x = std::max(x, p.pixels() * p.geometry.groups * round_up(group_bytes, kLine));
  }
  return x + operand_bytes(node.outputs[0]) + weights;
}

/// The modules of 16-bit floats serve both of their types.
void add_bfloat(std::vector<ShaderVariant>& all) {
  const std::size_t count = all.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t type = all[i].name.find("f16");
    if (type == std::string::npos) return;
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

std::int64_t ConvProblem::workgroups(const ConvTile& t) const {
  return ceil_div(pixels(), kLanes * t.pixels) * ceil_div(geometry.group_out, t.out) *
         geometry.groups * phases();
}

void choose_tile(ConvProblem& p) {
  // Enough waves first, then reuse.
  const std::int64_t in = p.geometry.group_in;
  const std::int64_t out = p.geometry.group_out;
  p.step = in == 1 ? 1 : (p.last && in % 4 == 0 ? 4 : 2);
  const auto few = [&](int tile) { return p.workgroups(kTiles[tile]) < kWavesEnough; };
  if (out >= 12) {
    p.tile = kTiles[few(0) && in >= 16 ? 1 : 0];
  } else if (out > 4) {
    p.tile = kTiles[2];
  } else if (out > 1) {
    p.tile = kTiles[few(3) && in >= 16 ? 4 : 3];
  } else {
    p.tile = kTiles[few(5) ? 6 : 5];
  }
}

Result<std::shared_ptr<VulkanKernel>> make_conv(const VulkanTarget& target, const NodeDesc& node,
                                                const ConvProblem& p, const ConvPorts& ports,
                                                const std::vector<std::uint32_t>& factors,
                                                std::int64_t y_zero) {
  if (operand_elements(node.outputs[0]) == 0) {
    return std::make_shared<VulkanKernel>("conv_empty");
  }
  if (p.geometry.group_in == 0) return refuse(node, "no input channels");
  if (target.subgroup_size > kLanes) return refuse(node, "a subgroup of more than 64");
  if (!fits_grid(target, p)) return refuse(node, "more output than a grid holds");
  Dispatch d = make_dispatch(target, node, p, ports, y_zero);
  auto kernel = std::make_shared<ConvKernel>(std::string(d.shader), p, ports.w);
  if (kernel->packed_bytes(ports.w) > target.binding_bytes_max) {
    return refuse(node, "weights larger than a binding may be");
  }
  const std::int64_t macs =
      p.pixels() * p.phases() * p.out_channels() * p.geometry.group_in * p.taps();
  d.estimate_us = model_us(traffic(node, p, kernel->packed_bytes(ports.w)), 2 * macs / p.phases());
  append_params(*kernel, factors, target.alignment_bytes);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<VulkanKernel>(std::move(kernel));
}

std::vector<ShaderVariant> conv_variants(std::string_view shader) {
  std::vector<ShaderVariant> all;
  const auto add = [&](const ConvTile& t, std::uint32_t step, bool packed, bool depth, bool last) {
    std::string name = std::string(shader) + " " + std::to_string(t.out) + "x" +
                       std::to_string(t.pixels * 64) + " " + std::to_string(t.threads) + " step" +
                       std::to_string(step);
    if (!packed) name += " computed weights";
    if (depth) name += " 3d";
    if (last) name += " last";
    const std::uint32_t fours = t.threads == 64 && t.out >= 4 ? 2 : 1;
    all.push_back({std::move(name),
                   shader,
                   {t.threads, t.out, t.pixels, 1, 7, step, packed ? 1u : 0u, depth ? 1u : 0u,
                    last ? 1u : 0u, last ? fours : 0u},
                   kBindings,
                   kPushBytes,
                   t.out * t.pixels * step});
  };
  for (const ConvTile& t : kTiles) {
    for (const std::uint32_t step : {1u, 2u}) add(t, step, true, false, false);
    add(t, 2, false, false, false);
    add(t, 2, true, true, false);
    for (const std::uint32_t step : {1u, 2u, 4u}) add(t, step, true, false, true);
  }
  add(kTiles[0], 4, true, true, true);
  add_bfloat(all);
  return all;
}

std::vector<ShaderVariant> depthwise_variants(std::string_view shader) {
  std::vector<ShaderVariant> all;
  for (const std::uint32_t channels : {1u, 4u}) {
    for (const std::uint32_t pixels : {1u, 4u}) {
      for (const std::uint32_t depth : {0u, 1u}) {
        for (const std::uint32_t packed : {1u, 0u}) {
          if (packed == 0 && depth != 0) continue;
          std::string name = std::string(shader) + " " + std::to_string(channels) + "x" +
                             std::to_string(pixels) + (depth != 0 ? " 3d" : "") +
                             (packed == 0 ? " computed weights" : "");
          all.push_back({std::move(name),
                         shader,
                         {0, channels, pixels, 1, 7, 0, packed, depth},
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
