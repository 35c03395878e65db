#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "base/function_ref.h"
#include "ir/graph.h"
#include "ir/op_attrs/shape.h"
#include "ir/op_def.h"

/// How a node can run on operands that are not row-major: either its kernels know the layout
/// (kSpatial ports: the offer keeps logical shapes and names the layout), or the op does not care
/// in which order the axes stand (elementwise ops, Concat, Softmax ...: the offer has the shapes as
/// they stand in memory, called row-major, and no kernel needs to know).
namespace polaris {

/// Where an input stands at planning time.
struct InputHome {
  const Constant* constant = nullptr;  // constants stand row-major everywhere
  Layout made = Layout::kRowMajor;     // how its bytes first stood; row-major where all are alike
};

/// An input as the choice sees it.
struct InputState : InputHome {
  const TensorType* type = nullptr;  // null: absent
};

/// A node that devices are asked for, with static types. It points to what `inferred` points to and
/// to the outputs in there.
struct OfferedNode {
  /// `output_wanted`: somebody reads it. `home` tells where an input stands that is there.
  OfferedNode(const InferContext& inferred, std::vector<bool> output_wanted,
              FunctionRef<InputHome(std::size_t)> home);

  const OpDef* op = nullptr;
  const Attrs* attrs = nullptr;
  std::string_view name;
  std::vector<InputState> inputs;
  std::span<const Tensor* const> values;  // as NodeDesc
  std::span<const TensorType> outputs;    // data-dependent ones: the bound
  std::vector<bool> wanted;               // by output
};

/// By output of a node in a graph: somebody reads it.
std::vector<bool> wanted_outputs(const Node& node);

/// The layout to try first, row-major being the one that always remains: channels-last where the
/// data was made so and the node can run on it. Other homes that readers have since asked for do
/// not count, so that the order of readers makes no difference.
Layout preferred_layout(const OfferedNode& node);

/// Whether all data of the node's kSpatial ports can be brought to any layout: constants stand
/// row-major.
bool may_stand_otherwise(const OfferedNode& node);

/// A node as select() is asked for it, owning what differs from the graph's node.
class Offer {
 public:
  /// `layout` is kRowMajor, or what preferred_layout gave. The node outlives the offer.
  Offer(const OfferedNode& node, Layout layout);
  Offer(OfferedNode&& node, Layout layout) = delete;
  Offer(const Offer&) = delete;
  Offer& operator=(const Offer&) = delete;

  NodeDesc desc() const;
  /// Where input `i`, not a constant, must stand before the launch.
  Layout input_layout(std::size_t i) const { return input_layouts_[i]; }
  Layout output_layout(std::size_t o) const { return output_layouts_[o]; }
  /// The constant of input `i` as the offer has it: under its shape in memory where that differs.
  const std::shared_ptr<const Constant>& relabelled(std::size_t i) const { return constants_[i]; }
  std::span<const OperandDesc> inputs() const { return inputs_; }
  std::span<const OperandDesc> outputs() const { return outputs_; }
  const Attrs* attrs() const { return attrs_ != nullptr ? attrs_.get() : node_.attrs; }

 private:
  /// A Transpose reads any layout; its output is row-major.
  void read_as_it_stands(Layout layout);
  void relabel(Layout layout);

  const OfferedNode& node_;
  std::unique_ptr<Attrs> attrs_;  // where axes are renumbered
  std::vector<OperandDesc> inputs_;
  std::vector<OperandDesc> outputs_;
  std::vector<const Tensor*> values_;
  std::vector<Layout> input_layouts_;
  std::vector<Layout> output_layouts_;
  std::vector<std::shared_ptr<const Constant>> constants_;
};

/// The layout in which a Transpose's output stands where its input's bytes, in `layout`, are left
/// as they are; nothing where that is no known layout.
std::optional<Layout> transposed_layout(const TransposeAttrs& attrs, const Shape& in,
                                        Layout layout);
bool is_transpose(const OpDef& op);

/// The perm that brings bytes in layout `from`, seen under their shape in memory, to layout `to`.
std::vector<std::int64_t> relayout_perm(int rank, Layout from, Layout to);

}  // namespace polaris
