#include "save/onnx/messages.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "ir/any_rank.h"
#include "load/onnx/tensor.h"

namespace polaris::onnx {
namespace {

Message shape_message(const Shape& shape, const std::deque<Symbol>& symbols) {
  Message out;
  for (const std::int64_t dim : shape) {
    Message d;
    if (is_static_dim(dim)) d.integer(1, dim);
    if (is_symbol_dim(dim)) d.text(2, symbols[static_cast<std::size_t>(symbol_of(dim))].name);
    out.message(1, std::move(d));
  }
  return out;
}

Message inside(int field, Message held) {
  Message element;
  element.message(1, std::move(held));
  Message out;
  out.message(field, std::move(element));
  return out;
}

/// The attribute structs' fields as AttributeProtos by name.
class Encoder final : public AttrReader {
 public:
  void field(std::string_view name, const std::int64_t& value) override {
    put(name, AttrType::kInt).integer(3, value);
  }
  void field(std::string_view name, const float& value) override {
    put(name, AttrType::kFloat).real(2, value);
  }
  void field(std::string_view name, const bool& value) override {
    put(name, AttrType::kInt).integer(3, value ? 1 : 0);
  }
  void field(std::string_view name, const std::string& value) override {
    put(name, AttrType::kString).text(4, value);
  }
  void field(std::string_view name, const DType& value) override {
    put(name, AttrType::kInt).integer(3, data_type_of(value));
  }
  void field(std::string_view name, const Tensor& value) override {
    if (value) put(name, AttrType::kTensor).message(5, tensor_message({}, value));
  }
  void field(std::string_view name, const std::vector<std::int64_t>& value) override {
    Message& out = put(name, AttrType::kInts);
    for (const std::int64_t i : value) out.integer(8, i);
  }
  void field(std::string_view name, const std::vector<float>& value) override {
    Message& out = put(name, AttrType::kFloats);
    for (const float f : value) out.real(7, f);
  }
  void field(std::string_view name, const std::vector<std::string>& value) override {
    Message& out = put(name, AttrType::kStrings);
    for (const std::string& s : value) out.text(9, s);
  }

  std::map<std::string, Message, std::less<>> fields;

 private:
  Message& put(std::string_view name, AttrType type) {
    Message& out = fields[std::string(name)];
    out.text(1, name);
    out.integer(20, static_cast<std::int64_t>(type));
    return out;
  }
};

/// Which attributes ONNX wants said.
class Required final : public AttrVisitor {
 public:
  void field(std::string_view, std::int64_t&) override {}
  void field(std::string_view, float&) override {}
  void field(std::string_view, bool&) override {}
  void field(std::string_view, std::string&) override {}
  void field(std::string_view, DType&) override {}
  void field(std::string_view, Tensor&) override {}
  void field(std::string_view, std::vector<std::int64_t>&) override {}
  void field(std::string_view, std::vector<float>&) override {}
  void field(std::string_view, std::vector<std::string>&) override {}
  void require(std::string_view name) override { names.insert(name); }

  std::set<std::string_view> names;
};

std::string text_of(const Message& message) {
  std::string out;
  (void)message.write([&](std::span<const std::byte> bytes) {
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return Status::success();
  });
  return out;
}

}  // namespace

Message type_message(const TensorType& type, const std::deque<Symbol>& symbols) {
  Message tensor;
  tensor.integer(1, data_type_of(type.dtype));
  if (!has_any_rank(type.shape)) tensor.message(2, shape_message(type.shape, symbols));
  Message plain;
  plain.message(1, std::move(tensor));
  constexpr int kSequence = 4;
  constexpr int kOptional = 9;
  switch (type.kind) {
    case ValueKind::kTensor: break;
    case ValueKind::kSequence: return inside(kSequence, std::move(plain));
    case ValueKind::kOptional: return inside(kOptional, std::move(plain));
    case ValueKind::kOptionalSequence:
      return inside(kOptional, inside(kSequence, std::move(plain)));
  }
  return plain;
}

Message value_message(std::string_view name, const TensorType& type,
                      const std::deque<Symbol>& symbols) {
  Message out;
  out.text(1, name);
  out.message(2, type_message(type, symbols));
  return out;
}

Message tensor_head(std::string_view name, const Tensor& tensor) {
  Message out;
  for (const std::int64_t dim : tensor.shape()) out.integer(1, dim);
  out.integer(2, data_type_of(tensor.dtype()));
  if (!name.empty()) out.text(8, name);
  return out;
}

Message tensor_message(std::string_view name, const Tensor& tensor) {
  Message out = tensor_head(name, tensor);
  if (tensor.dtype() != DType::kString) {
    out.bytes(9, tensor);
    return out;
  }
  for (std::int64_t i = 0; i < tensor.elements(); ++i) out.text(6, tensor.string(i));
  return out;
}

void add_attribute(Message& node, std::string_view name, Message value, int field, AttrType type) {
  Message out;
  out.text(1, name);
  out.message(field, std::move(value));
  out.integer(20, static_cast<std::int64_t>(type));
  node.message(kNodeAttribute, std::move(out));
}

void add_graph_attribute(Message& node, std::string_view name, Message graph) {
  add_attribute(node, name, std::move(graph), 6, AttrType::kGraph);
}

std::vector<std::string> add_attributes(Message& node, const Attrs& attrs, Attrs* defaults,
                                        std::span<const std::string_view> left_out) {
  std::vector<std::string> added;
  Encoder given;
  attrs.read(given);
  Encoder usual;
  Required required;
  if (defaults != nullptr) {
    defaults->read(usual);
    defaults->visit(required);
  }
  for (auto& [name, message] : given.fields) {
    if (std::find(left_out.begin(), left_out.end(), name) != left_out.end()) continue;
    const auto at = usual.fields.find(name);
    const bool same = at != usual.fields.end() && text_of(at->second) == text_of(message);
    if (same && !required.names.contains(name)) continue;
    node.message(kNodeAttribute, std::move(message));
    added.push_back(name);
  }
  return added;
}

}  // namespace polaris::onnx
