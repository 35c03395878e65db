// The C ABI over programs of several functions: bindings, kept values, states, tickets.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "polaris/polaris_c.h"

namespace {

std::string message_of(polaris_error* error) {
  if (error == nullptr) return "";
  std::string out = polaris_error_message(error);
  polaris_error_free(error);
  return out;
}

polaris_code code_of(polaris_error* error) {
  REQUIRE(error != nullptr);
  const polaris_code code = polaris_error_code(error);
  polaris_error_free(error);
  return code;
}

constexpr const char* kText = R"(
state memory : float32[2] = [1, 2]
graph put {
  input %x : float32[2]
  state %m : float32[2] named "memory"
  output %m "before"
  update %m = %x
}
graph scale {
  symbol T bucketed 8
  symbol N bounded 5
  symbol F
  input %t : float32[T, N]
  input %f : float32[F, 3]
  %y = Add(%t, %t)
  %z = Neg(%f)
  output %y
  output %z
}
graph sum {
  input %a : float32[2]
  input %b : float32[2]
  %s = Add(%a, %b)
  output %s
}
)";

/// A session over kText on the cpu and what it hangs on.
struct Fixture {
  Fixture() {
    polaris_runtime_options options = {};
    options.size = sizeof options;
    options.devices = "cpu";
    options.threads = 1;
    REQUIRE(message_of(polaris_runtime_create(&options, &runtime)) == "");
    REQUIRE(message_of(polaris_program_parse(runtime, kText, &program)) == "");
    REQUIRE(message_of(polaris_session_create(program, &session)) == "");
    REQUIRE(message_of(polaris_bindings_create(&bindings)) == "");
  }
  ~Fixture() {
    polaris_bindings_free(bindings);
    polaris_session_free(session);
    polaris_program_free(program);
    polaris_runtime_free(runtime);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  void input(const char* name, std::vector<float> values) {
    const polaris_type type = {POLARIS_F32, 1, {static_cast<int64_t>(values.size())}};
    polaris_tensor* tensor = nullptr;
    REQUIRE(message_of(polaris_tensor_create(&type, values.data(), values.size() * 4, &tensor)) ==
            "");
    REQUIRE(message_of(polaris_bindings_input(bindings, name, tensor)) == "");
    polaris_tensor_free(tensor);
  }
  void fresh() {
    polaris_bindings_free(bindings);
    REQUIRE(message_of(polaris_bindings_create(&bindings)) == "");
  }

  polaris_runtime* runtime = nullptr;
  polaris_program* program = nullptr;
  polaris_session* session = nullptr;
  polaris_bindings* bindings = nullptr;
};

std::vector<float> take_values(polaris_tensor* tensor) {
  size_t bytes = 0;
  const auto* data = static_cast<const float*>(polaris_tensor_bytes(tensor, &bytes));
  std::vector<float> out(data, data + bytes / 4);
  polaris_tensor_free(tensor);
  return out;
}

using Numbers = std::vector<float>;

}  // namespace

TEST_CASE("c: functions, their inputs, outputs, dims and states are told by name") {
  const Fixture f;
  REQUIRE(polaris_program_function_count(f.program) == 3);
  CHECK(std::string(polaris_program_function(f.program, 0)) == "put");
  CHECK(std::string(polaris_program_function(f.program, 2)) == "sum");
  CHECK(polaris_program_function(f.program, 3) == nullptr);
  CHECK(polaris_function_input_count(f.program, "scale") == 2);
  CHECK(polaris_function_output_count(f.program, "scale") == 2);
  CHECK(polaris_function_input_count(f.program, "nothing") == 0);
  CHECK(polaris_function_output_count(f.program, "nothing") == 0);
  CHECK(polaris_function_input(f.program, "nothing", 0, nullptr) == nullptr);
  // Null is the first where there is no main; the short forms say the same.
  CHECK(std::string(polaris_function_input(f.program, nullptr, 0, nullptr)) == "x");
  CHECK(std::string(polaris_program_input(f.program, 0, nullptr)) == "x");
  CHECK(std::string(polaris_program_output(f.program, 0, nullptr)) == "before");
  CHECK(polaris_program_input_count(f.program) == 1);
  CHECK(polaris_program_output_count(f.program) == 1);
  polaris_type type = {};
  CHECK(std::string(polaris_function_input(f.program, "scale", 1, &type)) == "f");
  CHECK(type.rank == 2);
  CHECK(type.dims[0] == -1);
  CHECK(type.dims[1] == 3);
  CHECK(std::string(polaris_function_output(f.program, "scale", 1, &type)) == "z");
  CHECK(polaris_function_output(f.program, "scale", 2, nullptr) == nullptr);
  polaris_dim_kind kind = POLARIS_DIM_FREE;
  int64_t bound = 0;
  const auto dim = [&](size_t input, int32_t axis) {
    const char* name = polaris_function_input_dim(f.program, "scale", input, axis, &kind, &bound);
    return std::string(name != nullptr ? name : "");
  };
  CHECK(dim(0, 0) == "T");
  CHECK(kind == POLARIS_DIM_BUCKETED);
  CHECK(bound == 8);
  CHECK(dim(0, 1) == "N");
  CHECK(kind == POLARIS_DIM_BOUNDED);
  CHECK(bound == 5);
  CHECK(dim(1, 0) == "F");
  CHECK(kind == POLARIS_DIM_FREE);
  CHECK(dim(1, 1) == "");
  CHECK(dim(1, 2) == "");
  CHECK(dim(1, -1) == "");
  CHECK(dim(2, 0) == "");
  CHECK(polaris_function_input_dim(f.program, "nothing", 0, 0, nullptr, nullptr) == nullptr);
  REQUIRE(polaris_program_state_count(f.program) == 1);
  CHECK(std::string(polaris_program_state(f.program, 0, &type)) == "memory");
  CHECK(type.dims[0] == 2);
  CHECK(polaris_program_state(f.program, 1, nullptr) == nullptr);
}

