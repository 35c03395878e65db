#include <memory>
#include <utility>
#include <vector>

#include "capi/c_handles.h"

namespace {

using polaris::give_outputs;
using polaris::guarded;
using polaris::need;
using polaris::Status;

/// Null: what the short forms run.
std::string_view function_of(polaris_session* session, const char* function) {
  return function != nullptr ? function : std::string_view(session->session->program().main().name);
}

Status check_room(const polaris_bindings* bindings, size_t output_count) {
  const size_t wanted = polaris_bindings_output_count(bindings);
  if (output_count == wanted) return Status::success();
  return polaris::Error::invalid("[c] outputs, got room for " + std::to_string(output_count) +
                                 ", wanted " + std::to_string(wanted));
}

}  // namespace

polaris_error* polaris_session_create(polaris_program* program, polaris_session** out) {
  return guarded([&]() -> Status {
    if (auto status = need(program != nullptr && out != nullptr, "program or out"); !status) {
      return status;
    }
    auto session = polaris::Session::create(program->program);
    if (!session) return session.error();
    *out = new polaris_session{program->plugins, session.take()};
    return Status::success();
  });
}

polaris_error* polaris_session_run(polaris_session* session, const polaris_tensor* const* inputs,
                                   size_t input_count, polaris_tensor** outputs,
                                   size_t output_count) {
  return guarded([&]() -> Status {
    const bool present = session != nullptr && (inputs != nullptr || input_count == 0) &&
                         (outputs != nullptr || output_count == 0);
    if (auto status = need(present, "session, inputs or outputs"); !status) return status;
    std::vector<polaris::Tensor> in;
    for (size_t i = 0; i < input_count; ++i) {
      if (auto status = need(inputs[i] != nullptr, "an input"); !status) return status;
      in.push_back(inputs[i]->tensor);
    }
    const size_t wanted = session->session->program().graph().outputs().size();
    if (output_count != wanted) {
      return polaris::Error::invalid("[c] outputs, got room for " + std::to_string(output_count) +
                                     ", wanted " + std::to_string(wanted));
    }
    std::vector<polaris::Tensor> results;
    if (auto status = session->session->run(in, results); !status) return status;
    return give_outputs(std::move(results), {outputs, output_count});
  });
}

void polaris_session_free(polaris_session* session) { delete session; }

polaris_error* polaris_bindings_create(polaris_bindings** out) {
  return guarded([&]() -> Status {
    if (auto status = need(out != nullptr, "out"); !status) return status;
    *out = new polaris_bindings{};
    return Status::success();
  });
}

void polaris_bindings_free(polaris_bindings* bindings) { delete bindings; }

polaris_error* polaris_bindings_input(polaris_bindings* bindings, const char* input,
                                      const polaris_tensor* tensor) {
  return guarded([&]() -> Status {
    const bool present = bindings != nullptr && input != nullptr && tensor != nullptr;
    if (auto status = need(present, "bindings, input or tensor"); !status) return status;
    bindings->bindings.input(input, tensor->tensor);
    return Status::success();
  });
}

polaris_error* polaris_bindings_input_kept(polaris_bindings* bindings, const char* input,
                                           const char* kept) {
  return guarded([&]() -> Status {
    const bool present = bindings != nullptr && input != nullptr && kept != nullptr;
    if (auto status = need(present, "bindings, input or kept"); !status) return status;
    bindings->bindings.input_kept(input, kept);
    return Status::success();
  });
}

polaris_error* polaris_bindings_input_state(polaris_bindings* bindings, const char* input,
                                            const char* state) {
  return guarded([&]() -> Status {
    const bool present = bindings != nullptr && input != nullptr && state != nullptr;
    if (auto status = need(present, "bindings, input or state"); !status) return status;
    bindings->bindings.input_state(input, state);
    return Status::success();
  });
}

polaris_error* polaris_bindings_output(polaris_bindings* bindings, const char* output) {
  return guarded([&]() -> Status {
    const bool present = bindings != nullptr && output != nullptr;
    if (auto status = need(present, "bindings or output"); !status) return status;
    bindings->bindings.output(output);
    return Status::success();
  });
}

polaris_error* polaris_bindings_output_kept(polaris_bindings* bindings, const char* output,
                                            const char* kept) {
  return guarded([&]() -> Status {
    const bool present = bindings != nullptr && output != nullptr && kept != nullptr;
    if (auto status = need(present, "bindings, output or kept"); !status) return status;
    bindings->bindings.output_kept(output, kept);
    return Status::success();
  });
}

