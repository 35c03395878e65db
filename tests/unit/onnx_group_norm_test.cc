// GroupNormalization before op-set 21, whose scale and bias are per group.
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "ir/evaluate_graph.h"
#include "load/load.h"
#include "support/onnx_builder.h"

namespace polaris {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): builders of a test

Result<Model> load_bytes(const std::vector<std::byte>& file) {
  Source source = Source::in_memory("test.onnx", std::vector<std::byte>(file));
  return load_model(source, OpSet::builtin());
}

/// x of those dims through a GroupNormalization of 2 groups.
Result<GraphValues> run(int opset, const std::vector<std::string>& dims, const Tensor& x,
                        const std::vector<float>& scale, const std::vector<float>& bias) {
  OnnxGraph graph;
  graph.inputs = {onnx_value("x", 1, dims)};
  const auto size = static_cast<std::int64_t>(scale.size());
  graph.initializers = {onnx_tensor_of("scale", 1, {size}, scale),
                        onnx_tensor_of("bias", 1, {size}, bias)};
  graph.nodes = {
      onnx_node("GroupNormalization", {"x", "scale", "bias"}, {"y"}, {attr_int("num_groups", 2)})};
  graph.outputs = {onnx_type("y", 1)};
  const auto model = load_bytes(onnx_model(graph.encode(), opset));
  if (!model) return model.error();
  const Tensor inputs[] = {x};
  return evaluate_graph(*model->find("main"), inputs);
}

}  // namespace

TEST_CASE("a scale per group is that scale for each channel of the group") {
  std::vector<float> numbers(2 * 6 * 5);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i * i % 17);
  const Tensor x = Tensor::from<float>(DType::kF32, {2, 6, 5}, numbers).take();
  const auto now = run(21, {"2", "6", "5"}, x, {2, 2, 2, -3, -3, -3}, {0.5, 0.5, 0.5, 1, 1, 1});
  REQUIRE_MESSAGE(now.ok(), now.error().message());
  for (const std::vector<std::string>& dims :
       {std::vector<std::string>{"2", "6", "5"}, std::vector<std::string>{"n", "c", "w"}}) {
    const auto before = run(18, dims, x, {2, -3}, {0.5, 1});
    REQUIRE_MESSAGE(before.ok(), before.error().message());
    REQUIRE(before->outputs[0].type() == now->outputs[0].type());
    CHECK(std::memcmp(before->outputs[0].bytes().data(), now->outputs[0].bytes().data(),
                      now->outputs[0].bytes().size()) == 0);
  }
}

}  // namespace polaris
