#pragma once
#include <string>
#include <string_view>

#include "backend/cpu/kernel.h"
#include "base/result.h"

namespace polaris::cpu {

std::string_view isa_name(Isa isa);
/// The best instruction set of this processor, at most `isa_max` ("": any). Errors: invalid (no
/// such name), unsupported (the processor has less).
Result<Isa> choose_isa(std::string_view isa_max);
std::string processor_name();
const Simd* simd_of(Isa isa);
const QuantSimd* quant_simd_of(Isa isa);

/// flops, bytes and estimate_us of a kernel from its node's types.
void fill_costs(const NodeDesc& node, int threads, Kernel& kernel);

}  // namespace polaris::cpu
