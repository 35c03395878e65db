#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Writes ONNX files for tests, field by field of onnx.proto.
namespace polaris::test {

std::string proto_varint(int field, std::uint64_t value);
std::string proto_bytes(int field, std::string_view bytes);

/// Attributes, encoded.
std::string attr_int(std::string_view name, std::int64_t value);
std::string attr_ints(std::string_view name, const std::vector<std::int64_t>& values);
std::string attr_float(std::string_view name, float value);
std::string attr_text(std::string_view name, std::string_view value);
std::string attr_texts(std::string_view name, const std::vector<std::string>& values);
std::string attr_tensor(std::string_view name, std::string_view tensor);
std::string attr_graph(std::string_view name, std::string_view graph);

/// A TensorProto with raw data; `data_type` is ONNX's number (1 float32, 7 int64, 9 bool).
std::string onnx_tensor(std::string_view name, int data_type, const std::vector<std::int64_t>& dims,
                        std::string_view raw);
template <class T>
std::string onnx_tensor_of(std::string_view name, int data_type,
                           const std::vector<std::int64_t>& dims, const std::vector<T>& values) {
  return onnx_tensor(name, data_type, dims,
                     {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

/// A ValueInfoProto; a dim is a number, a name, or "?" for neither.
std::string onnx_value(std::string_view name, int data_type, const std::vector<std::string>& dims);

/// The same without a shape.
std::string onnx_type(std::string_view name, int data_type);

std::string onnx_node(std::string_view op, const std::vector<std::string>& inputs,
                      const std::vector<std::string>& outputs,
                      const std::vector<std::string>& attributes = {},
                      std::string_view domain = "");

struct OnnxGraph {
  std::vector<std::string> nodes;
  std::vector<std::string> initializers;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::string encode() const;
};

/// A ModelProto of IR version 8 over that op-set; `more` is appended as it is.
std::vector<std::byte> onnx_model(std::string_view graph, int opset, std::string_view more = "");

/// A small model with most kinds of content: typed and raw tensors, an If with captures, symbols.
std::vector<std::byte> sample_onnx();

}  // namespace polaris::test
