#pragma once
#include <cstdint>
#include <vector>

#include "load/tflite/importer.h"

namespace polaris::tflite {

/// Input `i`, weights, with its axes in another order, as real numbers.
ValueId weight(OperatorImport& o, std::size_t i, std::vector<std::int64_t> perm);
/// Input `i`, one number an output of input `w`'s weights with input `x`; none where it is absent.
/// Integers stand at the product of both scales, whatever the file says of them.
ValueId bias(OperatorImport& o, std::size_t i, std::size_t x, std::size_t w);
/// Real input 0 as a hybrid operator has it, where weights `w` are integers and it is not: rounded
/// to 8 bits anew at each run, with a scale for each index of the axes that are not `axes`
/// (XNNPACK's xnn_f32_qd8_asymmetric_quantization_params, which LiteRT runs).
ValueId rounded_rows(OperatorImport& o, ValueId x, std::size_t w, std::vector<std::int64_t> axes);
/// "SAME_UPPER" or "VALID", by the schema's Padding in option 0; an error of the node for others.
std::string_view auto_pad(OperatorImport& o);
/// Channels last to channels second, and back, for any number of axes between.
ValueId channels_second(OperatorImport& o, ValueId value, int rank);
ValueId channels_last(OperatorImport& o, ValueId value, int rank);
/// The output, of [N, C, spatial], with a fused activation.
void give_channels_second(OperatorImport& o, ValueId value, int rank, std::int64_t activation);

}  // namespace polaris::tflite
