#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "ir/constant.h"
#include "load/hf/architecture.h"

namespace polaris::hf {

/// The hyperparameter that tells which row kFromRow begins at.
inline constexpr std::string_view kFirstRow = "position_embd.first_row";

/// A tensor as arch/ has it: itself, a view of its last rows, or a copy. Errors: invalid where the
/// form is of another rank or type than the tensor; out_of_memory.
Result<std::shared_ptr<const Constant>> in_form(const std::shared_ptr<const Constant>& tensor,
                                                WeightForm form, std::int64_t first_row);

}  // namespace polaris::hf
