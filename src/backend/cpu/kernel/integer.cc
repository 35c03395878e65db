// MatMulInteger, QLinearMatMul, ConvInteger, QLinearConv: exact int32 sums, one rounding.
#include <algorithm>
#include <memory>
#include <vector>

#include "backend/cpu/gemm.h"
#include "backend/cpu/im2col.h"
#include "backend/cpu/int_gemm.h"
#include "backend/cpu/kernel.h"
#include "backend/cpu/requantize.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "ir/op_attrs/conv.h"
#include "ir/op_util/conv_geometry.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/matmul.h"

namespace polaris::cpu {
namespace {

constexpr int kNone = -1;

/// Which inputs play which part; kNone: the op has no such input.
struct Parts {
  int x = 0, w = 1;
  int x_scale = kNone, x_zero = kNone, w_scale = kNone, w_zero = kNone;
  int y_scale = kNone, y_zero = kNone, bias = kNone;
};
constexpr Parts kIntegerParts{.x = 0, .w = 1, .x_zero = 2, .w_zero = 3};
constexpr Parts kLinearParts{.x = 0,
                             .w = 3,
                             .x_scale = 1,
                             .x_zero = 2,
                             .w_scale = 4,
                             .w_zero = 5,
                             .y_scale = 6,
                             .y_zero = 7,
                             .bias = 8};

bool is_byte(DType dtype) { return dtype == DType::kI8 || dtype == DType::kU8; }

/// What a run needs to know of the operands' types.
struct IntNode {
  const Simd* simd = nullptr;
  Parts parts;
  bool x_signed = false, w_signed = false, y_signed = false;
  bool x_zeros = false, w_zeros = false;    // one per row, per column or channel
  bool x_scales = false, w_scales = false;  // likewise
  bool quantized = false;                   // y is 8-bit
  bool packed = false;                      // w was packed when the model was loaded
};

ZeroPoints zeros_of(const Launch& l, int input, bool is_signed, bool per_index) {
  return {input == kNone ? nullptr : l.inputs[input], is_signed, per_index};
}

/// Writes one row's sums: as they are, or scaled and rounded.
struct Output {
  const IntNode& n;
  const Launch& l;

  float multiplier(std::int64_t x_index, std::int64_t w_index) const {
    const Parts& p = n.parts;
    return requantize_multiplier(
        static_cast<double>(l.in<float>(p.x_scale)[n.x_scales ? x_index : 0]),
        static_cast<double>(l.in<float>(p.w_scale)[n.w_scales ? w_index : 0]),
        static_cast<double>(*l.in<float>(p.y_scale)));
  }
  std::int32_t zero() const {
    return n.y_signed ? std::int32_t{*l.in<std::int8_t>(n.parts.y_zero)}
                      : std::int32_t{*l.in<std::uint8_t>(n.parts.y_zero)};
  }
  /// `step` is 1 where every column has its factor and bias, 0 where all have one.
  void put(std::int64_t at, const std::int32_t* sums, std::int64_t columns, const float* factors,
           const std::int32_t* biases, std::int64_t step) const {
    if (!n.quantized) {
      copy_bytes(l.out<std::int32_t>(0) + at, sums, static_cast<std::size_t>(columns) * 4);
      return;
    }
    const QuantRange range = quant_range(n.y_signed ? DType::kI8 : DType::kU8);
    const std::int32_t z = zero();
    for (std::int64_t c = 0; c < columns; ++c) {
      const auto sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[c]) +
                                                 static_cast<std::uint32_t>(biases[c * step]));
      const std::int32_t q = quantize_fast(static_cast<float>(sum) * factors[c * step], z, range);
      l.out<std::uint8_t>(0)[at + c] = static_cast<std::uint8_t>(q);
    }
  }
};

// --- matrix products

struct IntMatMul : IntNode {
  std::int64_t m = 0, k = 0, n = 0;
  std::vector<std::int64_t> a_at, b_at;
  std::int64_t row_bytes() const { return round_up(int_rows_elements(m, k) * 4, 64); }
  std::int64_t panel_bytes() const { return int_panels_elements(n, k) * 2; }
};

