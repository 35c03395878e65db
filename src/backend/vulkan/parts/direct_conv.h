#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "backend/vulkan/parts/conv_tile.h"
#include "backend/vulkan/parts/conv_window.h"

/// What the families of conv.comp and conv_depthwise.comp share: Conv, its integer forms,
/// ConvTranspose.
namespace polaris::vulkan {

enum class ConvKind : std::uint8_t { kFloat, kInteger, kQuantized, kTransposed };

struct ConvProblem {
  ConvKind kind = ConvKind::kFloat;
  bool half = false;      // x, w, bias and y are float16 or bfloat16
  bool last = false;      // x and y have their channels last
  ConvGeometry geometry;  // `in` is x and `out` is y, transposed too
  std::int64_t step = 1;
  ConvTile tile;
  bool packed = true;                // w is a constant, packed for the scalar unit
  bool widened = false;              // and its halves go through the workspace as float32
  std::vector<std::int64_t> w_zero;  // of packed weights: per output channel, or one, or none

  std::int64_t in_channels() const { return geometry.groups * geometry.group_in; }
  std::int64_t out_channels() const { return geometry.groups * geometry.group_out; }
  std::int64_t taps() const { return geometry.kernel_size(); }
  /// Bytes of one weight, packed or as the file has it.
  std::int64_t weight_bytes() const {
    return kind == ConvKind::kInteger || kind == ConvKind::kQuantized ? 1 : half ? 2 : 4;
  }
  std::int64_t tiles() const;
  /// Outputs that only the strides tell apart are dealt over the grid; 1 unless transposed.
  std::int64_t phases() const;
  /// Places of one output channel and phase, of all images.
  std::int64_t pixels() const;
  std::int64_t workgroups(const ConvTile& t) const;
  /// Lanes go along the channels; see conv_depthwise.comp.
  bool depthwise() const { return last && geometry.group_in == 1 && kind != ConvKind::kTransposed; }
};

/// Where a node has its operands; -1: none.
struct ConvPorts {
  int w, bias, x_zero, w_zero;
};
/// Whether the node has that port and it is there.
bool has_port(const NodeDesc& node, int port);

/// A kernel of one dispatch, or of none where the output is empty. `factors` are the float bits
/// that QLinearConv's sums are multiplied by, one a channel. Errors: unsupported.
Result<std::shared_ptr<VulkanKernel>> make_conv(const VulkanTarget& target, const NodeDesc& node,
                                                ConvProblem p, const ConvPorts& ports,
                                                const std::vector<std::uint32_t>& factors,
                                                std::int64_t y_zero);

/// A kernel of each fitting tile (conv_tile.h) that the device can run, `p`'s own first.
Result<KernelList> make_convs(const VulkanTarget& target, const NodeDesc& node,
                              const ConvProblem& p, const ConvPorts& ports,
                              const std::vector<std::uint32_t>& factors, std::int64_t y_zero);

/// The variants of one module of conv.comp, and of one of conv_depthwise.comp.
std::vector<ShaderVariant> conv_variants(std::string_view shader);
std::vector<ShaderVariant> depthwise_variants(std::string_view shader);

}  // namespace polaris::vulkan
