// Loop, If and data-dependent shapes against onnxruntime's answers, on each device and across two.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/session_run.h"

using namespace polaris;
using namespace polaris::test;

namespace {

const std::vector<std::vector<std::string>> kDevices = {
    {"reference"}, {"cpu"}, {"vulkan"}, {"cpu", "vulkan"}, {"vulkan", "cpu"}, {"vulkan", "vulkan"}};

void check_everywhere(const std::string& name, const std::vector<std::string>& cases) {
  for (const auto& names : kDevices) {
    auto runtime = make_runtime(names);
    if (!runtime) continue;
    CAPTURE(names.front());
    CAPTURE(names.back());
    for (const std::string& test_case : cases) check_onnx_case(runtime, name, test_case);
  }
}

}  // namespace

TEST_CASE("a Loop's trip count and output lengths depend on data") {
  check_everywhere("loop_dynamic", {"few", "many", "once"});
}

TEST_CASE("an If inside a Loop takes both branches and reads outer values") {
  check_everywhere("if_in_loop", {"seven", "none"});
}

TEST_CASE("NonZero feeds a GatherND, a Gather and a Reshape") {
  check_everywhere("nonzero_gather", {"some", "one", "none"});
}

TEST_CASE("split over cpu and vulkan, both devices work and values cross") {
  auto runtime = make_runtime({"cpu", "vulkan"});
  if (!runtime) return;
  Trace trace;
  RunOptions options;
  options.trace = &trace;
  check_onnx_case(runtime, "nonzero_gather", "some", options);
  bool cpu = false;
  bool vulkan = false;
  for (const TraceEvent& event : trace.events()) {
    if (!event.what.starts_with("segment")) continue;
    cpu = cpu || event.device == "cpu";
    vulkan = vulkan || event.device.starts_with("vulkan");
  }
  CHECK(cpu);
  CHECK(vulkan);
}

TEST_CASE("a cancelled loop stops with an error and leaks nothing") {
  auto runtime = make_runtime({"cpu"});
  auto program = compile_onnx(runtime, "loop_dynamic");
  auto session = Session::create(program);
  REQUIRE(session);
  CancelToken token;
  token.cancel();
  RunOptions options;
  options.cancel = &token;
  std::vector<Tensor> outputs;
  const Status status =
      (*session)->run(case_inputs(program->graph(), "loop_dynamic", "many"), outputs, options);
  REQUIRE_FALSE(status);
  CHECK(status.error().code() == ErrorCode::kCancelled);
}
