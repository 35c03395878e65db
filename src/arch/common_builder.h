#pragma once
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arch/adapter/adapted_linear.h"
#include "arch/architecture.h"

namespace polaris {

/// Puts a graph together from an ArchInput. The first thing that goes wrong is kept and everything
/// after it does nothing, so that an architecture reads as the network it is; finish() tells.
class ArchBuilder {
 public:
  /// Some rows of a matrix that holds several linear layers.
  struct Rows {
    std::int64_t all = 0;
    std::int64_t first = 0;
    std::int64_t count = 0;
  };

  ArchBuilder(std::string_view architecture, const ArchInput& input)
      : architecture_(architecture), input_(input) {}

  /// A hyperparameter that must lie in [low, high]. Without it: `otherwise`, or an error where that
  /// is negative.
  std::int64_t integer(std::string_view name, std::int64_t low, std::int64_t high,
                       std::int64_t otherwise = -1);
  /// The same where a file may give a list with one number a layer: all must be equal.
  std::int64_t integer_of_layers(std::string_view name, std::int64_t layers, std::int64_t low,
                                 std::int64_t high, std::int64_t otherwise = -1);
  /// A finite number in [low, high].
  double real(std::string_view name, double low, double high, double otherwise);
  bool flag(std::string_view name, bool otherwise);
  std::string text(std::string_view name, std::string_view otherwise);

  bool has(std::string_view hyperparameter) const {
    return input_.hyperparameter(hyperparameter) != nullptr;
  }
  bool has_weight(std::string_view name) const { return input_.has_weight(name); }
  /// A weight whose shape must be `shape`, as stored: encoded, f16 ...
  ValueId weight(const std::string& name, const Shape& shape);
  /// The same as plain f32, converted where it is another plain float type; for norms and biases.
  ValueId weight_f32(const std::string& name, const Shape& shape);
  /// The same where the file has it, else no value.
  ValueId optional_f32(const std::string& name, const Shape& shape);
  /// Dim `axis` of a weight of rank `rank`; 0 after an error.
  std::int64_t weight_dim(const std::string& name, int rank, int axis);
  /// Its elements, widened.
  std::vector<double> weight_values(const std::string& name, const Shape& shape);
  ValueId constant(std::string name, Tensor tensor);
  /// `x` under other dims; one may be -1, "what is left".
  ValueId reshape(const std::string& name, ValueId x, std::vector<std::int64_t> dims);

  /// A node of `op` ("Add", "polaris.Linear"); null attrs are the op's defaults.
  std::vector<ValueId> node(std::string_view op, std::string name, std::vector<ValueId> inputs,
                            std::unique_ptr<Attrs> attrs = nullptr, int output_count = 1);
  /// Its only output.
  ValueId apply(std::string_view op, std::string name, std::vector<ValueId> inputs,
                std::unique_ptr<Attrs> attrs = nullptr);
  /// `turned_heads`: as in AdaptedMatrix.
  ValueId linear(const std::string& name, ValueId x, std::int64_t inputs, std::int64_t outputs,
                 std::int64_t turned_heads = 0);
  /// The linear layer `name` whose weight and bias are rows of those of `whole`. The weight's bytes
  /// stay where they are.
  ValueId linear_of_rows(const std::string& name, const std::string& whole, ValueId x,
                         std::int64_t inputs, const Rows& rows);

  Graph& graph() { return graph_; }
  const std::string& architecture() const { return architecture_; }
  AdaptersInUse& adapters() { return adapters_; }
  const ArchInput& input() const { return input_; }
  bool ok() const { return status_.ok(); }
  void fail(Error error);
  /// `[architecture] what`.
  void fail_invalid(const std::string& what);
  void fail_unsupported(const std::string& what);
  /// The graph with its types inferred, or the first error.
  Result<Graph> finish();

 private:
  std::shared_ptr<const Constant> find(const std::string& name, const Shape& shape);

  std::string architecture_;
  const ArchInput& input_;
  Graph graph_;
  Status status_;
  AdaptersInUse adapters_;
};

}  // namespace polaris