TEST_CASE("c: values are kept, given on, read and dropped; states are read, written and reset") {
  Fixture f;
  f.input("a", {1, 2});
  f.input("b", {10, 20});
  REQUIRE(message_of(polaris_bindings_output_kept(f.bindings, "s", "total")) == "");
  CHECK(polaris_bindings_output_count(f.bindings) == 0);
  REQUIRE(message_of(polaris_session_run_function(f.session, "sum", f.bindings, nullptr, 0)) == "");
  f.fresh();
  REQUIRE(message_of(polaris_bindings_input_kept(f.bindings, "a", "total")) == "");
  REQUIRE(message_of(polaris_bindings_input_state(f.bindings, "b", "memory")) == "");
  REQUIRE(message_of(polaris_bindings_output(f.bindings, "s")) == "");
  REQUIRE(message_of(polaris_bindings_output_state(f.bindings, "s", "memory")) == "");
  CHECK(polaris_bindings_output_count(f.bindings) == 1);
  polaris_tensor* out = nullptr;
  REQUIRE(message_of(polaris_session_run_function(f.session, "sum", f.bindings, &out, 1)) == "");
  CHECK(take_values(out) == Numbers{12, 24});
  REQUIRE(message_of(polaris_session_read_state(f.session, "memory", &out)) == "");
  CHECK(take_values(out) == Numbers{12, 24});
  REQUIRE(message_of(polaris_session_reset(f.session, "memory")) == "");
  REQUIRE(message_of(polaris_session_read_state(f.session, "memory", &out)) == "");
  CHECK(take_values(out) == Numbers{1, 2});
  REQUIRE(message_of(polaris_session_read_kept(f.session, "total", &out)) == "");
  REQUIRE(message_of(polaris_session_write_state(f.session, "memory", out)) == "");
  CHECK(take_values(out) == Numbers{11, 22});
  // The short form runs the first function: put.
  const polaris_type type = {POLARIS_F32, 1, {2}};
  polaris_tensor* x = nullptr;
  REQUIRE(message_of(polaris_tensor_create(&type, nullptr, 0, &x)) == "");
  REQUIRE(message_of(polaris_session_run(f.session, &x, 1, &out, 1)) == "");
  CHECK(take_values(out) == Numbers{11, 22});
  polaris_tensor_free(x);
  REQUIRE(message_of(polaris_session_reset(f.session, nullptr)) == "");
  CHECK(polaris_session_drop_kept(f.session, "total") == 1);
  CHECK(polaris_session_drop_kept(f.session, "total") == 0);
  CHECK(code_of(polaris_session_read_kept(f.session, "total", &out)) == POLARIS_NOT_FOUND);
  CHECK(code_of(polaris_session_read_state(f.session, "nothing", &out)) == POLARIS_NOT_FOUND);
  CHECK(code_of(polaris_session_reset(f.session, "nothing")) == POLARIS_NOT_FOUND);
}

