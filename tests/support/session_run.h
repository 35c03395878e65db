#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "session/runtime.h"
#include "session/session.h"

namespace polaris::test {

/// A runtime of devices by test name: "reference", "cpu", "vulkan" (test_vulkan_id()). Null,
/// with a message that the test is skipped, where one of them is not here.
std::shared_ptr<Runtime> make_runtime(const std::vector<std::string>& names);

/// The stored case tests/data/onnx/NAME.CASE.*: run on the runtime, compared with what onnxruntime
/// answered (tolerance.h).
void check_onnx_case(std::shared_ptr<Runtime> runtime, const std::string& name,
                     const std::string& test_case, const RunOptions& options = {},
                     const ProgramOptions& program = {});

/// Loads tests/data/onnx/NAME.onnx and compiles it.
std::shared_ptr<Program> compile_onnx(std::shared_ptr<Runtime> runtime, const std::string& name,
                                      const ProgramOptions& options = {});
/// The stored inputs of a case in the graph's order.
std::vector<Tensor> case_inputs(const Graph& graph, const std::string& name,
                                const std::string& test_case);
Tensor case_output(const std::string& name, const std::string& test_case,
                   const std::string& output);

/// Largest |a - b| of two tensors of equal type.
double max_difference(const Tensor& a, const Tensor& b);
double largest_magnitude(const Tensor& tensor);

}  // namespace polaris::test
