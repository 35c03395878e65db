#pragma once
#include <string_view>

#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "tensor/element.h"

namespace polaris {

/// `round_mode` is one of Cast's. Errors: invalid.
Status check_round_mode(const InferContext& c, std::string_view round_mode);
/// Cast's attributes as the rounding that they ask for; `round_mode` was checked.
SmallRounding small_rounding(bool saturate, std::string_view round_mode);
/// Converts every element of `from` to the type of `to`, as Cast does.
void cast_elements(const RefTensor& from, RefTensor& to, SmallRounding rounding);

}  // namespace polaris
