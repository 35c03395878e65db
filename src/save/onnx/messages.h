#pragma once
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/attrs.h"
#include "ir/graph.h"
#include "load/onnx/proto.h"
#include "save/onnx/proto_message.h"

/// The messages of onnx.proto that stand for types, tensors and attributes of ours.
namespace polaris::onnx {

/// A TypeProto; dims that are symbols have their names.
Message type_message(const TensorType& type, const std::deque<Symbol>& symbols);
/// A ValueInfoProto.
Message value_message(std::string_view name, const TensorType& type,
                      const std::deque<Symbol>& symbols);
/// A TensorProto of a plain tensor without its elements, and with them.
Message tensor_head(std::string_view name, const Tensor& tensor);
Message tensor_message(std::string_view name, const Tensor& tensor);

/// AttributeProtos, each as field kNodeAttribute of a NodeProto.
inline constexpr int kNodeAttribute = 5;
void add_attribute(Message& node, std::string_view name, Message value, int field, AttrType type);
void add_graph_attribute(Message& node, std::string_view name, Message graph);
/// Those that differ from `defaults`, or have none in ONNX, but for `left_out`; null: all. Returns
/// their names.
std::vector<std::string> add_attributes(Message& node, const Attrs& attrs, Attrs* defaults,
                                        std::span<const std::string_view> left_out);

}  // namespace polaris::onnx
