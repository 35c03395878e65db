#pragma once
#include <cstdint>
#include <string_view>

#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {

/// The attribute `reduction` is none, add, mul, max or min, and fits the data's type.
Status check_reduction(const InferContext& c, std::string_view reduction);
/// data[at] = data[at] <reduction> update[from], in the data's type.
void scatter_element(RefTensor& data, std::int64_t at, const RefTensor& update, std::int64_t from,
                     std::string_view reduction);

}  // namespace polaris
