#include "backend/cpu/kernel.h"

namespace polaris::cpu {

void CpuKernel::set_packing(int input, std::string layout, std::int64_t size, Packer packer) {
  packings_.push_back({input, std::move(layout), size, std::move(packer)});
}

void CpuKernel::take_weights_of(const CpuKernel& other) {
  absorbed_ = other.absorbed_;
  packings_ = other.packings_;
}

const CpuKernel::Packing* CpuKernel::packing_of(int input) const {
  for (const Packing& packing : packings_) {
    if (packing.input == input) return &packing;
  }
  return nullptr;
}

Status CpuKernel::pack(int input, const Constant& weight, std::span<std::byte> out) const {
  const Packing* packing = packing_of(input);
  if (packing == nullptr) return Kernel::pack(input, weight, out);
  if (static_cast<std::int64_t>(out.size()) < packing->bytes) {
    return Error::internal("[cpu] packing of '" + weight.name + "', got " +
                           std::to_string(out.size()) + " bytes, wanted " +
                           std::to_string(packing->bytes));
  }
  return packing->packer(weight, out);
}

Error unsupported(const NodeDesc& node, std::string_view why) {
  return refuse_on("cpu", node, why);
}

}  // namespace polaris::cpu