void matmul_one(const IntMatMul& p, const Launch& l, std::size_t i, const std::int16_t* panels) {
  const auto* rows = reinterpret_cast<const std::int32_t*>(l.workspace);
  const GemmGrid grid{p.m, p.simd->gemm_rows, 240, packed_panels(p.n), 1, p.k};
  const Output out{p, l};
  for_each_task(
      *l.pool, grid, [&](std::int64_t m0, std::int64_t m1, std::int64_t p0, std::int64_t p1, int) {
        for (std::int64_t panel = p0; panel < p1; ++panel) {
          const std::int64_t columns = std::min<std::int64_t>(kPanel, p.n - panel * kPanel);
          float factors[kPanel] = {};
          const std::int32_t no_biases[kPanel] = {};
          std::int64_t factors_row = -1;
          int_panel(*p.simd, rows, p.m, p.k, m0, m1,
                    panels + panel * int_panels_elements(kPanel, p.k), columns,
                    [&](std::int64_t row, const std::int32_t* sums) {
                      if (p.quantized && (factors_row < 0 || p.x_scales)) {
                        for (std::int64_t c = 0; c < columns; ++c) {
                          factors[c] = out.multiplier(row, panel * kPanel + c);
                        }
                        factors_row = row;
                      }
                      const std::int64_t at =
                          (static_cast<std::int64_t>(i) * p.m + row) * p.n + panel * kPanel;
                      out.put(at, sums, columns, factors, no_biases, 1);
                    });
        }
      });
}

void matmul(const IntMatMul& p, const Launch& l) {
  auto* rows = reinterpret_cast<std::int32_t*>(l.workspace);
  auto* own = reinterpret_cast<std::int16_t*>(l.workspace + p.row_bytes());
  for (std::size_t i = 0; i < p.a_at.size(); ++i) {
    const ByteMatrix a{l.inputs[p.parts.x] + p.a_at[i], p.x_signed, p.k, 1};
    const ZeroPoints a_zero = zeros_of(l, p.parts.x_zero, p.x_signed, p.x_zeros);
    const std::int64_t unit = p.simd->gemm_rows;
    l.pool->parallel_for(ceil_div(p.m, unit), 2, [&](std::int64_t from, std::int64_t to, int) {
      pack_int_rows(*p.simd, a, a_zero, p.m, p.k, from * unit, std::min(p.m, to * unit), rows);
    });
    if (!p.packed) {
      const ByteMatrix b{l.inputs[p.parts.w] + p.b_at[i], p.w_signed, p.n, 1};
      const ZeroPoints b_zero = zeros_of(l, p.parts.w_zero, p.w_signed, p.w_zeros);
      l.pool->parallel_for(packed_panels(p.n), 2, [&](std::int64_t from, std::int64_t to, int) {
        pack_int_panels(b, b_zero, p.k, p.n, from, to, own);
      });
    }
    matmul_one(p, l, i,
               p.packed ? reinterpret_cast<const std::int16_t*>(l.inputs[p.parts.w]) : own);
  }
}

/// A key for packings that hold zero points: the same weight with others packs differently.
std::string zero_key(const Constant* zero) {
  if (zero == nullptr) return "z";
  std::uint64_t hash = 14695981039346656037u;
  for (std::byte b : zero->data.bytes())
    hash = (hash ^ static_cast<std::uint64_t>(b)) * 1099511628211u;
  return "z" + std::to_string(hash);
}

const Constant* constant_of(const NodeDesc& node, int input) {
  if (input == kNone || !has_input(node, static_cast<std::size_t>(input))) return nullptr;
  return node.inputs[static_cast<std::size_t>(input)].constant;
}

/// The weight is constant, and so is its zero point where there is one.
bool can_pack(const NodeDesc& node, const Parts& p) {
  if (constant_of(node, p.w) == nullptr) return false;
  return p.w_zero == kNone || !has_input(node, static_cast<std::size_t>(p.w_zero)) ||
         constant_of(node, p.w_zero) != nullptr;
}

bool one_element(const NodeDesc& node, int input) {
  if (input == kNone || !has_input(node, static_cast<std::size_t>(input))) return true;
  return node.inputs[static_cast<std::size_t>(input)].type.shape.elements() == 1;
}

