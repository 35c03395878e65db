// A shared library adds an operator and a pass through polaris_c.h.

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "polaris/polaris_c.h"
#include "support/vulkan.h"
#include "test_paths.h"

namespace {

using polaris::test::kBuildDir;

std::string plugin_path(const std::string& name) {
  return std::string(kBuildDir) + "/plugins/" + name + ".so";
}

/// The error's message, freed; "" where there is none.
std::string message_of(polaris_error* error) {
  if (error == nullptr) return "";
  std::string out = polaris_error_message(error);
  polaris_error_free(error);
  return out;
}

struct RuntimeHandle {
  explicit RuntimeHandle(const char* devices) {
    polaris_runtime_options options = {};
    options.size = sizeof options;
    options.devices = devices;
    error = message_of(polaris_runtime_create(&options, &handle));
  }
  ~RuntimeHandle() { polaris_runtime_free(handle); }
  polaris_runtime* handle = nullptr;
  std::string error;
};

/// Runs a one-input, one-output program on [-2, -1.75, ...] and gives its elements, or the error.
std::string run_text(polaris_runtime* runtime, const char* text, std::vector<float>& out) {
  polaris_program* program = nullptr;
  std::string error = message_of(polaris_program_parse(runtime, text, &program));
  if (!error.empty()) return error;
  polaris_session* session = nullptr;
  error = message_of(polaris_session_create(program, &session));
  REQUIRE(error.empty());
  std::vector<float> values;
  for (int i = 0; i < 15; ++i) values.push_back(static_cast<float>(i) * 0.25f - 2.0f);
  const polaris_type type = {POLARIS_F32, 2, {3, 5}};
  polaris_tensor* x = nullptr;
  polaris_tensor* y = nullptr;
  REQUIRE(message_of(polaris_tensor_create(&type, values.data(), values.size() * 4, &x)).empty());
  error = message_of(polaris_session_run(session, &x, 1, &y, 1));
  if (error.empty()) {
    size_t bytes = 0;
    const auto* data = static_cast<const float*>(polaris_tensor_bytes(y, &bytes));
    out.assign(data, data + bytes / 4);
  }
  polaris_tensor_free(x);
  polaris_tensor_free(y);
  polaris_session_free(session);
  polaris_program_free(program);
  return error;
}

constexpr const char* kUsesOp =
    "graph main {\n"
    "  input %x : float32[3, 5]\n"
    "  const %two : float32[] = 2\n"
    "  %h = Mul(%x, %two)\n"
    "  %s = demo.Squash(%h, gain = 0.5)\n"
    "  %y = Neg(%s)\n"
    "  output %y\n"
    "}\n";

constexpr const char* kPlain =
    "graph main {\n"
    "  input %x : float32[3, 5]\n"
    "  %a = Abs(%x)\n"
    "  const %one : float32[] = 1\n"
    "  %d = Add(%a, %one)\n"
    "  %y = Div(%x, %d)\n"
    "  output %y\n"
    "}\n";

void check_squashed(const std::vector<float>& got, float sign) {
  REQUIRE(got.size() == 15);
  for (int i = 0; i < 15; ++i) {
    const float v = static_cast<float>(i) * 0.25f - 2.0f;
    CHECK(got[static_cast<std::size_t>(i)] ==
          doctest::Approx(sign * v / (1.0f + std::abs(v))).epsilon(1e-6));
  }
}

}  // namespace

TEST_CASE("a plugin's operator runs beside built-in ones on every device") {
  for (const std::string& devices :
       {std::string("cpu"), std::string("reference"), polaris::test::test_vulkan_id()}) {
    CAPTURE(devices);
    if (devices.empty()) continue;
    RuntimeHandle runtime(devices.c_str());
    REQUIRE(runtime.error.empty());
    std::vector<float> got;
    CHECK(run_text(runtime.handle, kUsesOp, got).find("Squash") != std::string::npos);
    const auto loaded = polaris_runtime_load_plugin(runtime.handle, plugin_path("sample").c_str());
    REQUIRE(message_of(loaded).empty());
    const std::string error = run_text(runtime.handle, kUsesOp, got);
    REQUIRE_MESSAGE(error.empty(), error);
    check_squashed(got, -1);
  }
}

TEST_CASE("a plugin's pass rewrites graphs into its operator") {
  RuntimeHandle runtime("cpu");
  std::vector<float> got;
  REQUIRE(run_text(runtime.handle, kPlain, got).empty());
  check_squashed(got, 1);
  const auto loaded = polaris_runtime_load_plugin(runtime.handle, plugin_path("sample").c_str());
  REQUIRE(message_of(loaded).empty());
  REQUIRE(run_text(runtime.handle, kPlain, got).empty());
  check_squashed(got, 1);
  // The program is one node now, and it is the plugin's.
  polaris_program* program = nullptr;
  REQUIRE(message_of(polaris_program_parse(runtime.handle, kPlain, &program)).empty());
  char ops[256] = {};
  polaris_program_ops(program, ops, sizeof ops);
  CHECK(std::string(ops) == "demo.Squash");
  polaris_program_free(program);
}

TEST_CASE("a plugin built against a later header works, if it sets nothing we do not know") {
  RuntimeHandle runtime("cpu");
  CHECK(message_of(polaris_runtime_load_plugin(runtime.handle, plugin_path("newer").c_str())) ==
        "");
}

TEST_CASE("a plugin that breaks the rules, or is none, is refused and changes nothing") {
  RuntimeHandle runtime("cpu");
  const auto broken =
      message_of(polaris_runtime_load_plugin(runtime.handle, plugin_path("broken").c_str()));
  CHECK(broken.find("domain of its own") != std::string::npos);
  const auto missing = message_of(polaris_runtime_load_plugin(runtime.handle, "/nowhere/x.so"));
  CHECK(missing.find("/nowhere/x.so") != std::string::npos);
  std::vector<float> got;
  REQUIRE(run_text(runtime.handle, kPlain, got).empty());
  check_squashed(got, 1);
  // The same plugin twice: its op exists already.
  const std::string sample = plugin_path("sample");
  REQUIRE(message_of(polaris_runtime_load_plugin(runtime.handle, sample.c_str())).empty());
  CHECK_FALSE(message_of(polaris_runtime_load_plugin(runtime.handle, sample.c_str())).empty());
}
