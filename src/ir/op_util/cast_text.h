#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "ir/op_util/cast.h"

namespace polaris {

/// Cast where one side is text. Errors: invalid on a string that is no number of the type.
Result<Tensor> cast_text(const HostContext& c, DType to, SmallRounding rounding);

}  // namespace polaris
