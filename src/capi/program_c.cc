#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capi/c_handles.h"
#include "ir/text/model_text.h"
#include "load/load.h"
#include "plugin/type_convert.h"

namespace {

using polaris::guarded;
using polaris::need;
using polaris::Status;

/// Compiles these functions of the model, or all where there is none.
Status compile(polaris_runtime* runtime, polaris::Model& model,
               std::span<const std::string> functions, polaris_program** out) {
  polaris::ProgramOptions options;
  options.user_passes = runtime->passes;
  auto program = polaris::Program::compile(runtime->runtime, model, functions, options);
  if (!program) return program.error();
  *out = new polaris_program{runtime->plugins, program.take()};
  return Status::success();
}

/// Null: what the short forms run. Null where there is none of that name.
const polaris::Graph* graph_of(const polaris_program* program, const char* function) {
  if (function == nullptr) return &program->program->graph();
  const polaris::Function* found = program->program->find(function);
  return found != nullptr ? &found->graph : nullptr;
}

}  // namespace

polaris_error* polaris_program_load(polaris_runtime* runtime, const char* path,
                                    const char* function, polaris_program** out) {
  const char* const functions[] = {function != nullptr ? function : ""};
  return polaris_program_load_functions(runtime, path, functions, 1, out);
}

polaris_error* polaris_program_load_functions(polaris_runtime* runtime, const char* path,
                                              const char* const* functions, size_t function_count,
                                              polaris_program** out) {
  return guarded([&]() -> Status {
    const bool present = runtime != nullptr && path != nullptr && out != nullptr &&
                         (functions != nullptr || function_count == 0);
    if (auto status = need(present, "runtime, path, functions or out"); !status) return status;
    std::vector<std::string> names;
    for (size_t i = 0; i < function_count; ++i) {
      if (auto status = need(functions[i] != nullptr, "a function's name"); !status) return status;
      names.emplace_back(functions[i]);
    }
    auto model = polaris::load_model(path, runtime->runtime->ops());
    if (!model) return model.error();
    return compile(runtime, *model, names, out);
  });
}

polaris_error* polaris_program_parse(polaris_runtime* runtime, const char* text,
                                     polaris_program** out) {
  return guarded([&]() -> Status {
    const bool present = runtime != nullptr && text != nullptr && out != nullptr;
    if (auto status = need(present, "runtime, text or out"); !status) return status;
    auto model = polaris::parse_model(text, runtime->runtime->ops());
    if (!model) return model.error();
    if (auto status = polaris::verify_model(*model, {.types = false}); !status) return status;
    return compile(runtime, *model, {}, out);
  });
}

void polaris_program_free(polaris_program* program) { delete program; }

size_t polaris_program_function_count(const polaris_program* program) {
  return program->program->functions().size();
}

const char* polaris_program_function(const polaris_program* program, size_t index) {
  for (const auto& [name, function] : program->program->functions()) {
    if (index-- == 0) return name.c_str();
  }
  return nullptr;
}

size_t polaris_program_input_count(const polaris_program* program) {
  return polaris_function_input_count(program, nullptr);
}

size_t polaris_program_output_count(const polaris_program* program) {
  return polaris_function_output_count(program, nullptr);
}

const char* polaris_program_input(const polaris_program* program, size_t index,
                                  polaris_type* type) {
  return polaris_function_input(program, nullptr, index, type);
}

const char* polaris_program_output(const polaris_program* program, size_t index,
                                   polaris_type* type) {
  return polaris_function_output(program, nullptr, index, type);
}

size_t polaris_function_input_count(const polaris_program* program, const char* function) {
  const polaris::Graph* graph = graph_of(program, function);
  return graph != nullptr ? graph->inputs().size() : 0;
}

size_t polaris_function_output_count(const polaris_program* program, const char* function) {
  const polaris::Graph* graph = graph_of(program, function);
  return graph != nullptr ? graph->outputs().size() : 0;
}

const char* polaris_function_input(const polaris_program* program, const char* function,
                                   size_t index, polaris_type* type) {
  const polaris::Graph* graph = graph_of(program, function);
  if (graph == nullptr || index >= graph->inputs().size()) return nullptr;
  const polaris::Value& value = graph->value(graph->inputs()[index]);
  if (type != nullptr) *type = polaris::to_c_type(value.type);
  return value.name.c_str();
}

const char* polaris_function_output(const polaris_program* program, const char* function,
                                    size_t index, polaris_type* type) {
  const polaris::Graph* graph = graph_of(program, function);
  if (graph == nullptr || index >= graph->outputs().size()) return nullptr;
  if (type != nullptr) *type = polaris::to_c_type(graph->value(graph->outputs()[index]).type);
  return graph->output_names()[index].c_str();
}

polaris_kind polaris_function_input_kind(const polaris_program* program, const char* function,
                                         size_t index) {
  const polaris::Graph* graph = graph_of(program, function);
  if (graph == nullptr || index >= graph->inputs().size()) return POLARIS_TENSOR;
  return static_cast<polaris_kind>(graph->value(graph->inputs()[index]).type.kind);
}

polaris_kind polaris_function_output_kind(const polaris_program* program, const char* function,
                                          size_t index) {
  const polaris::Graph* graph = graph_of(program, function);
  if (graph == nullptr || index >= graph->outputs().size()) return POLARIS_TENSOR;
  return static_cast<polaris_kind>(graph->value(graph->outputs()[index]).type.kind);
}

const char* polaris_function_input_dim(const polaris_program* program, const char* function,
                                       size_t index, int32_t axis, polaris_dim_kind* kind,
                                       int64_t* bound) {
  const polaris::Graph* graph = graph_of(program, function);
  if (graph == nullptr || index >= graph->inputs().size()) return nullptr;
  const polaris::Shape& shape = graph->value(graph->inputs()[index]).type.shape;
  if (axis < 0 || axis >= shape.rank() || !polaris::is_symbol_dim(shape[axis])) return nullptr;
  const polaris::Symbol& symbol =
      graph->symbols()[static_cast<size_t>(polaris::symbol_of(shape[axis]))];
  if (kind != nullptr) {
    switch (symbol.kind) {
      case polaris::Symbol::Kind::kFree: *kind = POLARIS_DIM_FREE; break;
      case polaris::Symbol::Kind::kBucketed: *kind = POLARIS_DIM_BUCKETED; break;
      case polaris::Symbol::Kind::kBounded: *kind = POLARIS_DIM_BOUNDED; break;
    }
  }
  if (bound != nullptr) *bound = symbol.bound;
  return symbol.name.c_str();
}

size_t polaris_program_state_count(const polaris_program* program) {
  return program->program->states().size();
}

const char* polaris_program_state(const polaris_program* program, size_t index,
                                  polaris_type* type) {
  const auto& states = program->program->states();
  if (index >= states.size()) return nullptr;
  if (type != nullptr) *type = polaris::to_c_type(states[index].state->type);
  return states[index].state->name.c_str();
}

size_t polaris_program_ops(const polaris_program* program, char* out, size_t capacity) {
  const polaris::Graph& graph = program->program->graph();
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
