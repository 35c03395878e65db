#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "backend/vulkan/conv_geometry.h"
#include "backend/vulkan/requantize.h"
#include "base/checked.h"
#include "tensor/element.h"

/// Conv, ConvInteger and QLinearConv of one or two spatial dims, any groups, strides, dilations.
namespace polaris::vulkan {
namespace {

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// What a workgroup computes; see conv.comp.
struct Tile {
  std::uint32_t threads, out, pixels;
};
constexpr Tile kTiles[] = {{64, 16, 2}, {256, 16, 1}, {64, 8, 4}, {64, 4, 4},
                           {256, 4, 1}, {64, 1, 4},   {64, 1, 1}};
constexpr std::int64_t kLanes = 64;

enum class Kind : std::uint8_t { kFloat, kInteger, kQuantized };

struct Problem {
  Kind kind = Kind::kFloat;
  Window window;
  std::int64_t groups = 1;
  std::int64_t group_in = 0;
  std::int64_t group_out = 0;
  std::int64_t step = 1;
  Tile tile = kTiles[0];
  std::vector<std::int64_t> w_zero;  // per output channel, or one, or none
  bool packed = true;

  std::int64_t pixels() const { return window.batch * window.out_h * window.out_w; }
  std::int64_t taps() const { return window.kernel[0] * window.kernel[1]; }
  std::int64_t tiles() const { return ceil_div(group_out, tile.out); }
  std::int64_t workgroups(const Tile& t) const {
    return ceil_div(pixels(), kLanes * t.pixels) * ceil_div(group_out, t.out) * groups;
  }
};

/// By the shapes alone. Enough waves for every SIMD of the largest card first, then reuse.
Tile choose_tile(const Problem& p) {
  constexpr std::int64_t kWavesEnough = 576;
  if (p.group_out >= 12) {
    const bool deal = p.workgroups(kTiles[0]) < kWavesEnough && p.group_in >= 16;
    return kTiles[deal ? 1 : 0];
  }
  if (p.group_out > 4) return kTiles[2];
  if (p.group_out > 1) {
    const bool deal = p.workgroups(kTiles[3]) < kWavesEnough && p.group_in >= 16;
    return kTiles[deal ? 4 : 3];
  }
  return kTiles[p.workgroups(kTiles[5]) < kWavesEnough ? 6 : 5];
}

class ConvKernel final : public VulkanKernel {
 public:
  ConvKernel(std::string name, Problem problem, int weight)
      : VulkanKernel(std::move(name)), problem_(std::move(problem)), weight_(weight) {}

  std::string weight_layout(int input) const override {
    if (input != weight_ || !problem_.packed) return {};
    std::string layout = problem_.kind == Kind::kFloat ? "conv.f32." : "conv.i8.";
    layout += std::to_string(problem_.tile.out) + "." + std::to_string(problem_.step) + "." +
              std::to_string(problem_.groups);
    for (const std::int64_t zero : problem_.w_zero) layout += "," + std::to_string(zero);
    return layout;
  }
  std::int64_t packed_bytes(int input) const override {
    const Problem& p = problem_;
    if (input != weight_ || !p.packed) return 0;
    return p.groups * p.tiles() * p.taps() * round_up(p.group_in, p.step) * p.tile.out * 4;
  }
  Status pack(int input, const Constant& weight, std::span<std::byte> out) const override {
    if (input != weight_ || static_cast<std::int64_t>(out.size()) != packed_bytes(weight_)) {
      return Error::internal("[conv] pack: not its weight, or of another size");
    }
    std::memset(out.data(), 0, out.size());
    const Problem& p = problem_;
    const std::int64_t padded = round_up(p.group_in, p.step);
    const std::int64_t tile = p.tile.out;
    for (std::int64_t c = 0; c < p.groups * p.group_out; ++c) {
      const std::int64_t in_group = c % p.group_out;
      const std::int64_t first = c / p.group_out * p.tiles() + in_group / tile;
      for (std::int64_t i = 0; i < p.group_in; ++i) {
        for (std::int64_t tap = 0; tap < p.taps(); ++tap) {
          const std::int64_t from = (c * p.group_in + i) * p.taps() + tap;
          const std::int64_t to = ((first * p.taps() + tap) * padded + i) * tile + in_group % tile;
          const auto value = static_cast<float>(
              load_f64(weight.data.dtype(), weight.data.bytes().data(), from) - zero_of(c));
          std::memcpy(out.data() + to * 4, &value, 4);
        }
      }
    }
    return Status::success();
  }

