#include "support/onnx_builder.h"

#include <cstring>

#include "base/strings.h"

namespace polaris::test {
namespace {

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7Fu) | 0x80u);
  out += static_cast<char>(value);
}

std::string attribute(std::string_view name, std::string_view value, int type) {
  return proto_bytes(1, name) + std::string(value) +
         proto_varint(20, static_cast<std::uint64_t>(type));
}

}  // namespace

std::string proto_varint(int field, std::uint64_t value) {
  std::string out;
  put_varint(out, static_cast<std::uint64_t>(field) << 3);
  put_varint(out, value);
  return out;
}

std::string proto_bytes(int field, std::string_view bytes) {
  std::string out;
  put_varint(out, (static_cast<std::uint64_t>(field) << 3) | 2u);
  put_varint(out, bytes.size());
  return out.append(bytes);
}

std::string attr_int(std::string_view name, std::int64_t value) {
  return attribute(name, proto_varint(3, static_cast<std::uint64_t>(value)), 2);
}
std::string attr_ints(std::string_view name, const std::vector<std::int64_t>& values) {
  std::string packed;
  for (std::int64_t v : values) put_varint(packed, static_cast<std::uint64_t>(v));
  return attribute(name, proto_bytes(8, packed), 7);
}
std::string attr_float(std::string_view name, float value) {
  std::string bytes(1, static_cast<char>((2 << 3) | 5));
  bytes.append(reinterpret_cast<const char*>(&value), 4);
  return attribute(name, bytes, 1);
}
std::string attr_text(std::string_view name, std::string_view value) {
  return attribute(name, proto_bytes(4, value), 3);
}
std::string attr_texts(std::string_view name, const std::vector<std::string>& values) {
  std::string bytes;
  for (const std::string& value : values) bytes += proto_bytes(9, value);
  return attribute(name, bytes, 8);
}
std::string attr_tensor(std::string_view name, std::string_view tensor) {
  return attribute(name, proto_bytes(5, tensor), 4);
}
std::string attr_graph(std::string_view name, std::string_view graph) {
  return attribute(name, proto_bytes(6, graph), 5);
}

std::string onnx_tensor(std::string_view name, int data_type, const std::vector<std::int64_t>& dims,
                        std::string_view raw) {
  std::string out;
  for (std::int64_t dim : dims) out += proto_varint(1, static_cast<std::uint64_t>(dim));
  out += proto_varint(2, static_cast<std::uint64_t>(data_type));
  return out + proto_bytes(8, name) + proto_bytes(9, raw);
}

std::string onnx_value(std::string_view name, int data_type, const std::vector<std::string>& dims) {
  std::string shape;
  for (const std::string& dim : dims) {
    std::string entry;
    if (const auto size = parse_i64(dim)) {
      entry = proto_varint(1, static_cast<std::uint64_t>(*size));
    } else if (dim != "?") {
      entry = proto_bytes(2, dim);
    }
    shape += proto_bytes(1, entry);
  }
  const std::string tensor =
      proto_varint(1, static_cast<std::uint64_t>(data_type)) + proto_bytes(2, shape);
  return proto_bytes(1, name) + proto_bytes(2, proto_bytes(1, tensor));
}

std::string onnx_type(std::string_view name, int data_type) {
  const std::string tensor = proto_varint(1, static_cast<std::uint64_t>(data_type));
  return proto_bytes(1, name) + proto_bytes(2, proto_bytes(1, tensor));
}

std::string onnx_node(std::string_view op, const std::vector<std::string>& inputs,
                      const std::vector<std::string>& outputs,
                      const std::vector<std::string>& attributes, std::string_view domain) {
  std::string out;
  for (const std::string& input : inputs) out += proto_bytes(1, input);
  for (const std::string& output : outputs) out += proto_bytes(2, output);
  out += proto_bytes(4, op);
  for (const std::string& attribute : attributes) out += proto_bytes(5, attribute);
  if (!domain.empty()) out += proto_bytes(7, domain);
  return out;
}

std::string OnnxGraph::encode() const {
  std::string out;
  for (const std::string& node : nodes) out += proto_bytes(1, node);
  out += proto_bytes(2, "test");
  for (const std::string& tensor : initializers) out += proto_bytes(5, tensor);
  for (const std::string& input : inputs) out += proto_bytes(11, input);
  for (const std::string& output : outputs) out += proto_bytes(12, output);
  return out;
}

std::vector<std::byte> onnx_model(std::string_view graph, int opset, std::string_view more) {
  std::string file =
      proto_varint(1, 8) + proto_bytes(2, "tests") + proto_bytes(7, graph) +
      proto_bytes(8, proto_bytes(1, "") + proto_varint(2, static_cast<std::uint64_t>(opset)));
  file += more;
  std::vector<std::byte> out(file.size());
  std::memcpy(out.data(), file.data(), file.size());
  return out;
}

std::vector<std::byte> sample_onnx() {
  OnnxGraph then_branch;
  then_branch.nodes = {onnx_node("Mul", {"sum", "w"}, {"doubled"})};
  then_branch.outputs = {onnx_value("doubled", 1, {"N", "3"})};
  OnnxGraph else_branch;
  else_branch.nodes = {onnx_node("Sub", {"sum", "x"}, {"less"})};
  else_branch.outputs = {onnx_value("less", 1, {"N", "3"})};
  OnnxGraph graph;
  graph.inputs = {onnx_value("x", 1, {"N", "3"}), onnx_value("flag", 9, {})};
  graph.initializers = {onnx_tensor_of<float>("w", 1, {3}, {1.0f, 2.0f, 3.0f})};
  graph.nodes = {
      onnx_node("Constant", {}, {"c"},
                {attr_tensor("value", onnx_tensor_of<float>("", 1, {1}, {0.5f}))}),
      onnx_node("Add", {"x", "c"}, {"sum"}),
      onnx_node("If", {"flag"}, {"chosen"},
                {attr_graph("then_branch", then_branch.encode()),
                 attr_graph("else_branch", else_branch.encode())}),
      onnx_node("LeakyRelu", {"chosen"}, {"y"}, {attr_float("alpha", 0.25f)}),
  };
  graph.outputs = {onnx_value("y", 1, {"N", "3"})};
  return onnx_model(graph.encode(), 17);
}

}  // namespace polaris::test
