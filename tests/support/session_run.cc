#include "support/session_run.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "backend/cpu/cpu_device.h"
#include "backend/reference/reference_device.h"
#include "load/load.h"
#include "support/vulkan.h"
#include "tensor/element.h"
#include "test_paths.h"
#include "tolerance.h"
#include "wire/npy.h"

namespace polaris::test {
namespace {

std::string data_file(const std::string& name) {
  return std::string(kSourceDir) + "/tests/data/onnx/" + name;
}

std::unique_ptr<Device> make_device(const std::string& name) {
  if (name == "reference") return make_reference_device();
  if (name == "cpu") {
    auto device = make_cpu_device({});
    REQUIRE(device);
    return device.take();
  }
  return make_test_vulkan();
}

}  // namespace

std::shared_ptr<Runtime> make_runtime(const std::vector<std::string>& names) {
  std::vector<std::unique_ptr<Device>> devices;
  for (const std::string& name : names) {
    devices.push_back(make_device(name));
    if (!devices.back()) return nullptr;
  }
  const auto spread = static_cast<DeviceIndex>(devices.size());
  const bool host = std::any_of(devices.begin(), devices.end(),
                                [](const auto& device) { return device->info().host_memory; });
  if (!host) devices.push_back(make_device("cpu"));
  return std::make_shared<Runtime>(std::move(devices), spread, OpSet::builtin());
}

std::shared_ptr<Program> compile_onnx(std::shared_ptr<Runtime> runtime, const std::string& name,
                                      const ProgramOptions& options) {
  auto model = load_model(data_file(name + ".onnx"), runtime->ops());
  REQUIRE_MESSAGE(model, model.error().message());
  auto graph = take_function(*model, "");
  REQUIRE_MESSAGE(graph, graph.error().message());
  auto program = Program::compile(std::move(runtime), graph.take(), options);
  REQUIRE_MESSAGE(program, program.error().message());
  return program.take();
}

std::vector<Tensor> case_inputs(const Graph& graph, const std::string& name,
                                const std::string& test_case) {
  std::vector<Tensor> out;
  for (ValueId id : graph.inputs()) {
    const std::string file = name + "." + test_case + ".in." + graph.value(id).name + ".npy";
    auto tensor = load_npy(data_file(file));
    REQUIRE_MESSAGE(tensor, tensor.error().message());
    out.push_back(tensor.take());
  }
  return out;
}

Tensor case_output(const std::string& name, const std::string& test_case,
                   const std::string& output) {
  auto tensor = load_npy(data_file(name + "." + test_case + ".out." + output + ".npy"));
  REQUIRE_MESSAGE(tensor, tensor.error().message());
  return tensor.take();
}

void check_onnx_case(std::shared_ptr<Runtime> runtime, const std::string& name,
                     const std::string& test_case, const RunOptions& options,
                     const ProgramOptions& program_options) {
  CAPTURE(name);
  CAPTURE(test_case);
  auto program = compile_onnx(std::move(runtime), name, program_options);
  auto session = Session::create(program);
  REQUIRE(session);
  const Graph& graph = program->graph();
  std::vector<Tensor> outputs;
  const auto inputs = case_inputs(graph, name, test_case);
  const Status status = (*session)->run(inputs, outputs, options);
  REQUIRE_MESSAGE(status, status.error().message());
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    const std::string& output = graph.output_names()[o];
    CAPTURE(output);
    const Tensor wanted = case_output(name, test_case, output);
    REQUIRE(outputs[o].type() == wanted.type());
    const Tolerance allowed = tolerance(wanted.dtype());
    for (std::int64_t e = 0; e < wanted.elements(); ++e) {
      const double got = element_as_f64(outputs[o], e);
      const double want = element_as_f64(wanted, e);
      const bool same = got == want || (std::isnan(got) && std::isnan(want));
      CHECK((same || std::abs(got - want) <= allowed.atol + allowed.rtol * std::abs(want)));
    }
  }
}

double largest_magnitude(const Tensor& tensor) {
  double largest = 0;
  for (std::int64_t e = 0; e < tensor.elements(); ++e) {
    largest = std::max(largest, std::abs(element_as_f64(tensor, e)));
  }
  return largest;
}

double max_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.type() == b.type());
  double worst = 0;
  for (std::int64_t e = 0; e < a.elements(); ++e) {
    worst = std::max(worst, std::abs(element_as_f64(a, e) - element_as_f64(b, e)));
  }
  return worst;
}

}  // namespace polaris::test
