#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "backend/vulkan/parts/kernel_util.h"

/// What stands around a product in polaris.NormLinear, GatedLinear and ResidualLinear, as
/// linear_stage.glsl does it.
namespace polaris::vulkan {

struct LinearStage {
  bool any = false;  // one of these ops, all of whose activations are float32
  int up = -1;       // inputs, -1: none
  int bias = 2;
  int residual = -1;
  int squares = -1;
  int scale = -1;
  bool normed = false;  // outputs
  bool new_squares = false;
  std::uint32_t gate = 0;  // a gate's activation, as the shader counts them
  float epsilon = 0;
  std::int64_t squares_in = 0;  // sums of squares a row of x
  std::int64_t size = 0;        // elements of it

  /// For the tile's columns: what the shader's kStage says.
  std::uint32_t bits() const;
  /// "gated scaled" and the like.
  std::string name() const;
  std::vector<std::uint32_t> push(std::int64_t y_n) const;
  /// Bindings from 4 on: [group0, group1) are the row groups that a dispatch has of the weights.
  std::vector<Operand> operands(const Operand& up_part) const;
};

/// Errors: unsupported, where an activation is not float32.
Result<LinearStage> read_linear_stage(const NodeDesc& node);

/// Sums of squares a row, where as many columns as a product's tile has leave it no room for them.
Dispatch sum_squares(std::int64_t rows, std::int64_t size);
constexpr std::uint32_t kSquaresColumns = 16;  // from as many on

}  // namespace polaris::vulkan
