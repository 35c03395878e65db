// Operators of ai.onnx.ml in files.
#include <doctest/doctest.h>

#include "ir/evaluate.h"
#include "load/load.h"
#include "support/onnx_builder.h"
#include "support/value_case.h"

namespace polaris {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): builders of a test

/// x[3] -> z by one node of that op-set of ai.onnx.ml; `from` and `to` are ONNX's numbers of
/// their types.
Result<Model> load_ml(std::string_view op, const std::vector<std::string>& attributes, int opset,
                      int from, int to = 1) {
  OnnxGraph graph;
  graph.inputs = {onnx_value("x", from, {"3"})};
  graph.nodes = {onnx_node(op, {"x"}, {"z"}, attributes, "ai.onnx.ml")};
  graph.outputs = {onnx_type("z", to)};
  const std::string import = proto_bytes(
      8, proto_bytes(1, "ai.onnx.ml") + proto_varint(2, static_cast<std::uint64_t>(opset)));
  Source source = Source::in_memory("test.onnx", onnx_model(graph.encode(), 17, import));
  return load_model(source, OpSet::builtin(), {});
}

void check_label(const Result<Model>& model, const Tensor& x, std::string_view wanted) {
  REQUIRE_MESSAGE(model.ok(), model.error().message());
  const Graph& graph = *model->find("main");
  REQUIRE(graph.order().size() == 1);
  const Node& node = graph.node(graph.order()[0]);
  const Tensor* inputs[] = {&x};
  const auto got = evaluate_node(*node.op, *node.attrs, "n", inputs, 1);
  REQUIRE_MESSAGE(got.ok(), got.error().message());
  std::string text;
  for (std::int64_t i = 0; i < 3; ++i) {
    const bool named = (*got)[0].dtype() == DType::kString;
    text +=
        (named ? std::string((*got)[0].string(i)) : std::to_string(element_as_i64((*got)[0], i))) +
        " ";
  }
  CHECK(text == wanted);
}

void refused(const Result<Model>& model, std::string_view wanted) {
  const std::string message = model ? "it loads" : model.error().message();
  CHECK_MESSAGE(message.find(wanted) != std::string::npos, message, " | wanted: ", wanted);
}

constexpr int kText = 8;
constexpr int kInt64 = 7;

}  // namespace

TEST_CASE("LabelEncoder of op-set 1 has one list, for both ways") {
  const std::vector<std::string> classes = {attr_texts("classes_strings", {"a", "b"}),
                                            attr_int("default_int64", 9)};
  check_label(load_ml("LabelEncoder", classes, 1, kText, kInt64),
              strings(Shape{3}, {"b", "a", "c"}), "1 0 9 ");
  const std::int64_t places[] = {1, 0, 2};
  check_label(load_ml("LabelEncoder", classes, 1, kInt64, kText),
              Tensor::from<std::int64_t>(DType::kI64, Shape{3}, places).take(), "b a _Unused ");
  refused(load_ml("LabelEncoder", {}, 1, kText), "attribute 'classes_strings', wanted STRINGS");
  refused(load_ml("LabelEncoder", {attr_int("classes_strings", 1)}, 1, kText),
          "attribute 'classes_strings', wanted STRINGS");
  refused(load_ml("LabelEncoder", classes, 2, kText), "attribute 'classes_strings' is not known");
}

TEST_CASE("an operator whose output is a map is refused by name") {
  refused(load_ml("ZipMap", {attr_texts("classlabels_strings", {"a"})}, 1, 1), "ai.onnx.ml.ZipMap");
}

}  // namespace polaris
