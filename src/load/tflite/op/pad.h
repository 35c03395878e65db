#pragma once
#include <vector>

#include "load/tflite/importer.h"

namespace polaris::tflite {

/// `x` (as moved() gives input 0) with `before` and `after` each axis filled by what stands for
/// zero.
ValueId zero_padded(OperatorImport& o, ValueId x, const std::vector<std::int64_t>& before,
                    const std::vector<std::int64_t>& after);

}  // namespace polaris::tflite
