#pragma once
#include <initializer_list>
#include <string_view>
#include <variant>
#include <vector>

#include "load/onnx/importer.h"

namespace polaris::onnx {

/// Takes a node apart: adds ops of ours one after another. What fails stays failed: later steps add
/// nothing, and status() says why.
class Steps {
 public:
  /// An attribute of the op that is added.
  struct Set {
    std::string_view name;
    std::variant<std::int64_t, float, std::string_view> value;
  };

  explicit Steps(NodeImport& node) : node_(node) {}

  /// The first output of a node of `op` ("Name" in ai.onnx, or "domain.Name").
  ValueId add(std::string_view op, std::vector<ValueId> inputs,
              std::initializer_list<Set> attributes = {});
  /// All outputs.
  std::vector<ValueId> add_all(std::string_view op, std::vector<ValueId> inputs, int outputs,
                               std::initializer_list<Set> attributes = {});
  /// The first output of a node with these attributes.
  ValueId add_by(std::string_view op, std::vector<ValueId> inputs, const AttrMap& attributes);
  ValueId add_with(std::string_view op, std::vector<ValueId> inputs, std::unique_ptr<Attrs> attrs);
  /// The input, or kNoValue where it is absent.
  ValueId input(std::size_t i) const { return node_.has_input(i) ? node_.inputs[i] : kNoValue; }
  /// The input, which must be there.
  ValueId needed(std::size_t i);
  /// Scalars and lists as constants; `like`: in the type of that value.
  ValueId number(float value);
  ValueId number_like(float value, ValueId like) { return add("CastLike", {number(value), like}); }
  ValueId ints(const std::vector<std::int64_t>& values);
  /// a + b where b is there.
  ValueId plus(ValueId a, ValueId b) { return b.valid() ? add("Add", {a, b}) : a; }
  /// The output, if it is wanted.
  void give(std::size_t output, ValueId value);
  void fail(Error error);
  Status status() const { return status_; }

 private:
  std::vector<ValueId> make(std::string_view op, std::vector<ValueId> inputs, int outputs,
                            const AttrMap& attributes);

  NodeImport& node_;
  Status status_;
};

}  // namespace polaris::onnx
