// An initializer that is the default of an input: used where the caller gives nothing.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/os/files.h"
#include "support/onnx_builder.h"
#include "support/process.h"
#include "wire/npy.h"

namespace polaris::test {
namespace {

void save_floats(const std::string& path, const std::vector<float>& values) {
  const Shape shape{static_cast<std::int64_t>(values.size())};
  auto tensor = Tensor::from<float>(DType::kF32, shape, values);
  REQUIRE(tensor.ok());
  REQUIRE(save_npy(path, *tensor).ok());
}

std::vector<float> load_floats(const std::string& path) {
  auto tensor = load_npy(path);
  REQUIRE(tensor.ok());
  const float* data = tensor->data<float>();
  return {data, data + tensor->elements()};
}

}  // namespace

TEST_CASE("run uses a file's default for an input, or what it is given instead") {
  const TemporaryFolder folder;
  OnnxGraph graph;
  graph.inputs = {onnx_value("x", 1, {"2"}), onnx_value("b", 1, {"2"})};
  graph.initializers = {onnx_tensor_of<float>("b", 1, {2}, {1, 2})};
  graph.nodes = {onnx_node("Add", {"x", "b"}, {"y"})};
  graph.outputs = {onnx_value("y", 1, {"2"})};
  const std::string model = folder.file("m.onnx");
  REQUIRE(write_file(model, onnx_model(graph.encode(), 17)).ok());
  save_floats(folder.file("x.npy"), {10, 20});
  save_floats(folder.file("b.npy"), {-1, -2});
  for (const char* device : {"reference", "cpu"}) {
    std::vector<std::string> arguments = {
        "run", model, "--device", device, "-o", folder.path(), "-i", "x=" + folder.file("x.npy")};
    REQUIRE(run_polaris(arguments).exit_code == 0);
    CHECK(load_floats(folder.file("y.npy")) == std::vector<float>{11, 22});
    arguments.insert(arguments.end(), {"-i", "b=" + folder.file("b.npy")});
    REQUIRE(run_polaris(arguments).exit_code == 0);
    CHECK(load_floats(folder.file("y.npy")) == std::vector<float>{9, 18});
  }
}

}  // namespace polaris::test
