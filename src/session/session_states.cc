#include "session/session_states.h"

#include <algorithm>

#include "session/value_move.h"

namespace polaris {

Status SessionStates::create(const Program& program, KvPool* pool) {
  program_ = &program;
  for (const ProgramState& held : program.states()) {
    if (auto status = add(held, pool); !status) return status;
  }
  return reset();
}

Status SessionStates::add(const ProgramState& held, KvPool* pool) {
  const State& state = *held.state;
  if (state.paged) {
    if (pool == nullptr) {
      return Error::invalid("[session] state '" + state.name + "' is paged, got no cache pool");
    }
    types_.push_back(pool->state_type(types_.size()));
    views_.push_back(pool->state_view(views_.size()));
    leases_.emplace_back();
    return Status::success();
  }
  const auto bytes = state.type.bytes();
  if (!bytes) {
    return Error::invalid("[session] state '" + state.name + "', got " + state.type.to_string() +
                          ", wanted a static shape");
  }
  auto lease =
      program_->runtime()
          .memory(held.device)
          .lease(std::max<std::int64_t>(*bytes, 16), MemoryKind::kDevice, MemoryOwner::kState);
  if (!lease) return lease.error().with_context("[session] state '" + state.name + "'");
  types_.push_back(state.type);
  views_.push_back({lease->buffer(), 0, *bytes});
  leases_.push_back(lease.take());
  return Status::success();
}

BoundStates SessionStates::of(const Function& function) const {
  BoundStates out;
  for (const std::size_t state : function.states) {
    out.types.push_back(types_[state]);
    out.views.push_back(views_[state]);
  }
  return out;
}

ValueRef SessionStates::value(std::size_t state) const {
  ValueRef out;
  out.type = types_[state];
  out.device = program_->states()[state].device;
  out.view = views_[state];
  return out;
}

Status SessionStates::reset() {
  for (std::size_t s = 0; s < leases_.size(); ++s) {
    if (auto status = reset(s); !status) return status;
  }
  return Status::success();
}

Status SessionStates::reset(std::size_t state) {
  if (!leases_[state] || views_[state].bytes == 0) return Status::success();
  const ProgramState& held = program_->states()[state];
  Device& device = program_->runtime().device(held.device);
  const auto& initial = held.state->initial;
  if (initial) program_->runtime().traffic(held.device).to_device += views_[state].bytes;
  return initial ? device.write(views_[state], initial->data.bytes().data())
                 : device.fill_zero(views_[state]);
}

Result<Tensor> SessionStates::read(std::size_t state) const {
  return to_host(program_->runtime(), value(state));
}

Status SessionStates::write(std::size_t state, const Tensor& tensor) {
  const ProgramState& held = program_->states()[state];
  if (!tensor || tensor.type() != types_[state]) {
    return Error::invalid("[session] state '" + held.state->name + "', got " +
                          (tensor ? tensor.type().to_string() : "nothing") + ", wanted " +
                          types_[state].to_string());
  }
  return copy_into(program_->runtime(), ValueRef::of(tensor), held.device, views_[state]);
}

}  // namespace polaris
