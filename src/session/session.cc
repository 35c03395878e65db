#include "session/session.h"

#include <new>
#include <utility>

#include "session/executor.h"
#include "session/run_order.h"
#include "session/symbol_binding.h"
#include "session/value_move.h"

namespace polaris {
namespace {

/// Outputs that stay where they are: by value, empty where the host reads all of them.
ValueFlags device_outputs(const RunRequest& request) {
  const Graph& graph = request.function->graph;
  ValueFlags out(graph.value_count());
  for (ValueId id : graph.outputs()) out[id] = true;
  for (const RunRequest::To& to : request.outputs) {
    if (!std::holds_alternative<Bindings::Host>(to.sink)) continue;
    out[graph.outputs()[to.output]] = false;
  }
  for (ValueId id : graph.outputs()) {
    if (out[id]) return out;
  }
  return {};
}

/// What can be said of the inputs before the run's turn: those from the host.
Status check_tensors(const RunRequest& request) {
  SymbolBinding symbols(request.function->graph);
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    const auto* tensor = std::get_if<Tensor>(&request.inputs[i]);
    if (tensor == nullptr) continue;
    if (auto status = symbols.bind_input(i, *tensor); !status) return status;
  }
  return Status::success();
}

/// Lets the runs that follow go on, however this one ended.
struct EndOfRun {
  explicit EndOfRun(const TicketOptions& options) : order(options.order), place(options.place) {}
  ~EndOfRun() {
    if (order) order->end(place, ok);
  }
  EndOfRun(const EndOfRun&) = delete;
  EndOfRun& operator=(const EndOfRun&) = delete;
  std::shared_ptr<RunOrder> order;
  std::size_t place;
  bool ok = false;
};

}  // namespace

Session::Session(std::shared_ptr<Program> program)
    : program_(std::move(program)),
      kept_(program_->runtime()),
      turns_(program_->runtime().tasks()) {}

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<Program> program,
                                                 std::shared_ptr<KvPool> pool) {
  std::unique_ptr<Session> session(new Session(std::move(program)));
  session->pool_ = std::move(pool);
  auto status = session->states_.create(*session->program_, session->pool_.get());
  if (!status) return status.error();
  for (const auto& [name, function] : session->program_->functions()) {
    session->bound_[&function] = session->states_.of(function);
  }
  return session;
}

Result<RunRequest> Session::resolve(std::string_view function, const Bindings& bindings) const {
  const Function* found = program_->find(function);
  if (found != nullptr) return resolve_bindings(*program_, *found, bindings);
  std::string have;
  for (const auto& [name, unused] : program_->functions()) {
    have += (have.empty() ? "'" : ", '") + name + "'";
  }
  return Error::not_found("[run] function, got '" + std::string(function) + "', wanted one of " +
                          have);
}

Result<std::vector<ValueRef>> Session::gather(const RunRequest& request) {
  const Function& function = *request.function;
  SymbolBinding symbols(function.graph);
  std::vector<ValueRef> out;
  out.reserve(request.inputs.size());
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    const RunRequest::From& from = request.inputs[i];
    if (const auto* tensor = std::get_if<Tensor>(&from)) {
      out.push_back(ValueRef::of(*tensor));
    } else if (const auto* kept = std::get_if<Bindings::Kept>(&from)) {
      auto value = kept_.get(kept->name, function.input_device[i]);
      if (!value) return value.error();
      out.push_back(value.take());
    } else {
      out.push_back(states_.value(std::get<RunRequest::StateIndex>(from).index));
      if (program_->info(function.graph).writes_in_place) {
        auto own = copy_to(program_->runtime(), out.back(), out.back().device);
        if (!own) return own.error();
        out.back() = own.take();
      }
    }
    const ValueRef& value = out.back();
    auto status = value.device == kHost ? symbols.bind_input(i, value.host)
                                        : symbols.bind_input(i, value.type);
    if (!status) return status.error();
  }
  return out;
}

Status Session::run_request(const RunRequest& request, std::vector<Tensor>& outputs,
                            const RunOptions& options, std::int64_t ticket) {
  auto inputs = gather(request);
  if (!inputs) return inputs.error();
  const ValueFlags stay = device_outputs(request);
  Executor executor(*program_, options, ticket);
  auto outcome = executor.run(request.function->graph, *inputs, bound_.at(request.function),
                              stay.empty() ? nullptr : &stay);
  if (!outcome) return outcome.error();
  if (auto status = program_->check_files(); !status) return status;
  return deliver(request, outcome->outputs, std::move(outcome->writes), outputs);
}