/// Fills what both forms share; false where a parameter is not one per tensor, row or column.
bool fill_node(const CpuTarget& target, const NodeDesc& node, IntNode& n) {
  const auto type = [&](int i) { return node.inputs[static_cast<std::size_t>(i)].type; };
  n.simd = target.simd;
  n.parts = node.op->name.starts_with("QLinear") ? kLinearParts : kIntegerParts;
  Parts& p = n.parts;
  for (int* part : {&p.x_zero, &p.w_zero, &p.bias}) {
    if (*part != kNone && !has_input(node, static_cast<std::size_t>(*part))) *part = kNone;
  }
  if (!is_byte(type(p.x).dtype) || !is_byte(type(p.w).dtype)) return false;
  n.x_signed = type(p.x).dtype == DType::kI8;
  n.w_signed = type(p.w).dtype == DType::kI8;
  n.quantized = p.y_scale != kNone;
  if (n.quantized) {
    if (!is_byte(node.outputs[0].type.dtype)) return false;
    for (int i : {p.x_scale, p.w_scale, p.y_scale}) {
      if (type(i).dtype != DType::kF32) return false;
    }
    n.y_signed = node.outputs[0].type.dtype == DType::kI8;
  }
  n.x_zeros = !one_element(node, p.x_zero);
  n.w_zeros = !one_element(node, p.w_zero);
  n.x_scales = !one_element(node, p.x_scale);
  n.w_scales = !one_element(node, p.w_scale);
  for (int i : {p.x_zero, p.w_zero, p.x_scale, p.w_scale}) {
    if (i != kNone && !one_element(node, i) && type(i).shape.rank() != 1) return false;
  }
  n.packed = can_pack(node, p);
  return true;
}

KernelResult select_matmul(const CpuTarget& target, const NodeDesc& node) {
  auto p = std::make_shared<IntMatMul>();
  if (!fill_node(target, node, *p)) return unsupported(node, "parameter types or shapes");
  const Shape& a = node.inputs[static_cast<std::size_t>(p->parts.x)].type.shape;
  const Shape& b = node.inputs[static_cast<std::size_t>(p->parts.w)].type.shape;
  const MatMulGeometry g = matmul_geometry(a, b);
  p->m = g.m;
  p->k = g.k;
  p->n = g.n;
  if (b.rank() < 2 && p->w_zeros) return unsupported(node, "zero points of a vector");
  Walk walk(g.batch);
  const int at_a = walk.add(g.a_strides);
  const int at_b = walk.add(g.b_strides);
  for (std::int64_t i = 0, count = walk.size(); i < count; ++i, walk.next()) {
    p->a_at.push_back(walk[at_a]);
    p->b_at.push_back(walk[at_b]);
  }
  p->packed = p->packed && b.elements() == p->k * p->n && b.elements() > 0;
  auto kernel = make_kernel(p->quantized ? "matmul_requantize" : "matmul_integer",
                            [p](const Launch& l) { matmul(*p, l); });
  kernel->set_workspace(p->row_bytes() + (p->packed ? 0 : p->panel_bytes()));
  if (p->packed) {
    const Constant* zero = constant_of(node, p->parts.w_zero);
    kernel->set_packing(
        p->parts.w, "i16_kn_p16_" + zero_key(zero), p->panel_bytes(),
        [p, held = zero != nullptr ? zero->data : Tensor()](const Constant& weight,
                                                            std::span<std::byte> out) {
          const ByteMatrix w{weight.data.bytes().data(), p->w_signed, p->n, 1};
          const ZeroPoints z{held ? held.bytes().data() : nullptr, p->w_signed, p->w_zeros};
          pack_int_panels(w, z, p->k, p->n, 0, packed_panels(p->n),
                          reinterpret_cast<std::int16_t*>(out.data()));
          return Status::success();
        });
  }
  return KernelResult(std::move(kernel));
}

// --- convolutions

struct IntConv : IntNode {
  ConvGeometry g;
  std::int64_t depth() const { return g.group_in * g.kernel_size(); }
  std::int64_t group_rows() const { return int_rows_elements(g.group_out, depth()); }
  std::int64_t weight_bytes() const { return g.groups * group_rows() * 4; }
  std::int64_t panel_bytes() const {
    return round_up(int_panels_elements(kPanel, depth()) * 2, 64);
  }
};

