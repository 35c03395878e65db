#pragma once
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "load/loader.h"
#include "load/source.h"
#include "load/tflite/builder.h"
#include "load/tflite/schema.h"

namespace polaris::tflite {

/// What all graphs of a file share.
struct FileContext {
  const ModelDef& model;
  FlatBuffer& file;
  Source& source;
  const OpSet& ops;
  std::int64_t nodes = 0;  // imported so far, those of subgraphs once for each call
  /// Constants by tensor of the file, made once for all functions.
  std::map<const TensorDef*, std::shared_ptr<const Constant>> constants;
  /// What CALL_ONCE puts into variables, by the variable's name.
  std::map<std::string, std::shared_ptr<const Constant>, std::less<>> initial;
  std::set<std::uint32_t> initialized_by;  // subgraphs that ran so
};

/// A variable of the file: a State of the graph, read and set in the file's order.
struct Variable {
  std::size_t state = 0;  // index in graph.states()
  ValueId value;          // as it is now
};

/// One graph of ours on its way, with all subgraphs that are called in it.
struct GraphContext {
  Builder builder;
  std::map<std::string, Variable, std::less<>> variables;
  std::vector<std::uint32_t> open;  // subgraphs that are being imported, outermost first
  bool nested = false;              // a branch or body: variables belong to the graph around
};

class SubgraphImporter;

/// One operator of the file as its import function sees it. Values are those of TensorFlow Lite:
/// NHWC, and integers where they are quantized.
class OperatorImport {
 public:
  OperatorImport(SubgraphImporter& importer, const OperatorDef& def);

  const OperatorDef& def() const { return def_; }
  std::size_t input_count() const { return def_.inputs.size(); }
  std::size_t output_count() const { return def_.outputs.size(); }
  bool has(std::size_t i) const { return i < def_.inputs.size() && def_.inputs[i] >= 0; }
  bool has_output(std::size_t i) const { return i < def_.outputs.size() && def_.outputs[i] >= 0; }
  /// The tensor; an error of the node, and an empty one, where it is absent.
  const TensorDef& in(std::size_t i);
  const TensorDef& out(std::size_t i = 0);
  DType dtype(std::size_t i) { return dtype_of(in(i).type).value_or(DType::kF32); }
  DType out_dtype(std::size_t i = 0) { return dtype_of(out(i).type).value_or(DType::kF32); }

  /// The input as it is stored: integers where it is quantized.
  ValueId raw(std::size_t i);
  /// The input as real numbers: dequantized, half floats widened where the output is no half float.
  ValueId real(std::size_t i);
  /// For ops that only move or pick elements: the input as it is stored where `stays()`, else as
  /// real numbers; and the output likewise.
  ValueId moved(std::size_t i) { return stays() ? raw(i) : real(i); }
  void give_moved(std::size_t i, ValueId value) { stays() ? give_raw(i, value) : give(i, value); }
  /// Whether all inputs that are quantized have output 0's scale and zero point.
  bool stays();
  /// An input that says sizes or places, as int64.
  ValueId index(std::size_t i);
  /// The integers of a constant input.
  std::optional<std::vector<std::int64_t>> ints(std::size_t i);
  /// The same; an error of the node where it is computed at run time.
  std::vector<std::int64_t> needed_ints(std::size_t i);
  /// Rank of an input or -1.
  int rank(std::size_t i);

  bool quantized(std::size_t i) { return is_quantized(in(i)); }
  bool quantized_out(std::size_t i = 0) { return is_quantized(out(i)); }
  static bool is_quantized(const TensorDef& tensor);
  static bool same_quantization(const TensorDef& a, const TensorDef& b);
  /// `value`, in the integers of `tensor`, as real numbers; its scales go along `axis`.
  ValueId dequantized(ValueId value, const TensorDef& tensor, std::int64_t axis);
  /// Real numbers as the integers of `tensor`.
  ValueId quantize(ValueId value, const TensorDef& tensor);

  /// The output, of real numbers: it is quantized, or cast, as the file says.
  void give(std::size_t i, ValueId value);
  /// The same after a fused activation (ActivationFunctionType of the schema).
  void give_activated(ValueId value, std::int64_t activation);
  /// The output as it is stored.
  void give_raw(std::size_t i, ValueId value);
  ValueId activated(ValueId value, std::int64_t activation);

  std::int64_t option(int field, std::int32_t otherwise = 0) const {
    return def_.options.scalar<std::int32_t>(field, otherwise);
  }
  std::int64_t byte_option(int field, std::int8_t otherwise = 0) const {
    return def_.options.scalar<std::int8_t>(field, otherwise);
  }
  float float_option(int field, float otherwise = 0.0f) const {
    return def_.options.scalar<float>(field, otherwise);
  }
  bool flag(int field, bool otherwise = false) const { return def_.options.flag(field, otherwise); }

  /// Steps, as Builder has them.
  ValueId add(std::string_view op, std::vector<ValueId> inputs,
              std::initializer_list<Set> attributes = {}) {
    return builder().add(op, std::move(inputs), attributes);
  }
  Builder& builder();
  SubgraphImporter& importer() { return importer_; }
  void fail(std::string_view what);
  void unsupported(std::string_view what);
  bool ok();

 private:
  SubgraphImporter& importer_;
  const OperatorDef& def_;
};

/// Puts the operators of one subgraph into a graph.
class SubgraphImporter {
 public:
  SubgraphImporter(FileContext& file, GraphContext& graph, std::uint32_t index);

  const SubgraphDef& def() const { return def_; }
  FileContext& file() { return file_; }
  GraphContext& graph() { return graph_; }
  Builder& builder() { return graph_.builder; }

  /// Gives an input its value.
  void bind(std::int32_t tensor, ValueId value);
  /// All operators, in order.
  Status run();
  /// The tensor's value: bound, a constant, a variable. Errors of the builder: invalid where it is
  /// never made.
  ValueId value(std::int32_t tensor);
  /// The same as real numbers, quantized along the tensor's own axis.
  ValueId dequantized(std::int32_t tensor);
  /// Sets a tensor that keeps its value from run to run.
  void set_variable(std::int32_t tensor, ValueId value);
  /// The variable that a handle names, by VAR_HANDLE.
  void name_resource(std::int32_t tensor, std::string name) {
    resources_[tensor] = std::move(name);
  }
  const std::string* resource(std::int32_t tensor) const;
  /// Declared type of a tensor; a free size becomes a symbol, named after `name`.
  std::optional<TensorType> declared_type(const TensorDef& tensor, std::string_view name);
  /// Runs a subgraph's operators here. Errors: of the builder.
  std::vector<ValueId> call(std::uint32_t subgraph, std::span<const ValueId> inputs);
  /// A subgraph as a graph of its own, for control flow; its inputs have the types of `like`.
  std::shared_ptr<Graph> nested(std::uint32_t subgraph, std::span<const ValueId> like);

 private:
  Status import(const OperatorDef& op);
  ValueId constant(const TensorDef& tensor);
  ValueId variable(std::int32_t tensor);

  FileContext& file_;
  GraphContext& graph_;
  std::uint32_t index_;
  const SubgraphDef& def_;
  std::vector<ValueId> values_;  // by tensor
  std::vector<ValueId> real_;    // by tensor
  std::map<std::int32_t, std::string> resources_;
};

/// The value of a variable at this place of the file, made from `type` where this is its first use.
Variable& use_variable(FileContext& file, GraphContext& graph, std::string_view name,
                       const TensorType& type, std::shared_ptr<const Constant> initial);

}  // namespace polaris::tflite