Status Session::deliver(const RunRequest& request, std::span<const ValueRef> values,
                        std::vector<StateWrite> writes, std::vector<Tensor>& outputs) {
  Runtime& runtime = program_->runtime();
  std::vector<std::pair<std::string_view, ValueRef>> kept;
  std::size_t hosts = 0;
  for (const RunRequest::To& to : request.outputs) {
    const ValueRef& value = values[to.output];
    if (std::holds_alternative<Bindings::Host>(to.sink)) {
      if (outputs.size() <= hosts) outputs.emplace_back();
      auto tensor = to_host(runtime, value, std::move(outputs[hosts]));
      if (!tensor) return tensor.error();
      outputs[hosts++] = tensor.take();
    } else if (const auto* name = std::get_if<Bindings::Kept>(&to.sink)) {
      // What stands in a state's bytes would change with it.
      const bool own = value.device == kHost || value.lease != nullptr;
      auto held = own ? Result<ValueRef>(value) : copy_to(runtime, value, value.device);
      if (!held) return held.error();
      kept.emplace_back(name->name, held.take());
    } else {
      const std::size_t state = std::get<RunRequest::StateIndex>(to.sink).index;
      const ValueRef target = states_.value(state);
      if (value.type != target.type) {
        return Error::invalid("[run] state '" + program_->states()[state].state->name +
                              "', got an output " + value.type.to_string() + ", wanted " +
                              target.type.to_string());
      }
      writes.push_back({value, target.device, target.view});
    }
  }
  outputs.resize(hosts);
  // All outputs are as they were before any state is written.
  if (auto status = write_states(runtime, std::move(writes)); !status) return status;
  for (auto& [name, value] : kept) kept_.put(name, std::move(value));
  return Status::success();
}

Status Session::run_here(const RunRequest& request, std::vector<Tensor>& outputs,
                         const RunOptions& options) {
  const Turns::Hold turn(turns_, request.ordered);
  try {
    return run_request(request, outputs, options, program_->runtime().next_ticket());
  } catch (const std::bad_alloc&) {
    return Error::out_of_memory("[run] host memory ran out");
  }
}

Status Session::run(std::string_view function, const Bindings& bindings,
                    std::vector<Tensor>& outputs, const RunOptions& options) {
  auto request = resolve(function, bindings);
  if (!request) return request.error();
  return run_here(*request, outputs, options);
}

Status Session::run(std::span<const Tensor> inputs, std::vector<Tensor>& outputs,
                    const RunOptions& options) {
  auto request = request_of(program_->main(), inputs);
  if (!request) return request.error();
  return run_here(*request, outputs, options);
}

Result<Ticket> Session::submit_request(RunRequest request, TicketOptions options) {
  if (auto status = check_tensors(request); !status) return status.error();
  auto ticket = std::make_shared<TicketRun>(program_->runtime().next_ticket(), std::move(options));
  const bool ordered = request.ordered;
  const auto run = [this,
                    held = std::move(request)](TicketRun& own) -> Result<std::vector<Tensor>> {
    EndOfRun end(own.options());
    std::vector<Tensor> outputs;
    const Status status = run_request(held, outputs, own.run_options(), own.id());
    if (!status) return status.error();
    end.ok = true;
    return outputs;
  };
  turns_.submit(ticket, run, ordered);
  return Ticket(std::move(ticket));
}

Result<Ticket> Session::submit(std::string_view function, const Bindings& bindings,
                               TicketOptions options) {
  auto request = resolve(function, bindings);
  if (!request) return request.error();
  return submit_request(request.take(), std::move(options));
}

Result<Ticket> Session::submit(std::vector<Tensor> inputs, TicketOptions options) {
  auto request = request_of(program_->main(), inputs);
  if (!request) return request.error();
  inputs.clear();
  return submit_request(request.take(), std::move(options));
}

Result<Tensor> Session::read_kept(std::string_view name) {
  const Turns::Hold turn(turns_, true);
  auto value = kept_.get(name, kHost);
  if (!value) return value.error();
  return to_host(program_->runtime(), *value);
}

Status Session::read_kept_row(std::string_view name, std::int64_t row, std::span<std::byte> out) {
  const Turns::Hold turn(turns_, true);
  auto value = kept_.get(name, kHost);
  return value ? read_row(program_->runtime(), *value, row, out) : Status(value.error());
}

bool Session::drop_kept(std::string_view name) {
  const Turns::Hold turn(turns_, true);
  return kept_.drop(name);
}

Result<Tensor> Session::read_state(std::string_view state) {
  auto index = find_state(*program_, state);
  if (!index) return index.error();
  const Turns::Hold turn(turns_, true);
  return states_.read(index->index);
}

Status Session::write_state(std::string_view state, const Tensor& tensor) {
  auto index = find_state(*program_, state);
  if (!index) return index.error();
  const Turns::Hold turn(turns_, true);
  return states_.write(index->index, tensor);
}

Status Session::reset_state(std::string_view state) {
  auto index = find_state(*program_, state);
  if (!index) return index.error();
  const Turns::Hold turn(turns_, true);
  return states_.reset(index->index);
}

Status Session::reset() {
  const Turns::Hold turn(turns_, true);
  return states_.reset();
}

}  // namespace polaris
