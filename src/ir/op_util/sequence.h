#pragma once
#include <cstdint>
#include <vector>

#include "ir/op_util/infer.h"
#include "tensor/values.h"

/// What the sequence and optional ops share.
namespace polaris {

/// Input i (absent: fine) is one index.
Status check_position(const InferContext& c, int i);
/// The index in input i, from the front, one of [0, count). Errors: invalid.
Result<std::int64_t> position_in(const HostContext& c, int i, std::int64_t count);
/// The items of input i.
std::vector<Tensor> items_of(const HostContext& c, int i);
/// Output 0 is a sequence of `items`, of the type that infer gave it.
Status give_sequence(HostContext& c, std::vector<Tensor> items);

}  // namespace polaris
