#include "backend/cpu/kernel.h"

namespace polaris::cpu {

void CpuKernel::set_packing(int input, std::string layout, std::int64_t size, Packer packer) {
  packed_input_ = input;
  packed_layout_ = std::move(layout);
  packed_bytes_ = size;
  packer_ = std::move(packer);
}

void CpuKernel::take_weights_of(const CpuKernel& other) {
  absorbed_ = other.absorbed_;
  set_packing(other.packed_input_, other.packed_layout_, other.packed_bytes_, other.packer_);
}

Status CpuKernel::pack(int input, const Constant& weight, std::span<std::byte> out) const {
  if (input != packed_input_) return Kernel::pack(input, weight, out);
  if (static_cast<std::int64_t>(out.size()) < packed_bytes_) {
    return Error::internal("[cpu] packing of '" + weight.name + "', got " +
                           std::to_string(out.size()) + " bytes, wanted " +
                           std::to_string(packed_bytes_));
  }
  return packer_(weight, out);
}

Error unsupported(const NodeDesc& node, std::string_view why) {
  return refuse_on("cpu", node, why);
}

}  // namespace polaris::cpu
