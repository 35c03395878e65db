#include "backend/vulkan/parts/affine_weight.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "backend/vulkan/parts/kernel_util.h"
#include "base/bytes.h"
#include "base/checked.h"

namespace polaris::vulkan {
namespace {

class AffineKernel final : public VulkanKernel {
 public:
  AffineKernel(std::string name, int input, const AffineWeight& weight)
      : VulkanKernel(std::move(name)), input_(input), weight_(weight) {}

  std::string weight_layout(int input) const override {
    return input == input_ ? "affine." + std::to_string(weight_.scale_at) : std::string();
  }
  std::int64_t packed_bytes(int input) const override {
    return input == input_ ? weight_.bytes : 0;
  }
  Status pack(int input, const Constant& weight, std::span<std::byte> out) const override {
    if (input != input_ || static_cast<std::int64_t>(out.size()) != weight_.bytes) {
      return Error::internal("[affine] pack: not its weight, or of another size");
    }
    clear_bytes(out.data(), out.size());
    const auto data = weight.data.bytes();
    copy_bytes(out.data(), data.data(), data.size());
    for (std::int64_t i = 0; i < weight.scale.elements(); ++i) {
      const auto scale = static_cast<float>(element_as_f64(weight.scale, i));
      std::memcpy(out.data() + weight_.scale_at + i * 4, &scale, 4);
    }
    if (weight_.zero) {
      const auto zero = weight.zero_point.bytes();
      copy_bytes(out.data() + weight_.zero_at, zero.data(), zero.size());
    }
    return Status::success();
  }

 private:
  int input_;
  AffineWeight weight_;
};

}  // namespace

Operand AffineWeight::scales(int input) const {
  return Operand::input(input, scale_at, zero_at - scale_at);
}

Operand AffineWeight::zeros(int input) const {
  return zero ? Operand::input(input, zero_at, bytes - zero_at) : scales(input);
}

Result<AffineWeight> read_affine_weight(const VulkanTarget& target, const NodeDesc& node,
                                        std::size_t i) {
  const TensorType& type = node.inputs[i].type;
  const Constant* constant = node.inputs[i].constant;
  if (constant == nullptr || !constant->scale) return refuse(node, "affine data that is computed");
  AffineWeight w;
  w.storage = type.encoding.storage;
  const bool bytes = w.storage == DType::kI8 || w.storage == DType::kU8;
  if (!bytes || (constant->zero_point && constant->zero_point.dtype() != w.storage)) {
    return refuse(node, "affine data of other integers than int8 and uint8");
  }
  if (type.encoding.axis >= 0) {
    const int axis = type.encoding.axis;
    if (axis >= type.shape.rank()) return refuse(node, "an axis of scales outside the rank");
    w.mode = type.encoding.block > 0 ? 2 : 1;
    w.axis = type.shape[axis];
    w.inner = type.shape.elements_between(axis + 1, type.shape.rank());
    w.block = std::max<std::int64_t>(type.encoding.block, 1);
  }
  w.zero = static_cast<bool>(constant->zero_point);
  w.data_bytes = static_cast<std::int64_t>(constant->data.bytes().size());
  w.scale_at = round_up(w.data_bytes, target.alignment_bytes);
  w.zero_at = round_up(w.scale_at + constant->scale.elements() * 4, target.alignment_bytes);
  w.bytes = w.zero_at + (w.zero ? round_up(constant->zero_point.elements(), 4) : 0);
  return w;
}

std::shared_ptr<VulkanKernel> make_affine_kernel(std::string name, int input,
                                                 const AffineWeight& weight) {
  return std::make_shared<AffineKernel>(std::move(name), input, weight);
}

}  // namespace polaris::vulkan
