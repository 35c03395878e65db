#pragma once
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "ir/constant.h"
#include "tensor/tensor.h"

namespace polaris {

/// Memory that outlives a run: KV caches, LSTM carries, TFLite variables. It belongs to the model:
/// every function that reads or updates it holds the same one.
struct State {
  std::string name;
  TensorType type;  // dims that are no fixed size (cache pages) are kUnknownDim
  std::shared_ptr<const Constant> initial;  // null: zeros
  bool paged = false;                       // bytes live in a KvPool, not in the Session
};

using States = std::map<std::string, std::shared_ptr<const State>, std::less<>>;

/// `type` with kUnknownDim for its symbols: as a State has it.
TensorType state_type(TensorType type);
/// Whether two functions mean the same memory by a name. Errors: invalid, with both in words.
Status check_same_state(const State& held, const State& other);

}  // namespace polaris
