#include "plan/layout_choice.h"

#include <algorithm>
#include <utility>

namespace polaris {
namespace {

constexpr int kRankMin = 3;  // below it all layouts are one

bool is_spatial(const OfferedNode& node, std::size_t input) {
  return (node.op->input_flags(static_cast<int>(input)) & kSpatial) != 0;
}

bool order_matters(const Shape& shape) {
  return !same_order(shape, Layout::kRowMajor, Layout::kChannelsLast);
}

/// `shape` with leading ones, as broadcasting to `rank` sees it.
Shape padded(const Shape& shape, int rank) {
  Shape out = Shape::filled(rank, 1);
  for (int i = 0; i < shape.rank(); ++i) out[rank - shape.rank() + i] = shape[i];
  return out;
}

/// The operand has the axes of the output: itself, or by broadcasting.
bool follows_axes(const OfferedNode& node, std::size_t input) {
  const Shape& shape = node.inputs[input].type->shape;
  if ((node.op->input_flags(static_cast<int>(input)) & kHostRead) != 0) return false;
  const int rank = node.outputs[0].shape.rank();
  return shape.rank() == rank ||
         (node.op->has_trait(kElementwise) && shape.rank() > 0 && shape.rank() < rank);
}

/// Whether the node can run channels-last under another name for its axes, and more of its operands
/// stand so than row-major.
bool relabels(const OfferedNode& node) {
  if (!node.op->has_trait(kElementwise | kAxisFree) || node.op->has_trait(kDataDependent)) {
    return false;
  }
  const int rank = node.outputs.empty() ? 0 : node.outputs[0].shape.rank();
  if (rank < kRankMin) return false;
  int balance = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const InputState& in = node.inputs[i];
    if (in.type == nullptr || !follows_axes(node, i)) continue;
    if (!in.type->encoding.is_plain()) return false;
    if (!order_matters(padded(in.type->shape, rank))) continue;
    if (in.type->shape.rank() != rank || in.constant != nullptr) return false;
    balance += in.made == Layout::kChannelsLast ? 1 : -1;
  }
  return balance > 0;
}

AxisOrder places_of(const AxisOrder& order, int rank) {
  AxisOrder place{};
  for (int p = 0; p < rank; ++p)
    place[static_cast<std::size_t>(order[static_cast<std::size_t>(p)])] = p;
  return place;
}

/// The input axis that becomes output axis i.
int source_axis(const TransposeAttrs& attrs, int i, int rank) {
  return attrs.perm.empty() ? rank - 1 - i
                            : static_cast<int>(attrs.perm[static_cast<std::size_t>(i)]);
}

/// Gives attribute "axis" the number that its axis has in memory.
class RenumberAxis final : public AttrVisitor {
 public:
  RenumberAxis(Layout layout, int rank) : layout_(layout), rank_(rank) {}
  void field(std::string_view name, std::int64_t& value) override {
    const auto axis = normalize_axis(value, rank_);
    if (name != "axis" || !axis) return;
    value = places_of(layout_order(layout_, rank_), rank_)[static_cast<std::size_t>(*axis)];
  }
  void field(std::string_view, float&) override {}
  void field(std::string_view, bool&) override {}
  void field(std::string_view, std::string&) override {}
  void field(std::string_view, DType&) override {}
  void field(std::string_view, Tensor&) override {}
  void field(std::string_view, std::vector<std::int64_t>&) override {}
  void field(std::string_view, std::vector<float>&) override {}
  void field(std::string_view, std::vector<std::string>&) override {}

 private:
  Layout layout_;
  int rank_;
};

}  // namespace

OfferedNode::OfferedNode(const InferContext& inferred, std::vector<bool> output_wanted,
                         FunctionRef<InputHome(std::size_t)> home)
    : op(inferred.op),
      attrs(inferred.attrs),
      name(inferred.node_name),
      inputs(inferred.inputs.size()),
      values(inferred.values),
      outputs(inferred.outputs),
      wanted(std::move(output_wanted)) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    inputs[i].type = inferred.inputs[i];
    if (inputs[i].type != nullptr) static_cast<InputHome&>(inputs[i]) = home(i);
  }
}

std::vector<bool> wanted_outputs(const Node& node) {
  std::vector<bool> out;
  for (ValueId output : node.outputs) out.push_back(output.valid());
  return out;
}

bool may_stand_otherwise(const OfferedNode& node) {
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const InputState& in = node.inputs[i];
    if (in.type != nullptr && is_spatial(node, i) && in.constant != nullptr) return false;
  }
  return true;
}

Layout preferred_layout(const OfferedNode& node) {
  if (!may_stand_otherwise(node)) return Layout::kRowMajor;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const InputState& in = node.inputs[i];
    if (in.type != nullptr && is_spatial(node, i)) return in.made;
  }
  if (is_transpose(*node.op)) return node.inputs[0].made;
  return relabels(node) ? Layout::kChannelsLast : Layout::kRowMajor;
}