void pack_weights(const IntConv& c, const std::byte* w, const std::byte* zero, std::int32_t* out) {
  for (std::int64_t group = 0; group < c.g.groups; ++group) {
    const ByteMatrix rows{w + group * c.g.group_out * c.depth(), c.w_signed, c.depth(), 1};
    ZeroPoints z{zero, c.w_signed, c.w_zeros};
    if (zero != nullptr && c.w_zeros) z.data = zero + group * c.g.group_out;
    pack_int_rows(*c.simd, rows, z, c.g.group_out, c.depth(), 0, c.g.group_out,
                  out + group * c.group_rows());
  }
}

/// All channels of one group at the positions of one panel.
void conv_panel(const IntConv& c, const Launch& l, const std::int32_t* weights, std::int64_t plane,
                std::int64_t first, std::int16_t* panel) {
  const ConvGeometry& g = c.g;
  const std::int64_t columns = std::min<std::int64_t>(kPanel, g.out_size() - first);
  const std::int32_t zero = zeros_of(l, c.parts.x_zero, c.x_signed, false).at(0);
  const std::byte* x = l.inputs[c.parts.x] + plane * g.group_in * g.in_size();
  if (c.x_signed) {
    im2col_pairs(g, reinterpret_cast<const std::int8_t*>(x), zero, first, columns, panel);
  } else {
    im2col_pairs(g, reinterpret_cast<const std::uint8_t*>(x), zero, first, columns, panel);
  }
  const std::int64_t group = plane % g.groups;
  const Output out{c, l};
  int_panel(*c.simd, weights + group * c.group_rows(), g.group_out, c.depth(), 0, g.group_out,
            panel, columns, [&](std::int64_t row, const std::int32_t* sums) {
              const std::int64_t channel = group * g.group_out + row;
              const float factor = c.quantized ? out.multiplier(0, channel) : 0.0f;
              const std::int32_t bias =
                  c.parts.bias != kNone ? l.in<std::int32_t>(c.parts.bias)[channel] : 0;
              out.put((plane * g.group_out + row) * g.out_size() + first, sums, columns, &factor,
                      &bias, 0);
            });
}

void conv(const IntConv& c, const Launch& l) {
  const auto* weights = reinterpret_cast<const std::int32_t*>(l.inputs[c.parts.w]);
  if (!c.packed) {
    auto* own = reinterpret_cast<std::int32_t*>(l.workspace + l.pool->threads() * c.panel_bytes());
    pack_weights(c, l.inputs[c.parts.w],
                 c.parts.w_zero == kNone ? nullptr : l.inputs[c.parts.w_zero], own);
    weights = own;
  }
  const std::int64_t panels = packed_panels(c.g.out_size());
  l.pool->parallel_for(
      c.g.batch * c.g.groups * panels, 2, [&](std::int64_t from, std::int64_t to, int worker) {
        auto* panel = reinterpret_cast<std::int16_t*>(l.workspace + worker * c.panel_bytes());
        for (std::int64_t t = from; t < to; ++t) {
          conv_panel(c, l, weights, t / panels, t % panels * kPanel, panel);
        }
      });
}

// --- the same channels-last: [position][channel] rows times weights as columns

struct IntConvLast : IntConv {
  std::int64_t tile_rows() const { return 4 * std::int64_t{simd->gemm_rows}; }
  std::int64_t group_elements() const { return int_panels_elements(g.group_out, depth()); }
  std::int64_t weight_bytes() const { return g.groups * group_elements() * 2; }
  std::int64_t packed_row_bytes() const {
    return round_up(int_rows_elements(tile_rows(), depth()) * 4, 64);
  }
  /// Per worker: packed rows, and the bytes that they are packed from.
  std::int64_t worker_bytes() const {
    return packed_row_bytes() + round_up(tile_rows() * depth(), 64);
  }
};

