// A QDQ network: bit-equal on every device, within one step of onnxruntime.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/session_run.h"

using namespace polaris;
using namespace polaris::test;

namespace {

std::vector<Tensor> run_on(const std::vector<std::string>& devices, const std::string& test_case) {
  auto runtime = make_runtime(devices);
  if (!runtime) return {};
  auto program = compile_onnx(runtime, "qdq_cnn");
  auto session = Session::create(program);
  REQUIRE(session);
  std::vector<Tensor> outputs;
  const Status status =
      (*session)->run(case_inputs(program->graph(), "qdq_cnn", test_case), outputs);
  REQUIRE_MESSAGE(status, status.error().message());
  return outputs;
}

}  // namespace

TEST_CASE("a quantized CNN is exact against the reference and within one step of onnxruntime") {
  for (const std::string test_case : {"one", "three"}) {
    CAPTURE(test_case);
    const auto reference = run_on({"reference"}, test_case);
    // Output 0 is dequantized with this scale; output 1 is uint8.
    const double scale = 0.02;
    CHECK(max_difference(reference[0], case_output("qdq_cnn", test_case, "logits_dq")) <=
          scale * 1.001);
    CHECK(max_difference(reference[1], case_output("qdq_cnn", test_case, "c4_relu_q")) <= 1);
    for (const std::string device : {"cpu", "vulkan"}) {
      CAPTURE(device);
      const auto outputs = run_on({device}, test_case);
      if (outputs.empty()) continue;
      CHECK(max_difference(outputs[0], reference[0]) == 0);
      CHECK(max_difference(outputs[1], reference[1]) == 0);
    }
  }
}
