#pragma once
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "plugin/plugin.h"
#include "polaris/polaris_c.h"
#include "session/session.h"

/// What stands behind the C ABI's handles, and how its functions report errors.

struct polaris_error {
  polaris::ErrorCode code;
  std::string message;
};

struct polaris_tensor {
  polaris::Tensor tensor;
};

struct polaris_runtime {
  // Plugins outlive the devices and programs that hold their ops.
  std::vector<polaris::Plugin> plugins;
  std::vector<polaris::UserPass> passes;
  std::shared_ptr<polaris::Runtime> runtime;
};

struct polaris_program {
  std::vector<polaris::Plugin> plugins;
  std::shared_ptr<polaris::Program> program;
};

struct polaris_session {
  std::vector<polaris::Plugin> plugins;
  std::unique_ptr<polaris::Session> session;
};

struct polaris_bindings {
  polaris::Bindings bindings;
};

struct polaris_ticket {
  polaris::Ticket ticket;
};

namespace polaris {

/// What is left to say when there is no memory to say it with; never freed.
polaris_error* c_out_of_memory();
polaris_error* to_c(const Error& error);

/// Runs `f`, which returns a Status, and turns what it reports into the C form.
template <class F>
polaris_error* guarded(F&& f) {
  try {
    const Status status = f();
    return status ? nullptr : to_c(status.error());
  } catch (const std::bad_alloc&) {
    return c_out_of_memory();
  }
}

/// Errors: invalid where something that must be given is null.
Status need(bool present, const char* what);
/// Hands tensors to the caller. Errors: invalid where there is not room for just those.
Status give_outputs(std::vector<Tensor> results, std::span<polaris_tensor*> outputs);

}  // namespace polaris