/// [M][C][kernel], less its zero points, as panels of [kernel][C] x M, group by group.
void pack_columns(const IntConvLast& c, const std::byte* w, const std::byte* zero,
                  std::int16_t* out) {
  const ConvGeometry& g = c.g;
  const std::int64_t taps = g.kernel_size();
  const ByteMatrix rows{w, c.w_signed, c.depth(), 1};
  const ZeroPoints zeros{zero, c.w_signed, c.w_zeros};
  std::fill_n(out, g.groups * c.group_elements(), std::int16_t{0});
  for (std::int64_t m = 0; m < g.groups * g.group_out; ++m) {
    const std::int64_t column = m % g.group_out;
    std::int16_t* panel = out + m / g.group_out * c.group_elements() +
                          column / kPanel * int_panels_elements(kPanel, c.depth());
    for (std::int64_t i = 0; i < g.group_in; ++i) {
      for (std::int64_t k = 0; k < taps; ++k) {
        const std::int64_t at = k * g.group_in + i;
        panel[(at / 2 * kPanel + column % kPanel) * 2 + at % 2] =
            static_cast<std::int16_t>(rows.at(m, i * taps + k) - zeros.at(m));
      }
    }
  }
}

/// Packs the rows at positions [first, first + count) of one image.
void pack_positions(const IntConvLast& c, const Launch& l, std::int64_t image, std::int64_t group,
                    std::int64_t first, std::int64_t count, std::byte* work) {
  const ConvGeometry& g = c.g;
  const std::int64_t channels = g.groups * g.group_in;
  const ZeroPoints zero = zeros_of(l, c.parts.x_zero, c.x_signed, false);
  const std::byte* x = l.inputs[c.parts.x] + image * g.in_size() * channels;
  ByteMatrix rows{x + first * channels + group * g.group_in, c.x_signed, channels, 1};
  if (!reads_image(g)) {
    std::byte* copy = work + c.packed_row_bytes();
    im2col_rows(g, reinterpret_cast<const std::uint8_t*>(x), group, first, count,
                static_cast<std::uint8_t>(zero.at(0)), reinterpret_cast<std::uint8_t*>(copy));
    rows.data = copy;
    rows.row_stride = c.depth();
  }
  pack_int_rows(*c.simd, rows, zero, count, c.depth(), 0, count,
                reinterpret_cast<std::int32_t*>(work));
}

void conv_positions(const IntConvLast& c, const Launch& l, const std::int16_t* weights,
                    std::int64_t plane, std::int64_t first, std::byte* work) {
  const ConvGeometry& g = c.g;
  const std::int64_t image = plane / g.groups;
  const std::int64_t group = plane % g.groups;
  const std::int64_t count = std::min(c.tile_rows(), g.out_size() - first);
  pack_positions(c, l, image, group, first, count, work);
  const Output out{c, l};
  for (std::int64_t panel = 0; panel < packed_panels(g.group_out); ++panel) {
    const std::int64_t channel = group * g.group_out + panel * kPanel;
    const std::int64_t columns = std::min<std::int64_t>(kPanel, g.group_out - panel * kPanel);
    float factors[kPanel] = {};
    std::int32_t biases[kPanel] = {};
    for (std::int64_t i = 0; i < columns; ++i) {
      if (c.quantized) factors[i] = out.multiplier(0, channel + i);
      if (c.parts.bias != kNone) biases[i] = l.in<std::int32_t>(c.parts.bias)[channel + i];
    }
    int_panel(*c.simd, reinterpret_cast<const std::int32_t*>(work), count, c.depth(), 0, count,
              weights + group * c.group_elements() + panel * int_panels_elements(kPanel, c.depth()),
              columns, [&](std::int64_t row, const std::int32_t* sums) {
                const std::int64_t position = image * g.out_size() + first + row;
                out.put(position * g.groups * g.group_out + channel, sums, columns, factors, biases,
                        1);
              });
  }
}

