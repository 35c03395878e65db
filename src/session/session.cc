#include "session/session.h"

#include <algorithm>
#include <new>
#include <utility>

#include "session/executor.h"
#include "session/value_move.h"

namespace polaris {

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<Program> program,
                                                 std::shared_ptr<KvPool> pool) {
  std::unique_ptr<Session> session(new Session(std::move(program)));
  session->pool_ = std::move(pool);
  const Graph& graph = session->program_->graph();
  const GraphInfo& info = session->program_->info();
  bool serial = false;
  for (std::size_t s = 0; s < graph.states().size(); ++s) {
    const State& state = graph.states()[s];
    session->state_buffers_.emplace_back();
    if (state.paged) {
      if (!session->pool_) {
        return Error::invalid("[session] state '" + state.name + "' is paged, got no cache pool");
      }
      session->states_.types.push_back(session->pool_->state_type(s));
      session->states_.views.push_back(session->pool_->state_view(s));
      continue;
    }
    serial = true;
    const auto bytes = state.type.bytes();
    if (!bytes) {
      return Error::invalid("[session] state '" + state.name + "', got " + state.type.to_string() +
                            ", wanted a static shape");
    }
    Device& device = session->program_->runtime().device(info.placement.state[s]);
    auto buffer = device.allocate(std::max<std::int64_t>(*bytes, 16), MemoryKind::kDevice);
    if (!buffer) return buffer.error();
    session->states_.types.push_back(state.type);
    session->states_.views.push_back({buffer->get(), 0, *bytes});
    session->state_buffers_.back() = buffer.take();
  }
  session->turns_ = std::make_unique<Turns>(session->program_->runtime().tasks(), serial);
  if (auto status = session->reset(); !status) return status.error();
  return session;
}

Status Session::reset() {
  const Turns::Hold turn(*turns_);
  const Graph& graph = program_->graph();
  for (std::size_t s = 0; s < state_buffers_.size(); ++s) {
    if (!state_buffers_[s] || states_.views[s].bytes == 0) continue;
    Device& device = program_->runtime().device(program_->info().placement.state[s]);
    const auto& initial = graph.states()[s].initial;
    const Status status = initial ? device.write(states_.views[s], initial->data.bytes().data())
                                  : device.fill_zero(states_.views[s]);
    if (!status) return status;
  }
  return Status::success();
}

Status Session::check_inputs(std::span<const Tensor> inputs) const {
  const Graph& graph = program_->graph();
  if (inputs.size() != graph.inputs().size()) {
    return Error::invalid("[run] inputs, got " + std::to_string(inputs.size()) + ", wanted " +
                          std::to_string(graph.inputs().size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Value& value = graph.value(graph.inputs()[i]);
    const TensorType& wanted = value.type;
    const Shape& got = inputs[i].shape();
    bool fits = inputs[i] && inputs[i].type().encoding.is_plain() &&
                inputs[i].dtype() == wanted.dtype && got.rank() == wanted.shape.rank();
    for (int d = 0; fits && d < got.rank(); ++d) {
      fits = !is_static_dim(wanted.shape[d]) || wanted.shape[d] == got[d];
    }
    if (fits) continue;
    return Error::invalid("[run] input '" + value.name + "', got " +
                          (inputs[i] ? inputs[i].type().to_string() : "nothing") + ", wanted " +
                          wanted.to_string());
  }
  return Status::success();
}

Status Session::run_once(std::span<const Tensor> inputs, std::vector<Tensor>& outputs,
                         const RunOptions& options, std::int64_t ticket) {
  Executor executor(*program_, options, ticket);
  std::vector<ValueRef> values;
  values.reserve(inputs.size());
  for (const Tensor& input : inputs) values.push_back(ValueRef::of(input));
  auto results = executor.run(program_->graph(), values, states_);
  if (!results) return results.error();
  outputs.resize(results->size());
  for (std::size_t o = 0; o < results->size(); ++o) {
    auto tensor = to_host(program_->runtime(), (*results)[o], std::move(outputs[o]));
    if (!tensor) return tensor.error();
    outputs[o] = tensor.take();
  }
  return Status::success();
}

Status Session::run(std::span<const Tensor> inputs, std::vector<Tensor>& outputs,
                    const RunOptions& options) {
  if (auto status = check_inputs(inputs); !status) return status;
  const Turns::Hold turn(*turns_);
  try {
    return run_once(inputs, outputs, options, program_->runtime().next_ticket());
  } catch (const std::bad_alloc&) {
    return Error::out_of_memory("[run] host memory ran out");
  }
}

Result<Ticket> Session::submit(std::vector<Tensor> inputs, TicketOptions options) {
  if (auto status = check_inputs(inputs); !status) return status.error();
  auto ticket = std::make_shared<TicketRun>(program_->runtime().next_ticket(), std::move(options));
  turns_->submit(ticket,
                 [this, inputs = std::move(inputs)](TicketRun& run) -> Result<std::vector<Tensor>> {
                   std::vector<Tensor> outputs;
                   const Status status = run_once(inputs, outputs, run.run_options(), run.id());
                   if (!status) return status.error();
                   return outputs;
                 });
  return Ticket(std::move(ticket));
}

}  // namespace polaris
