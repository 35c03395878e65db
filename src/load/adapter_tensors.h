#pragma once
#include <string>

#include "arch/adapter/adapter.h"
#include "base/result.h"

namespace polaris {

/// Adds half of a matrix's pair to an adapter, as float32. Errors: invalid (there already, of
/// another rank than two, not of floats, a value that is no finite number); out_of_memory.
Status add_adapter_tensor(Adapter& adapter, const std::string& matrix, bool is_a,
                          const std::string& name, const Tensor& tensor);

/// That every pair has both halves, of one rank from 1 to kAdapterRankMax. Errors: invalid.
Status check_adapter_pairs(const Adapter& adapter);

}  // namespace polaris
