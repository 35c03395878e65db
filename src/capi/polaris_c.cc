#include "polaris/polaris_c.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "capi/plugin.h"
#include "capi/sized_struct.h"
#include "capi/type_convert.h"
#include "ir/text.h"
#include "load/load.h"
#include "session/open_devices.h"
#include "session/session.h"

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

namespace {

using polaris::Error;
using polaris::Status;

constexpr std::size_t kRuntimeOptionsV1 =
    offsetof(polaris_runtime_options, threads) + sizeof(polaris_runtime_options::threads);

// What is left to say when there is no memory to say it with; never freed. The message is short
// enough for std::string to hold it without an allocation.
polaris_error* out_of_memory() {
  // tidy: allow globals (the caller gets a pointer to it, and nobody writes it)
  static polaris_error error{polaris::ErrorCode::kOutOfMemory, "out of memory"};
  return &error;
}

polaris_error* to_c(const Error& error) {
  auto* out = new (std::nothrow) polaris_error{error.code(), {}};
  if (out == nullptr) return out_of_memory();
  out->message = error.message();
  return out;
}

/// Runs `f`, which returns a Status, and turns what it reports into the C form.
template <class F>
polaris_error* guarded(F&& f) {
  try {
    const Status status = f();
    return status ? nullptr : to_c(status.error());
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

Status need(bool present, const char* what) {
  if (present) return Status::success();
  return Error::invalid(std::string("[c] ") + what + ", got null, wanted a value");
}

Status compile(polaris_runtime* runtime, polaris::Graph graph, polaris_program** out) {
  polaris::ProgramOptions options;
  options.user_passes = runtime->passes;
  auto program = polaris::Program::compile(runtime->runtime, std::move(graph), options);
  if (!program) return program.error();
  *out = new polaris_program{runtime->plugins, program.take()};
  return Status::success();
}

const polaris::Graph& graph_of(const polaris_program* program) { return program->program->graph(); }

}  // namespace

polaris_code polaris_error_code(const polaris_error* error) {
  return static_cast<polaris_code>(error->code);
}
const char* polaris_error_message(const polaris_error* error) { return error->message.c_str(); }
void polaris_error_free(polaris_error* error) {
  if (error != out_of_memory()) delete error;
}

const char* polaris_version(void) { return POLARIS_VERSION; }

polaris_error* polaris_tensor_create(const polaris_type* type, const void* bytes, size_t byte_count,
                                     polaris_tensor** out) {
  return guarded([&]() -> Status {
    if (auto status = need(type != nullptr && out != nullptr, "type or out"); !status)
      return status;
    const auto converted = polaris::from_c_type(*type);
    if (!converted || !converted->shape.is_static()) {
      return Error::invalid(
          "[c] tensor type is malformed, wanted a known dtype and dims of at least 0");
    }
    auto tensor = bytes == nullptr
                      ? polaris::Tensor::allocate(*converted)
                      : polaris::Tensor::from_bytes(
                            *converted, {static_cast<const std::byte*>(bytes), byte_count});
    if (!tensor) return tensor.error();
    *out = new polaris_tensor{tensor.take()};
    return Status::success();
  });
}

void polaris_tensor_type(const polaris_tensor* tensor, polaris_type* out) {
  *out = polaris::to_c_type(tensor->tensor.type());
}

const void* polaris_tensor_bytes(const polaris_tensor* tensor, size_t* byte_count) {
  if (byte_count != nullptr) *byte_count = tensor->tensor.bytes().size();
  return tensor->tensor.bytes().data();
}

void polaris_tensor_free(polaris_tensor* tensor) { delete tensor; }

polaris_error* polaris_runtime_create(const polaris_runtime_options* options,
                                      polaris_runtime** out) {
  return guarded([&]() -> Status {
    if (auto status = need(out != nullptr, "out"); !status) return status;
    polaris::DeviceOptions devices;
    if (options != nullptr) {
      const auto given = polaris::copy_sized(options, kRuntimeOptionsV1, "runtime options");
      if (!given) return given.error();
      devices.threads = given->threads;
      if (given->devices != nullptr) {
        devices.devices.clear();
        for (std::string_view name : polaris::split(given->devices, ',')) {
          devices.devices.emplace_back(polaris::trim(name));
        }
      }
    }
    auto runtime = polaris::open_runtime(devices);
    if (!runtime) return runtime.error();
    *out = new polaris_runtime{{}, {}, runtime.take()};
    return Status::success();
  });
}

void polaris_runtime_free(polaris_runtime* runtime) { delete runtime; }

polaris_error* polaris_runtime_load_plugin(polaris_runtime* runtime, const char* path) {
  return guarded([&]() -> Status {
    if (auto status = need(runtime != nullptr && path != nullptr, "runtime or path"); !status) {
      return status;
    }
    polaris::OpSet ops = runtime->runtime->ops();
    auto plugin = polaris::load_plugin(path, ops);
    if (!plugin) return plugin.error();
    for (const polaris::PluginPass& pass : plugin->passes) {
      if (auto status = polaris::check_user_pass({pass.name, pass.text}, ops); !status)
        return status;
    }
    for (const polaris::PluginPass& pass : plugin->passes) {
      runtime->passes.push_back({pass.name, pass.text});
    }
    runtime->plugins.push_back(plugin.take());
    runtime->runtime->set_ops(std::move(ops));
    return Status::success();
  });
}

polaris_error* polaris_program_load(polaris_runtime* runtime, const char* path,
                                    const char* function, polaris_program** out) {
  return guarded([&]() -> Status {
    const bool present = runtime != nullptr && path != nullptr && out != nullptr;
    if (auto status = need(present, "runtime, path or out"); !status) return status;
    auto model = polaris::load_model(path, runtime->runtime->ops());
    if (!model) return model.error();
    auto graph = polaris::take_function(*model, function != nullptr ? function : "");
    if (!graph) return graph.error();
    return compile(runtime, graph.take(), out);
  });
}

polaris_error* polaris_program_parse(polaris_runtime* runtime, const char* text,
                                     polaris_program** out) {
  return guarded([&]() -> Status {
    const bool present = runtime != nullptr && text != nullptr && out != nullptr;
    if (auto status = need(present, "runtime, text or out"); !status) return status;
    auto graph = polaris::parse_graph(text, runtime->runtime->ops());
    if (!graph) return graph.error();
    return compile(runtime, graph.take(), out);
  });
}

void polaris_program_free(polaris_program* program) { delete program; }

size_t polaris_program_input_count(const polaris_program* program) {
  return graph_of(program).inputs().size();
}

size_t polaris_program_output_count(const polaris_program* program) {
  return graph_of(program).outputs().size();
}

const char* polaris_program_input(const polaris_program* program, size_t index,
                                  polaris_type* type) {
  const polaris::Graph& graph = graph_of(program);
  if (index >= graph.inputs().size()) return nullptr;
  const polaris::Value& value = graph.value(graph.inputs()[index]);
  if (type != nullptr) *type = polaris::to_c_type(value.type);
  return value.name.c_str();
}

const char* polaris_program_output(const polaris_program* program, size_t index,
                                   polaris_type* type) {
  const polaris::Graph& graph = graph_of(program);
  if (index >= graph.outputs().size()) return nullptr;
  if (type != nullptr) *type = polaris::to_c_type(graph.value(graph.outputs()[index]).type);
  return graph.output_names()[index].c_str();
}

size_t polaris_program_ops(const polaris_program* program, char* out, size_t capacity) {
  const polaris::Graph& graph = graph_of(program);
  size_t needed = 0;
  const auto put = [&](std::string_view text) {
    for (char c : text) {
      if (needed + 1 < capacity) out[needed] = c;
      ++needed;
    }
  };
  for (polaris::NodeId id : graph.order()) {
    const polaris::OpDef& op = *graph.node(id).op;
    if (needed > 0) put(" ");
    put(op.domain);
    if (!op.domain.empty()) put(".");
    put(op.name);
  }
  if (capacity > 0) out[std::min(needed, capacity - 1)] = '\0';
  return needed + 1;
}

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
      return Error::invalid("[c] outputs, got room for " + std::to_string(output_count) +
                            ", wanted " + std::to_string(wanted));
    }
    std::vector<polaris::Tensor> results;
    if (auto status = session->session->run(in, results); !status) return status;
    std::vector<std::unique_ptr<polaris_tensor>> made;
    for (polaris::Tensor& result : results) {
      made.push_back(std::make_unique<polaris_tensor>(polaris_tensor{std::move(result)}));
    }
    for (size_t o = 0; o < wanted; ++o) outputs[o] = made[o].release();
    return Status::success();
  });
}

void polaris_session_free(polaris_session* session) { delete session; }
