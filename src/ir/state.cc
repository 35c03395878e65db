#include "ir/state.h"

#include <algorithm>

namespace polaris {
namespace {

std::string in_words(const State& state) {
  return state.type.to_string() + (state.paged ? " paged" : "") +
         (state.initial ? " with a first value" : "");
}

bool same_data(const Constant* a, const Constant* b) {
  if (a == b) return true;
  if (a == nullptr || b == nullptr || a->data.type() != b->data.type()) return false;
  return std::ranges::equal(a->data.bytes(), b->data.bytes());
}

}  // namespace

TensorType state_type(TensorType type) {
  for (int d = 0; d < type.shape.rank(); ++d) {
    if (!is_static_dim(type.shape[d])) type.shape[d] = kUnknownDim;
  }
  return type;
}

Status check_same_state(const State& held, const State& other) {
  const bool same = held.type == other.type && held.paged == other.paged &&
                    same_data(held.initial.get(), other.initial.get());
  if (same) return Status::success();
  return Error::invalid("[model] state '" + held.name + "', got " + in_words(other) + ", wanted " +
                        in_words(held) + " as in another function");
}

}  // namespace polaris