polaris_error* polaris_bindings_output_state(polaris_bindings* bindings, const char* output,
                                             const char* state) {
  return guarded([&]() -> Status {
    const bool present = bindings != nullptr && output != nullptr && state != nullptr;
    if (auto status = need(present, "bindings, output or state"); !status) return status;
    bindings->bindings.output_state(output, state);
    return Status::success();
  });
}

size_t polaris_bindings_output_count(const polaris_bindings* bindings) {
  size_t count = 0;
  for (const polaris::Bindings::Output& output : bindings->bindings.outputs()) {
    if (std::holds_alternative<polaris::Bindings::Host>(output.to)) ++count;
  }
  return count;
}

polaris_error* polaris_session_run_function(polaris_session* session, const char* function,
                                            const polaris_bindings* bindings,
                                            polaris_tensor** outputs, size_t output_count) {
  return guarded([&]() -> Status {
    const bool present =
        session != nullptr && bindings != nullptr && (outputs != nullptr || output_count == 0);
    if (auto status = need(present, "session, bindings or outputs"); !status) return status;
    if (auto status = check_room(bindings, output_count); !status) return status;
    std::vector<polaris::Tensor> results;
    auto status =
        session->session->run(function_of(session, function), bindings->bindings, results);
    if (!status) return status;
    return give_outputs(std::move(results), {outputs, output_count});
  });
}

polaris_error* polaris_session_submit(polaris_session* session, const char* function,
                                      const polaris_bindings* bindings, polaris_ticket** out) {
  return guarded([&]() -> Status {
    const bool present = session != nullptr && bindings != nullptr && out != nullptr;
    if (auto status = need(present, "session, bindings or out"); !status) return status;
    auto made = std::make_unique<polaris_ticket>();
    auto ticket = session->session->submit(function_of(session, function), bindings->bindings);
    if (!ticket) return ticket.error();
    made->ticket = ticket.take();
    *out = made.release();
    return Status::success();
  });
}

polaris_error* polaris_ticket_wait(polaris_ticket* ticket, polaris_tensor** outputs,
                                   size_t output_count) {
  return guarded([&]() -> Status {
    const bool present = ticket != nullptr && (outputs != nullptr || output_count == 0);
    if (auto status = need(present, "ticket or outputs"); !status) return status;
    auto results = ticket->ticket.wait();
    if (!results) return results.error();
    return give_outputs(results.take(), {outputs, output_count});
  });
}

int polaris_ticket_done(const polaris_ticket* ticket) { return ticket->ticket.done() ? 1 : 0; }

void polaris_ticket_cancel(polaris_ticket* ticket) { ticket->ticket.cancel(); }

void polaris_ticket_free(polaris_ticket* ticket) { delete ticket; }

polaris_error* polaris_session_read_kept(polaris_session* session, const char* kept,
                                         polaris_tensor** out) {
  return guarded([&]() -> Status {
    const bool present = session != nullptr && kept != nullptr && out != nullptr;
    if (auto status = need(present, "session, kept or out"); !status) return status;
    auto tensor = session->session->read_kept(kept);
    if (!tensor) return tensor.error();
    *out = new polaris_tensor{tensor.take()};
    return Status::success();
  });
}

int polaris_session_drop_kept(polaris_session* session, const char* kept) {
  return kept != nullptr && session->session->drop_kept(kept) ? 1 : 0;
}

polaris_error* polaris_session_read_state(polaris_session* session, const char* state,
                                          polaris_tensor** out) {
  return guarded([&]() -> Status {
    const bool present = session != nullptr && state != nullptr && out != nullptr;
    if (auto status = need(present, "session, state or out"); !status) return status;
    auto tensor = session->session->read_state(state);
    if (!tensor) return tensor.error();
    *out = new polaris_tensor{tensor.take()};
    return Status::success();
  });
}

polaris_error* polaris_session_write_state(polaris_session* session, const char* state,
                                           const polaris_tensor* tensor) {
  return guarded([&]() -> Status {
    const bool present = session != nullptr && state != nullptr && tensor != nullptr;
    if (auto status = need(present, "session, state or tensor"); !status) return status;
    return session->session->write_state(state, tensor->tensor);
  });
}

polaris_error* polaris_session_reset(polaris_session* session, const char* state) {
  return guarded([&]() -> Status {
    if (auto status = need(session != nullptr, "session"); !status) return status;
    return state != nullptr ? session->session->reset_state(state) : session->session->reset();
  });
}
