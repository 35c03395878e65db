// Small dtypes in ONNX files: raw and typed data, and what does not fit.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "load/load.h"
#include "support/onnx_builder.h"
#include "tensor/element.h"

namespace polaris {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): builders of a test

constexpr int kUint4 = 21;
constexpr int kInt4 = 22;
constexpr int kFloat8 = 17;
constexpr int kInt2 = 26;

/// A TensorProto with int32_data, packed as protobuf packs.
std::string typed(int data_type, std::int64_t elements, const std::vector<std::int64_t>& data) {
  std::string packed;
  for (std::int64_t v : data) packed += proto_varint(5, static_cast<std::uint64_t>(v));
  return proto_varint(1, static_cast<std::uint64_t>(elements)) +
         proto_varint(2, static_cast<std::uint64_t>(data_type)) + packed + proto_bytes(8, "w");
}

Result<Model> load_tensor(const std::string& tensor, int data_type) {
  OnnxGraph graph;
  graph.initializers = {tensor};
  graph.nodes = {onnx_node("Identity", {"w"}, {"y"})};
  graph.outputs = {onnx_type("y", data_type)};
  Source source = Source::in_memory("test.onnx", onnx_model(graph.encode(), 25));
  return load_model(source, OpSet::builtin());
}

std::vector<int> codes_of(const Result<Model>& model) {
  REQUIRE_MESSAGE(model.ok(), (model ? "" : model.error().message()));
  const Graph& graph = *model->find("main");
  const Node& node = graph.node(graph.order()[0]);
  REQUIRE(graph.value(node.inputs[0]).constant);
  const Tensor& data = graph.value(node.inputs[0]).constant->data;
  CHECK(has_clear_padding(data.dtype(), data.bytes().data(), data.elements()));
  std::vector<int> out;
  for (std::int64_t i = 0; i < data.elements(); ++i) {
    out.push_back(load_code(data.dtype(), data.bytes().data(), i));
  }
  return out;
}

void refused(const Result<Model>& model, std::string_view text) {
  REQUIRE_FALSE(model.ok());
  CHECK_MESSAGE(model.error().message().find(text) != std::string::npos, model.error().message());
}

}  // namespace

TEST_CASE("onnx: packed elements, low bits first, from raw data and from int32_data") {
  CHECK(codes_of(load_tensor(onnx_tensor("w", kInt4, {3}, "\x21\x0F"), kInt4)) ==
        std::vector<int>{1, 2, 15});
  CHECK(codes_of(load_tensor(typed(kInt4, 3, {0x21, 0x0F}), kInt4)) == std::vector<int>{1, 2, 15});
  // As a signed byte too, and with what the padding should not hold.
  CHECK(codes_of(load_tensor(typed(kUint4, 3, {-31, 0xF3}), kUint4)) == std::vector<int>{1, 14, 3});
  CHECK(codes_of(load_tensor(onnx_tensor("w", kUint4, {1}, "\xF3"), kUint4)) ==
        std::vector<int>{3});
  CHECK(codes_of(load_tensor(onnx_tensor("w", kInt2, {5}, "\xE4\x02"), kInt2)) ==
        std::vector<int>{0, 1, 2, 3, 2});
  CHECK(codes_of(load_tensor(typed(kFloat8, 2, {0x7E, 0x81}), kFloat8)) ==
        std::vector<int>{0x7E, 0x81});
}

TEST_CASE("onnx: sizes of small dtypes that do not fit are refused") {
  refused(load_tensor(onnx_tensor("w", kInt4, {3}, "\x21"), kInt4), "wanted 2 bytes");
  refused(load_tensor(onnx_tensor("w", kInt4, {3}, "\x21\x43\x05"), kInt4), "wanted 2 bytes");
  refused(load_tensor(typed(kInt4, 3, {1, 2, 3}), kInt4), "wanted 2 in int32_data");
  refused(load_tensor(typed(kInt4, 3, {1}), kInt4), "wanted 2 in int32_data");
  refused(load_tensor(typed(kFloat8, 1, {256}), kFloat8), "wanted a byte");
  refused(load_tensor(typed(kFloat8, 1, {-129}), kFloat8), "wanted a byte");
  refused(load_tensor(onnx_tensor("w", kInt4, {INT64_MAX, 3}, "\x21"), kInt4), "product fits");
  refused(load_tensor(onnx_tensor("w", kInt2, {INT64_MAX}, "\x21"), kInt2), "bytes");
  refused(load_tensor(onnx_tensor("w", 27, {1}, "\x21"), 27), "type 27");
}

}  // namespace polaris
