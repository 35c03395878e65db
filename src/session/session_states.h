#pragma once
#include <string_view>
#include <vector>

#include "session/kv_pool.h"
#include "session/program.h"
#include "session/value_ref.h"

namespace polaris {

/// A session's states: the bytes of those that are not paged, each on the device where the program
/// has put it, and the pool's views of the others. Not thread-safe.
class SessionStates {
 public:
  /// Errors: out_of_memory; invalid where a state is paged and there is no pool, or has no size.
  Status create(const Program& program, KvPool* pool);
  /// The states that a function uses, as its graph has them.
  BoundStates of(const Function& function) const;
  /// A state's value where it stands; it changes when the state does.
  ValueRef value(std::size_t state) const;
  /// All back to their first values; paged ones are the pool's.
  Status reset();
  Status reset(std::size_t state);
  Result<Tensor> read(std::size_t state) const;
  /// Errors: invalid where the tensor is not of the state's type.
  Status write(std::size_t state, const Tensor& tensor);

 private:
  Status add(const ProgramState& held, KvPool* pool);
  const Program* program_ = nullptr;
  std::vector<Lease> leases_;  // empty: paged
  std::vector<TensorType> types_;
  std::vector<BufferView> views_;
};

}  // namespace polaris