 private:
  double zero_of(std::int64_t channel) const {
    const auto& zeros = problem_.w_zero;
    if (zeros.empty()) return 0;
    return static_cast<double>(zeros[zeros.size() == 1 ? 0 : static_cast<std::size_t>(channel)]);
  }

  Problem problem_;
  int weight_;
};

/// Where each op has its operands; -1: none.
struct Ports {
  int w, bias, x_zero, w_zero;
};
Ports ports_of(Kind kind) {
  switch (kind) {
    case Kind::kFloat: return {1, 2, -1, -1};
    case Kind::kInteger: return {1, -1, 2, 3};
    case Kind::kQuantized: break;
  }
  return {3, 8, 2, 5};
}

bool has_port(const NodeDesc& node, int port) {
  return port >= 0 && has_input(node, static_cast<std::size_t>(port));
}

Status check_types(const VulkanTarget& target, const NodeDesc& node, Kind kind,
                   const Ports& ports) {
  const DType x = node.inputs[0].type.dtype;
  const OperandDesc& w = node.inputs[static_cast<std::size_t>(ports.w)];
  const bool integer = kind != Kind::kFloat;
  if (integer ? dtype_bytes(x) != 1 : x != DType::kF32) return refuse(node, "inputs of this type");
  if (!w.type.encoding.is_plain()) return refuse(node, "encoded weights");
  if (integer && (w.constant == nullptr || dtype_bytes(w.type.dtype) != 1)) {
    return refuse(node, "weights that are no constant 8-bit integers");
  }
  if (!integer && w.type.dtype != DType::kF32) return refuse(node, "weights of this type");
  for (std::size_t i = 0; i <= node.inputs.size(); ++i) {
    const OperandDesc& operand = i < node.inputs.size() ? node.inputs[i] : node.outputs[0];
    if (operand_elements(operand) > INT32_MAX ||
        operand_bytes(operand) > target.binding_bytes_max) {
      return refuse(node, "an operand larger than a binding may be");
    }
  }
  return Status::success();
}

Result<Problem> read_problem(const NodeDesc& node, Kind kind, const Ports& ports) {
  const OperandDesc& w = node.inputs[static_cast<std::size_t>(ports.w)];
  const Shape& shape = w.type.shape;
  Problem p;
  p.kind = kind;
  p.groups = attr_int(node, "group", 1);
  Result<Window> window = read_window(node, shape.dims().subspan(2));
  if (!window) return window.error();
  p.window = *window;
  p.group_in = shape[1];
  p.group_out = p.groups > 0 ? shape[0] / p.groups : 0;
  p.step = p.group_in == 1 ? 1 : 2;
  p.packed = w.constant != nullptr;
  p.tile = choose_tile(p);
  if (has_port(node, ports.w_zero)) {
    auto zeros = known_ints(node, static_cast<std::size_t>(ports.w_zero));
    if (!zeros) return refuse(node, "a weight zero point that is no constant");
    p.w_zero = std::move(*zeros);
    if (std::all_of(p.w_zero.begin(), p.w_zero.end(), [](std::int64_t z) { return z == 0; })) {
      p.w_zero.clear();
    }
  }
  return p;
}

Dispatch make_dispatch(const NodeDesc& node, const Problem& p, const Ports& ports,
                       std::int64_t y_zero) {
  const Window& w = p.window;
  const bool bias = has_port(node, ports.bias);
  const bool x_zero = has_port(node, ports.x_zero);
  const bool x_signed = node.inputs[0].type.dtype == DType::kI8;
  const bool y_signed = node.outputs[0].type.dtype == DType::kI8;
  Dispatch d;
  d.shader = p.kind == Kind::kFloat     ? "conv.f32"
             : p.kind == Kind::kInteger ? "conv.i8_i32"
                                        : "conv.i8_i8";
  d.constants = {p.tile.threads,
                 p.tile.out,
                 p.tile.pixels,
                 bias ? 1u : 0u,
                 (x_signed ? 1u : 0u) | (y_signed ? 2u : 0u),
                 word(p.step),
                 p.packed ? 1u : 0u};
  d.push = {word(p.pixels()),     word(w.in_channels), word(w.in_h),      word(w.in_w),
            word(w.out_channels), word(w.out_h),       word(w.out_w),     word(p.group_in),
            word(p.group_out),    word(w.kernel[0]),   word(w.kernel[1]), word(w.stride[0]),
            word(w.stride[1]),    word(w.pad[0]),      word(w.pad[1]),    word(w.dilation[0]),
            word(w.dilation[1]),  word(y_zero),        x_zero ? 1u : 0u};
  // An absent port is bound to input 0, whose bytes are there; the shader does not look.
  d.operands = {Operand::input(0),
                Operand::input(ports.w),
                Operand::input(bias ? ports.bias : 0),
                Operand::params(),
                Operand::input(x_zero ? ports.x_zero : 0),
                Operand::output(0)};
  d.grid = {word(ceil_div(p.pixels(), kLanes * p.tile.pixels)), word(p.tiles()), word(p.groups)};
  d.barrier_before = false;
  return d;
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const Kind kind = node.op->is("Conv")          ? Kind::kFloat
                    : node.op->is("ConvInteger") ? Kind::kInteger
                                                 : Kind::kQuantized;
  const Ports ports = ports_of(kind);
  if (Status s = check_types(target, node, kind, ports); !s) return s.error();
  Result<Problem> problem = read_problem(node, kind, ports);
  if (!problem) return problem.error();
  const Problem& p = *problem;
  if (p.pixels() * p.window.out_channels == 0 || p.group_in == 0 || p.taps() == 0) {
    return refuse(node, "an empty convolution");
  }
  if (target.subgroup_size > kLanes) return refuse(node, "a subgroup of more than 64");
  Requantization requantization;
  if (kind == Kind::kQuantized) {
    Result<Requantization> read = read_requantization(node, p.window.out_channels);
    if (!read) return read.error();
    requantization = read.take();
    // The shader looks them up by channel.
    if (requantization.factors.size() == 1) {
      if (p.window.out_channels > 16384) return refuse(node, "more than 16384 channels");
      requantization.factors.resize(static_cast<std::size_t>(p.window.out_channels),
                                    requantization.factors[0]);
    }
  }
  Dispatch d = make_dispatch(node, p, ports, requantization.y_zero);
  if (std::any_of(d.grid.begin(), d.grid.end(),
                  [&](std::uint32_t n) { return n > target.group_count_max; })) {
    return refuse(node, "more output than a grid holds");
  }
  auto kernel = std::make_shared<ConvKernel>(std::string(d.shader), p, ports.w);
  if (kernel->packed_bytes(ports.w) > target.binding_bytes_max) {
    return refuse(node, "weights larger than a binding may be");
  }
  const std::int64_t macs = p.pixels() * p.groups * p.group_out * p.group_in * p.taps();
  d.estimate_us = model_us(operand_bytes(node.inputs[0]) + operand_bytes(node.outputs[0]) +
                               kernel->packed_bytes(ports.w),
                           2 * macs);
  if (kind == Kind::kQuantized) {
    append_params(*kernel, requantization.factors, target.alignment_bytes);
    kernel->absorbed = 1u << 1 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7;
  } else if (kind == Kind::kInteger) {
    kernel->absorbed = 1u << 3;
  }
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<const Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  for (const std::string_view shader : {"conv.f32", "conv.i8_i32", "conv.i8_i8"}) {
    for (const Tile& t : kTiles) {
      const std::string name = std::string(shader) + " " + std::to_string(t.out) + "x" +
                               std::to_string(t.pixels * 64) + " " + std::to_string(t.threads);
      for (const std::uint32_t step : {1u, 2u}) {
        all.push_back({name + " step" + std::to_string(step),
                       shader,
                       {t.threads, t.out, t.pixels, 1, 3, step, 1},
                       6,
                       76,
                       t.out * t.pixels * step});
      }
    }
  }
  all.push_back({"conv.f32 computed weights", "conv.f32", {64, 16, 2, 1, 0, 2, 0}, 6, 76, 64});
  return all;
}

constexpr std::string_view kOps[] = {"Conv", "ConvInteger", "QLinearConv"};

}  // namespace

extern const KernelFamily family_conv;
const KernelFamily family_conv = {"conv", kOps, select, variants};

}  // namespace polaris::vulkan