void conv_last(const IntConvLast& c, const Launch& l) {
  const auto* weights = reinterpret_cast<const std::int16_t*>(l.inputs[c.parts.w]);
  if (!c.packed) {
    auto* own = reinterpret_cast<std::int16_t*>(l.workspace + l.pool->threads() * c.worker_bytes());
    pack_columns(c, l.inputs[c.parts.w],
                 c.parts.w_zero == kNone ? nullptr : l.inputs[c.parts.w_zero], own);
    weights = own;
  }
  const std::int64_t tiles = ceil_div(c.g.out_size(), c.tile_rows());
  l.pool->parallel_for(c.g.batch * c.g.groups * tiles, 2,
                       [&](std::int64_t from, std::int64_t to, int worker) {
                         for (std::int64_t t = from; t < to; ++t) {
                           conv_positions(c, l, weights, t / tiles, t % tiles * c.tile_rows(),
                                          l.workspace + worker * c.worker_bytes());
                         }
                       });
}

KernelResult channels_last_kernel(const CpuTarget& target, const NodeDesc& node,
                                  const IntConv& plain) {
  auto c = std::make_shared<IntConvLast>();
  static_cast<IntConv&>(*c) = plain;
  c->packed = c->packed && c->weight_bytes() > 0;
  auto kernel = make_kernel(c->quantized ? "conv_requantize_nhwc" : "conv_integer_nhwc",
                            [c](const Launch& l) { conv_last(*c, l); });
  kernel->set_workspace(target.threads * c->worker_bytes() + (c->packed ? 0 : c->weight_bytes()));
  if (!c->packed) return KernelResult(std::move(kernel));
  const Constant* zero = constant_of(node, c->parts.w_zero);
  kernel->set_packing(
      c->parts.w, "i16_conv_nhwc_g" + std::to_string(c->g.groups) + "_" + zero_key(zero),
      c->weight_bytes(),
      [c, held = zero != nullptr ? zero->data : Tensor()](const Constant& weight,
                                                          std::span<std::byte> out) {
        pack_columns(*c, weight.data.bytes().data(), held ? held.bytes().data() : nullptr,
                     reinterpret_cast<std::int16_t*>(out.data()));
        return Status::success();
      });
  return KernelResult(std::move(kernel));
}

KernelResult select_conv(const CpuTarget& target, const NodeDesc& node) {
  auto c = std::make_shared<IntConv>();
  if (!fill_node(target, node, *c)) return unsupported(node, "parameter types or shapes");
  if (c->x_zeros || c->x_scales) return unsupported(node, "more than one zero point of x");
  const auto w = static_cast<std::size_t>(c->parts.w);
  const auto g = conv_geometry(node.inputs[0].type.shape, node.inputs[w].type.shape,
                               node.attributes<ConvAttrs>());
  if (!g) return unsupported(node, g.error().message());
  c->g = *g;
  if (node.inputs[0].layout == Layout::kChannelsLast) {
    return channels_last_kernel(target, node, *c);
  }
  c->packed = c->packed && c->weight_bytes() > 0;
  auto kernel = make_kernel(c->quantized ? "conv_requantize" : "conv_integer",
                            [c](const Launch& l) { conv(*c, l); });
  kernel->set_workspace(target.threads * c->panel_bytes() + (c->packed ? 0 : c->weight_bytes()));
  if (c->packed) {
    const Constant* zero = constant_of(node, c->parts.w_zero);
    kernel->set_packing(c->parts.w,
                        "i16_conv_g" + std::to_string(g->groups) + "_r" +
                            std::to_string(target.simd->gemm_rows) + "_" + zero_key(zero),
                        c->weight_bytes(),
                        [c, held = zero != nullptr ? zero->data : Tensor()](
                            const Constant& weight, std::span<std::byte> out) {
                          pack_weights(*c, weight.data.bytes().data(),
                                       held ? held.bytes().data() : nullptr,
                                       reinterpret_cast<std::int32_t*>(out.data()));
                          return Status::success();
                        });
  }
  return KernelResult(std::move(kernel));
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  const std::string_view op = node.op->name;
  return op == "MatMulInteger" || op == "QLinearMatMul" ? select_matmul(target, node)
                                                        : select_conv(target, node);
}

constexpr std::string_view kOps[] = {"MatMulInteger", "QLinearMatMul", "ConvInteger",
                                     "QLinearConv"};

constexpr std::string_view kChannelsLast[] = {"ConvInteger", "QLinearConv"};

}  // namespace

extern const KernelFamily family_integer;
constinit const KernelFamily family_integer{"integer", kOps, one_kernel<select>, kChannelsLast};

}  // namespace polaris::cpu