TEST_CASE("c: tickets are waited for, cancelled, and freed in any order") {
  Fixture f;
  f.input("a", {1, 2});
  f.input("b", {3, 4});
  REQUIRE(message_of(polaris_bindings_output(f.bindings, "s")) == "");
  polaris_ticket* ticket = nullptr;
  REQUIRE(message_of(polaris_session_submit(f.session, "sum", f.bindings, &ticket)) == "");
  f.fresh();
  polaris_tensor* out = nullptr;
  REQUIRE(message_of(polaris_ticket_wait(ticket, &out, 1)) == "");
  CHECK(take_values(out) == Numbers{4, 6});
  CHECK(polaris_ticket_done(ticket) == 1);
  CHECK(code_of(polaris_ticket_wait(ticket, &out, 1)) == POLARIS_INVALID);
  polaris_ticket_free(ticket);
  f.input("x", {5, 6});
  std::vector<polaris_ticket*> outliving;
  for (int i = 0; i < 8; ++i) {
    REQUIRE(message_of(polaris_session_submit(f.session, nullptr, f.bindings, &ticket)) == "");
    if (i % 2 == 0) {
      polaris_ticket_free(ticket);
    } else {
      outliving.push_back(ticket);
    }
  }
  polaris_session_free(f.session);
  f.session = nullptr;
  ticket = outliving.back();
  outliving.pop_back();
  for (polaris_ticket* other : outliving) polaris_ticket_free(other);
  polaris_ticket_cancel(ticket);
  CHECK(polaris_ticket_done(ticket) == 1);
  (void)message_of(polaris_ticket_wait(ticket, nullptr, 0));
  polaris_ticket_free(ticket);
  polaris_ticket_free(nullptr);
}

TEST_CASE("c: what does not fit is an error, and null is one too") {
  Fixture f;
  polaris_tensor* out = nullptr;
  CHECK(code_of(polaris_session_run_function(f.session, "nothing", f.bindings, nullptr, 0)) ==
        POLARIS_NOT_FOUND);
  CHECK(code_of(polaris_session_run_function(f.session, "sum", f.bindings, nullptr, 0)) ==
        POLARIS_NOT_FOUND);
  f.input("a", {1, 2});
  f.input("b", {1, 2, 3});
  REQUIRE(message_of(polaris_bindings_output(f.bindings, "s")) == "");
  CHECK(code_of(polaris_session_run_function(f.session, "sum", f.bindings, nullptr, 0)) ==
        POLARIS_INVALID);
  CHECK(code_of(polaris_session_run_function(f.session, "sum", f.bindings, &out, 1)) ==
        POLARIS_INVALID);
  polaris_ticket* ticket = nullptr;
  CHECK(code_of(polaris_session_submit(f.session, "sum", f.bindings, &ticket)) == POLARIS_INVALID);
  CHECK(code_of(polaris_session_submit(nullptr, "sum", f.bindings, &ticket)) == POLARIS_INVALID);
  CHECK(code_of(polaris_session_submit(f.session, "sum", nullptr, &ticket)) == POLARIS_INVALID);
  CHECK(code_of(polaris_ticket_wait(nullptr, nullptr, 0)) == POLARIS_INVALID);
  CHECK(code_of(polaris_bindings_create(nullptr)) == POLARIS_INVALID);
  CHECK(code_of(polaris_bindings_input(f.bindings, "a", nullptr)) == POLARIS_INVALID);
  CHECK(code_of(polaris_bindings_input_kept(f.bindings, nullptr, "k")) == POLARIS_INVALID);
  CHECK(code_of(polaris_bindings_input_state(f.bindings, "a", nullptr)) == POLARIS_INVALID);
  CHECK(code_of(polaris_bindings_output(nullptr, "s")) == POLARIS_INVALID);
  CHECK(code_of(polaris_bindings_output_kept(f.bindings, "s", nullptr)) == POLARIS_INVALID);
  CHECK(code_of(polaris_bindings_output_state(f.bindings, nullptr, "m")) == POLARIS_INVALID);
  CHECK(code_of(polaris_session_read_kept(f.session, nullptr, &out)) == POLARIS_INVALID);
  CHECK(code_of(polaris_session_read_state(f.session, "memory", nullptr)) == POLARIS_INVALID);
  CHECK(code_of(polaris_session_write_state(f.session, "memory", nullptr)) == POLARIS_INVALID);
  CHECK(code_of(polaris_session_reset(nullptr, nullptr)) == POLARIS_INVALID);
  CHECK(polaris_session_drop_kept(f.session, nullptr) == 0);
  polaris_program* program = nullptr;
  CHECK(code_of(polaris_program_parse(f.runtime, "graph {", &program)) == POLARIS_INVALID);
  CHECK(code_of(polaris_program_load_functions(f.runtime, "x", nullptr, 1, &program)) ==
        POLARIS_INVALID);
  CHECK(code_of(polaris_program_load_functions(f.runtime, "/no/such", nullptr, 0, &program)) ==
        POLARIS_NOT_FOUND);
}
