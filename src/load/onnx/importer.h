#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/op_set.h"
#include "load/loader.h"
#include "load/onnx/attributes.h"
#include "load/onnx/proto.h"
#include "load/source.h"

namespace polaris::onnx {

class GraphImporter;
struct DecoderParts;  // decoder_import.h

/// A function of the model's own, as one kind of call runs it.
struct ImportedFunction {
  std::weak_ptr<Graph> graph;
  std::optional<Error> refused;
  std::int64_t nodes = 0;  // those of the functions that it calls included, each time
};

/// Functions by domain, name and overload.
using FunctionIndex = std::map<std::array<std::string_view, 3>, const FunctionDef*>;

/// What all graphs of a file share.
struct FileContext {
  const ModelDef& model;
  Source& source;
  const OpSet& ops;
  const LoadOptions& options;
  std::int64_t fresh = 0;  // numbers for names we make up
  std::int64_t nodes = 0;  // imported so far, those of functions once for each call
  std::map<std::string, ImportedFunction, std::less<>> functions;  // by what they are bound to
  std::vector<const FunctionDef*> calls;                           // that are being imported
  FunctionIndex index;
  DecoderParts* decoder = nullptr;  // set while a decoder over a paged cache is imported
};

/// One foreign node on its way into the graph. A row of names.inc may point to a rewrite, which
/// brings an older or foreign form to ours: it edits op, attributes and inputs, or adds nodes of
/// its own and says where the outputs come from.
class NodeImport {
 public:
  NodeImport(GraphImporter& importer, const NodeDef& def, std::int64_t version, AttrMap attributes)
      : op(def.op_type),
        attrs(std::move(attributes)),
        importer_(importer),
        def_(def),
        version_(version) {}

  std::string op;  // our op's name in ai.onnx, or "domain.Name"
  AttrMap attrs;
  std::vector<ValueId> inputs;

  const NodeDef& def() const { return def_; }
  std::int64_t version() const { return version_; }
  GraphImporter& importer() { return importer_; }
  std::size_t output_count() const { return def_.outputs.size(); }
  bool has_input(std::size_t i) const { return i < inputs.size() && inputs[i].valid(); }
  bool has_output(std::size_t i) const {
    return i < def_.outputs.size() && !def_.outputs[i].empty();
  }
  /// Sets input `i`, with absent ones before it where need be.
  void set_input(std::size_t i, ValueId value);
  /// int64 constant of rank 1 / any tensor as a constant.
  Result<ValueId> constant_ints(std::span<const std::int64_t> values);
  ValueId constant(Tensor tensor);
  /// Errors: invalid where the node lacks an attribute that it must have.
  Status require(std::string_view attribute) const;
  /// Moves an INTS attribute to input `i`, where the node has it.
  Status ints_to_input(std::string_view name, std::size_t i);
  /// Rank of an input where it is known, or -1.
  int rank(std::size_t i) const;
  /// Adds a node of ours with default attributes and returns its output.
  Result<ValueId> add(std::string_view op_name, std::vector<ValueId> operands,
                      std::unique_ptr<Attrs> node_attrs = nullptr);
  /// Output `i` is that value; once called, no node is added for this one.
  Status set_output(std::size_t i, ValueId value);
  bool done() const { return done_; }

  Error fail(std::string_view what) const;
  Error unsupported(std::string_view what) const;

 private:
  GraphImporter& importer_;
  const NodeDef& def_;
  std::int64_t version_;
  bool done_ = false;
};

using Rewrite = Status (*)(NodeImport&);

/// Turns one GraphProto into a Graph. Values of enclosing graphs come in as the extra inputs that
/// graph.h asks for; their constants are shared.
class GraphImporter {
 public:
  GraphImporter(FileContext& file, GraphImporter* outer, int depth)
      : file_(file),
        outer_(outer),
        depth_(depth),
        opsets_(outer != nullptr ? outer->opsets_ : file.model.opsets) {}
  /// For the body of a function of these op-sets.
  GraphImporter(FileContext& file, const Opsets& opsets, int depth)
      : file_(file), outer_(nullptr), depth_(depth), opsets_(opsets) {}

  /// `captures`: names of enclosing graphs' values, one extra input each.
  Result<Graph> import(const GraphDef& def, std::span<const std::string_view> captures);
  /// A function's body; of `types`, by input, those that have a type are known.
  Result<Graph> import_function(const GraphDef& def,
                                std::span<const std::optional<TensorType>> types);

  /// The two halves of import_decoder: `inputs` become the graph's, under the names that the file
  /// has for them; then its nodes, with the logits as the only output.
  Status bind_decoder(const GraphDef& def, DecoderParts& parts, Graph inputs);
  Result<Graph> import_rows(const GraphDef& def, DecoderParts& parts);

  /// A name's value in this graph; a constant of an enclosing one is added here. kNoValue where
  /// there is none.
  ValueId resolve(std::string_view name);
  Status bind(std::string_view name, ValueId value);
  /// Adds a node, infers what its inputs' types and constants tell, and returns it.
  NodeId add_node(const OpDef* op, std::unique_ptr<Attrs> attrs, std::vector<ValueId> inputs,
                  int output_count, std::string name);
  std::string fresh_name(std::string_view stem);
  /// Gives the outputs of `id` the names of `def`.
  Status bind_outputs(NodeId id, const NodeDef& def);
  /// Whether any node or output of the graph reads the name.
  bool is_read(std::string_view name);
  /// Whether the value's type is known already.
  bool has_type(ValueId value) const { return typed_.has(value) && typed_[value]; }
  void set_type(ValueId value, const TensorType& type) {
    graph_.value(value).type = type;
    mark_typed(value);
  }

  Graph& graph() { return graph_; }
  FileContext& file() { return file_; }
  int depth() const { return depth_; }

 private:
  Status add_inputs(const GraphDef& def);
  Status add_initializers(const GraphDef& def);
  Status add_captures(std::span<const std::string_view> captures);
  Status add_outputs(const GraphDef& def);
  Result<Graph> import_rest(const GraphDef& def);
  Status import_node(const NodeDef& def);
  Status add_imported(NodeImport& node);
  Result<std::int64_t> version_of(const NodeDef& def) const;
  /// Whether the input has a default in the file that counts: it is a constant then.
  bool is_default(std::string_view input) const;
  Result<TensorType> input_type(const ValueDef& def);
  void mark_typed(ValueId value);
  void guess_types(NodeId id);
  std::shared_ptr<const Constant> outer_constant(std::string_view name);

  FileContext& file_;
  GraphImporter* outer_;
  int depth_;
  const Opsets& opsets_;
  Graph graph_;
  std::map<std::string_view, ValueId> names_;
  std::set<std::string_view> initialized_;
  ValueFlags typed_;
  const GraphDef* def_ = nullptr;
  std::set<std::string_view> read_;  // filled when first asked for
};

/// "[onnx] Op node 'name': ".
std::string node_label(const NodeDef& def);

/// Names that a graph reads and nobody in it defines, in order of first use.
std::vector<std::string_view> free_names(const GraphDef& def);

}  // namespace polaris::onnx