Offer::Offer(const OfferedNode& node, Layout layout)
    : node_(node),
      values_(node.values.begin(), node.values.end()),
      input_layouts_(node.inputs.size(), Layout::kRowMajor),
      output_layouts_(node.outputs.size(), Layout::kRowMajor),
      constants_(node.inputs.size()) {
  bool spatial = false;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const InputState& in = node.inputs[i];
    OperandDesc desc;
    desc.present = in.type != nullptr;
    if (desc.present) desc.type = *in.type;
    desc.constant = in.constant;
    if (desc.present && is_spatial(node, i)) {
      spatial = true;
      desc.layout = input_layouts_[i] = layout;
    }
    inputs_.push_back(desc);
  }
  for (std::size_t o = 0; o < node.outputs.size(); ++o) {
    OperandDesc desc{node.outputs[o], Layout::kRowMajor, nullptr, node.wanted[o]};
    if ((node.op->output_flags(static_cast<int>(o)) & kSpatial) != 0) {
      desc.layout = output_layouts_[o] = layout;
    }
    outputs_.push_back(desc);
  }
  if (node.op->has_trait(kDataDependent)) {
    for (const TensorType& type : node.outputs) {
      const Shape dims{type.shape.rank()};
      outputs_.push_back({{DType::kI64, dims, {}}, Layout::kRowMajor, nullptr, true});
    }
  }
  if (layout == Layout::kRowMajor || spatial) return;
  if (is_transpose(*node.op)) {
    read_as_it_stands(layout);
  } else {
    relabel(layout);
  }
}

void Offer::read_as_it_stands(Layout layout) {
  const Shape& in = node_.inputs[0].type->shape;
  const AxisOrder place = places_of(layout_order(layout, in.rank()), in.rank());
  auto attrs = std::make_unique<TransposeAttrs>();
  for (int i = 0; i < in.rank(); ++i) {
    const int axis = source_axis(static_cast<const TransposeAttrs&>(*node_.attrs), i, in.rank());
    attrs->perm.push_back(place[static_cast<std::size_t>(axis)]);
  }
  attrs_ = std::move(attrs);
  inputs_[0].type.shape = physical_shape(in, layout);
  input_layouts_[0] = layout;
}

void Offer::relabel(Layout layout) {
  const int rank = node_.outputs[0].shape.rank();
  attrs_ = node_.attrs->clone();
  RenumberAxis renumber(layout, rank);
  attrs_->visit(renumber);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!inputs_[i].present || !follows_axes(node_, i)) continue;
    Shape& shape = inputs_[i].type.shape;
    // A broadcast operand of lower rank has one long axis at most, or all in order: it stands
    // alike.
    if (shape.rank() == rank) input_layouts_[i] = layout;
    shape = physical_shape(padded(shape, rank), layout);
    const Constant* constant = node_.inputs[i].constant;
    if (constant == nullptr || constant->data.shape() == shape) continue;
    auto moved = std::make_shared<Constant>(*constant);
    moved->data = constant->data.reshaped(shape);
    inputs_[i].constant = moved.get();
    if (values_[i] != nullptr) values_[i] = &moved->data;
    constants_[i] = std::move(moved);
  }
  for (std::size_t o = 0; o < node_.outputs.size(); ++o) {
    Shape& shape = outputs_[o].type.shape;
    if (shape.rank() != rank) continue;
    shape = physical_shape(shape, layout);
    output_layouts_[o] = layout;
  }
}

NodeDesc Offer::desc() const { return {node_.op, attrs(), node_.name, inputs_, outputs_, values_}; }

bool is_transpose(const OpDef& op) { return op.is("Transpose"); }

std::optional<Layout> transposed_layout(const TransposeAttrs& attrs, const Shape& in,
                                        Layout layout) {
  const int rank = in.rank();
  AxisOrder out_axis{};  // by input axis
  Shape out = in;
  for (int i = 0; i < rank; ++i) {
    const int axis = source_axis(attrs, i, rank);
    out_axis[static_cast<std::size_t>(axis)] = i;
    out[i] = in[axis];
  }
  AxisOrder order = layout_order(layout, rank);
  for (int p = 0; p < rank; ++p) {
    int& axis = order[static_cast<std::size_t>(p)];
    axis = out_axis[static_cast<std::size_t>(axis)];
  }
  for (Layout found : kLayouts) {
    if (canonical_order(order, out) == canonical_order(layout_order(found, rank), out)) {
      return found;
    }
  }
  return std::nullopt;
}

std::vector<std::int64_t> relayout_perm(int rank, Layout from, Layout to) {
  const AxisOrder place = places_of(layout_order(from, rank), rank);
  const AxisOrder order = layout_order(to, rank);
  std::vector<std::int64_t> perm;
  for (int p = 0; p < rank; ++p) {
    perm.push_back(place[static_cast<std::size_t>(order[static_cast<std::size_t>(p)])]);
  }
  return perm;
}

}  // namespace polaris
