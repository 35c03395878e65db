// Types through control flow, from the view that its op declares.
#include <algorithm>
#include <optional>
#include <string>

#include "ir/any_rank.h"
#include "ir/inference.h"

namespace polaris {
namespace {

/// A region that cannot run gets types that make no promise inside, and outside those of another.
void mark_refused(Graph& region, const Types& outputs) {
  for (NodeId id : region.order()) {
    for (ValueId output : region.node(id).outputs) {
      if (output.valid()) region.value(output).type.shape = any_rank();
    }
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    Value& output = region.value(region.outputs()[i]);
    if (output.producer.valid()) output.type = outputs[i];
  }
}

/// The region that is sure to be taken, or -1.
int taken_region(const ControlView& view, const HostValue* selector) {
  if (view.choose == ControlView::Choose::kOnly) return 0;
  if (selector == nullptr || !selector->is_known() || selector->data.elements() != 1) return -1;
  const std::int64_t value = element_as_i64(selector->data, 0);
  if (view.choose == ControlView::Choose::kFirstIfTrue) return value != 0 ? 0 : 1;
  const auto last = static_cast<std::int64_t>(view.regions.size()) - 1;
  return static_cast<int>(value < 0 || value > last ? last : value);
}

}  // namespace

Result<Types> Inference::infer_control(Node& node) {
  const auto view = control_view(node);
  if (!view) return view.error();
  return view->form == ControlView::Form::kChoice ? infer_choice(node, *view)
                                                  : infer_rounds(node, *view);
}

Result<Types> Inference::infer_region(Node& node, const ControlView& view, int region,
                                      std::span<const TensorType> operands) {
  const Region& what = view.regions[static_cast<std::size_t>(region)];
  auto inputs = input_types(view, what, operands);
  if (!inputs) return inputs.error();
  std::vector<const HostValue*> hosts;
  for (const RegionInput& input : what.inputs) {
    const bool same = input.from == RegionInput::From::kOperand;
    hosts.push_back(same ? &knowledge_.host(node.inputs[static_cast<std::size_t>(input.operand)])
                         : nullptr);
  }
  return infer_graph_of(node, node.subgraphs[static_cast<std::size_t>(region)], *inputs, hosts);
}

Result<Types> Inference::input_types(const ControlView& view, const Region& region,
                                     std::span<const TensorType> operands) {
  Types out;
  for (const RegionInput& input : region.inputs) {
    switch (input.from) {
      case RegionInput::From::kRound: out.push_back({DType::kI64, {}, {}}); continue;
      case RegionInput::From::kTrue: out.push_back({DType::kBool, {}, {}}); continue;
      case RegionInput::From::kOperand:
      case RegionInput::From::kCarried:
      case RegionInput::From::kElement:
      case RegionInput::From::kItem: break;
    }
    TensorType type = operands[static_cast<std::size_t>(input.operand)];
    if (input.from == RegionInput::From::kItem && type.kind == ValueKind::kSequence) {
      type.kind = ValueKind::kTensor;
    }
    if (input.from == RegionInput::From::kElement && !type.is_tensor()) {
      return view.fail("scan input " + std::to_string(input.operand) + ", got " + type.to_string() +
                       ", wanted a tensor");
    }
    if (input.from == RegionInput::From::kElement && !has_any_rank(type.shape)) {
      const auto axis = scan_axis(view, input.axis, type.shape.rank());
      if (!axis) return axis.error();
      type.shape.erase(*axis);
    }
    out.push_back(type);
  }
  return out;
}

// A region that does not fit the shapes at hand is refused when it is taken, which may be never.
Result<Types> Inference::infer_choice(Node& node, const ControlView& view) {
  Types operands;
  for (ValueId id : node.inputs) {
    operands.push_back(id.valid() ? graph_.value(id).type : TensorType{});
  }
  const HostValue* selector =
      view.selector >= 0 ? &knowledge_.host(node.inputs[static_cast<std::size_t>(view.selector)])
                         : nullptr;
  const int taken = taken_region(view, selector);
  std::vector<std::optional<Types>> given;
  std::optional<Error> refused;
  int fits = -1;
  for (int r = 0; r < static_cast<int>(view.regions.size()); ++r) {
    auto types = infer_region(node, view, r, operands);
    if (!types && (r == taken || !refused)) refused = types.error();
    if (!types && r == taken) return *refused;
    given.push_back(types ? std::optional(types.take()) : std::nullopt);
    if (given.back() && fits < 0) fits = r;
  }
  if (fits < 0) return *refused;
  const Types& model = *given[static_cast<std::size_t>(fits)];
  for (std::size_t r = 0; r < given.size(); ++r) {
    // What others call too is fit for them, and stays so.
    if (!given[r] && node.subgraphs[r].use_count() == 1) mark_refused(*node.subgraphs[r], model);
  }
  if (taken >= 0) return std::move(*given[static_cast<std::size_t>(taken)]);
  Types out = model;
  for (const auto& types : given) {
    for (std::size_t i = 0; types && i < out.size(); ++i) {
      const auto joined = join_types(out[i], (*types)[i]);
      if (!joined) {
        return view.fail("output " + std::to_string(i) + " is " + out[i].to_string() +
                         " in one branch and " + (*types)[i].to_string() +
                         " in the other, wanted one element type");
      }
      out[i] = *joined;
    }
  }
  return out;
}

/// How many rounds there are: the dim that all scanned operands have, or the attributes' number.
/// Unknown where that may differ, or where something else may end the rounds.
Result<std::int64_t> Inference::rounds_of(const ControlView& view,
                                          std::span<const TensorType> operands) {
  std::optional<std::int64_t> length;
  bool listed = false;  // sequences have lengths of their own
  for (const RegionInput& input : view.regions[static_cast<std::size_t>(view.body)].inputs) {
    listed = listed || input.from == RegionInput::From::kItem;
    if (input.from != RegionInput::From::kElement) continue;
    const Shape& shape = operands[static_cast<std::size_t>(input.operand)].shape;
    if (has_any_rank(shape)) continue;
    const auto axis = scan_axis(view, input.axis, shape.rank());
    if (!axis) return axis.error();
    const std::int64_t dim = shape[*axis];
    if (length && is_static_dim(*length) && is_static_dim(dim) && *length != dim) {
      return view.fail("length of scan input " + std::to_string(input.operand) + ", got " +
                       std::to_string(dim) + ", wanted that of the others, " +
                       std::to_string(*length));
    }
    if (!length || is_static_dim(dim)) length = dim;
  }
  const bool sure = view.trips < 0 && view.first < 0 && view.again < 0 && view.condition < 0;
  if (!sure || listed) return kUnknownDim;
  if (view.most < 0) return length.value_or(kUnknownDim);
  if (!length) return view.most;
  return is_static_dim(*length) ? std::min(*length, view.most) : kUnknownDim;
}

Result<Types> Inference::infer_rounds(Node& node, const ControlView& view) {
  Types operands;
  for (ValueId id : node.inputs) {
    operands.push_back(id.valid() ? graph_.value(id).type : TensorType{});
  }
  const auto length = rounds_of(view, operands);
  if (!length) return length.error();
  const Region& body = view.regions[static_cast<std::size_t>(view.body)];
  const auto check_bool = [&](const TensorType& type, std::string_view what) {
    const auto elements = type.shape.checked_elements();
    const bool is_bool = type.is_tensor() && type.dtype == DType::kBool;
    if (is_bool && (!elements || *elements == 1)) return Status::success();
    return Status(view.fail(std::string(what) + ", got " + type.to_string() + ", wanted one bool"));
  };
  // A carried value's dims that change from one round to the next become unknown; every pass but
  // the last makes at least one unknown, so this ends.
  Types given;
  for (bool changed = true; changed;) {
    changed = false;
    auto types = infer_region(node, view, view.body, operands);
    if (!types) return types.error();
    given = types.take();
    int carried = 0;
    for (const RegionInput& input : body.inputs) {
      if (input.from != RegionInput::From::kCarried) continue;
      TensorType& before = operands[static_cast<std::size_t>(input.operand)];
      const TensorType& after = given[static_cast<std::size_t>(input.output)];
      const auto merged = join_types(before, after);
      if (!merged) {
        return view.fail("carried value " + std::to_string(carried) + " is " + before.to_string() +
                         " before and " + after.to_string() + " after an iteration");
      }
      if (*merged != before) changed = true;
      before = *merged;
      ++carried;
    }
  }
  if (view.again >= 0) {
    const auto again = check_bool(given[static_cast<std::size_t>(view.again)], "the body's cond");
    if (!again) return again.error();
  }
  if (view.condition >= 0) {
    auto told = infer_region(node, view, view.condition, operands);
    if (!told) return told.error();
    if (auto s = check_bool(told->front(), "the condition"); !s) return s.error();
  }
  Types out;
  for (const ControlResult& result : view.results) {
    if (result.from == ControlResult::From::kLast) {
      out.push_back(operands[static_cast<std::size_t>(result.index)]);
      continue;
    }
    TensorType type = given[static_cast<std::size_t>(result.index)];
    if (!type.is_tensor()) {
      return view.fail("output " + std::to_string(out.size()) + ", got " + type.to_string() +
                       " of each iteration, wanted a tensor");
    }
    if (result.from == ControlResult::From::kListed) {
      out.push_back(type.as(ValueKind::kSequence));
      continue;
    }
    // One dim more than any rank is any rank.
    if (!has_any_rank(type.shape)) {
      if (type.shape.rank() == kMaxRank) {
        return view.fail("rank of scan output " + std::to_string(out.size()) +
                         ", wanted less than " + std::to_string(kMaxRank));
      }
      const auto axis = scan_axis(view, result.axis, type.shape.rank() + 1);
      if (!axis) return axis.error();
      type.shape.insert(*axis, *length);
    }
    out.push_back(type);
  }
  return out;
}

}  // namespace polaris
