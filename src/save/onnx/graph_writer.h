#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"
#include "save/onnx/proto_message.h"

namespace polaris::onnx {

/// Our domain for functions of the model's own.
inline constexpr std::string_view kLocalDomain = "local";
/// Written files say at least this op-set: blocks along an axis and functions are known there.
inline constexpr std::int64_t kOpsetMin = 21;

/// What all graphs of a file share.
struct WriteContext {
  bool external = false;  // large initializers go into `outside`
  std::string outside_name;
  std::vector<Tensor> outside;  // in the order of the second file
  std::int64_t outside_bytes = 0;
  std::map<std::string, std::int64_t, std::less<>> opsets;  // by domain; "" for ai.onnx
  std::string opset_reason;                                 // what needs opsets[""]
  std::map<const Graph*, std::string> function_names;
  std::set<std::string, std::less<>> taken_functions;
  std::vector<Message> functions;  // without their op-sets
  std::vector<std::string> notes;
  std::int64_t nodes = 0;

  /// The file's op-set is at least this.
  void need_opset(std::string_view domain, std::int64_t version, const std::string& reason);
};

/// Bytes of padding before a tensor in the second file start it at a multiple of this.
inline constexpr std::int64_t kOutsideAlignment = 64;

/// Names that one scope and those within it have taken.
class Names {
 public:
  /// `wanted`, or that with a number behind it.
  std::string unique(std::string_view wanted);
  bool take(std::string_view name) { return taken_.emplace(name).second; }

 private:
  std::set<std::string, std::less<>> taken_;
  std::map<std::string, std::int64_t, std::less<>> next_;
};

/// Writes one graph that lower() went over. Values of enclosing graphs are meant by their names, as
/// ONNX has it.
class GraphWriter {
 public:
  GraphWriter(WriteContext& file, Names& names, const GraphWriter* outer)
      : file_(file), names_in_use_(names), outer_(outer) {}

  /// The model's own graph, inputs and outputs by their names. Errors: invalid (outputs of one
  /// name); unsupported (a node that ONNX has no form for).
  Result<Message> write_root(const Graph& graph);
  /// A body: its last inputs are the values called `captures`.
  Result<Message> write_body(const Graph& graph, std::span<const std::string> captures);
  /// A FunctionProto.
  Result<Message> write_function(const Graph& graph, std::string_view name);

 private:
  Status name_inputs(const Graph& graph, std::span<const std::string> captures, bool exact);
  Status name_outputs(const Graph& graph, bool exact);
  Status add_constants(const Graph& graph);
  Status add_nodes(const Graph& graph);
  Result<std::string> add_constant(const Constant& constant);
  void add_tensor(const std::string& name, const Tensor& tensor);
  const std::string* constant_name(const Constant* constant) const;
  Status add_node(const Graph& graph, const Node& node);
  Status add_plain(const Graph& graph, const Node& node);
  Status add_with_bodies(const Graph& graph, const Node& node);
  Status add_call(const Node& node);
  Status add_case(const Graph& graph, const Node& node);
  Status add_while(const Node& node);
  Result<std::string> function_for(const Graph& graph);
  /// The file's op-set is one whose operator means what the node does.
  void need_op(const Graph& graph, const Node& node, std::span<const std::string> attributes);
  Status check_types(const Graph& graph);
  void add_identity(const std::string& from, const std::string& to);

  /// The names of a node's values, without absent ones at the end but for the first `least`.
  std::vector<std::string> names_of(std::span<const ValueId> values, std::size_t least) const;
  /// Of control flow: onnxruntime wants a name for results that nobody reads, too.
  std::vector<std::string> result_names(const Node& node);
  Message node_message(const Node& node, std::string_view op, std::string_view domain,
                       std::span<const std::string> inputs, std::span<const std::string> outputs);

  WriteContext& file_;
  Names& names_in_use_;
  const GraphWriter* outer_;
  bool in_function_ = false;
  IdVector<ValueId, std::string> names_;
  std::map<const Constant*, std::string> constants_;
  std::vector<Message> nodes_;
  std::vector<Message> initializers_;
  std::vector<std::string> outputs_;
};

}  // namespace polaris::onnx
