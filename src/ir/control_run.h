#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ir/control.h"
#include "tensor/values.h"

namespace polaris {

/// Where control flow runs: what run_control needs of values, be they host tensors or on devices.
template <class Value>
class ControlHost {
 public:
  virtual ~ControlHost() = default;
  virtual const TensorType& type(const Value& value) = 0;
  virtual Value of(Tensor tensor) = 0;
  virtual Result<Tensor> host(const Value& value) = 0;
  virtual Result<std::vector<Value>> run(const Graph& region, std::span<const Value> inputs) = 0;
  /// Slice `index` along `axis`, without that dim.
  virtual Result<Value> slice(const Value& whole, int axis, std::int64_t index) = 0;
  /// Parts of one type as slices along `axis` of one value; `part` is their type where there are
  /// none.
  virtual Result<Value> stack(std::span<const Value> parts, const TensorType& part, int axis) = 0;
  /// Before the first of several rounds or calls of `body`, with the operands that it reads.
  virtual Status begin(const ControlView& view, const Graph& body, std::span<Value> operands) = 0;
  /// Before each round; an error ends them.
  virtual Status begin_round(std::int64_t round) = 0;
  /// A part was put by, to be stacked.
  virtual Status put_by(const Value& part, std::int64_t round) = 0;
};

/// The order of events in control flow, for every op and every host.
template <class Value>
class ControlRun {
 public:
  /// `operands`: by input of the node; what is absent is not looked at.
  ControlRun(const Node& node, const ControlView& view, ControlHost<Value>& host,
             std::vector<Value> operands)
      : node_(node), view_(view), host_(host), operands_(std::move(operands)) {}

  Result<std::vector<Value>> run() {
    return view_.form == ControlView::Form::kChoice ? choice() : rounds();
  }

 private:
  using From = RegionInput::From;

  const Graph& graph(int region) const {
    return *node_.subgraphs[static_cast<std::size_t>(region)];
  }
  const Region& region(int i) const { return view_.regions[static_cast<std::size_t>(i)]; }
  const Value& operand(int i) const { return operands_[static_cast<std::size_t>(i)]; }
  bool has(int i) const { return i >= 0 && node_.inputs[static_cast<std::size_t>(i)].valid(); }

  Result<std::int64_t> scalar(std::string_view what, const Value& value) {
    auto tensor = host_.host(value);
    if (!tensor) return tensor.error();
    if (*tensor && tensor->elements() == 1) return element_as_i64(*tensor, 0);
    return view_.fail(std::string(what) + ", got " +
                      (*tensor ? tensor->type().to_string() : std::string("nothing")) +
                      ", wanted one element");
  }

  Result<std::vector<Value>> choice() {
    std::int64_t taken = 0;
    const auto last = static_cast<std::int64_t>(view_.regions.size()) - 1;
    if (view_.choose != ControlView::Choose::kOnly) {
      const auto selector = scalar(view_.port(view_.selector), operand(view_.selector));
      if (!selector) return selector.error();
      taken = view_.choose == ControlView::Choose::kFirstIfTrue ? (*selector != 0 ? 0 : 1)
              : *selector < 0 || *selector > last               ? last
                                                                : *selector;
    }
    if (view_.op->control->calls) {
      if (auto s = host_.begin(view_, graph(0), operands_); !s) return s.error();
    }
    auto results = run_region(static_cast<int>(taken), 0);
    if (!results) return results.error();
    std::vector<Value> out;
    for (const ControlResult& result : view_.results) {
      out.push_back((*results)[static_cast<std::size_t>(result.index)]);
    }
    return out;
  }

  Result<std::vector<Value>> rounds() {
    const auto most = round_limit();
    if (!most) return most.error();
    bool go = true;
    if (has(view_.first)) {
      const auto first = scalar(view_.port(view_.first), operand(view_.first));
      if (!first) return first.error();
      go = *first != 0;
    }
    parts_.resize(view_.results.size());
    for (std::int64_t round = 0; round < *most && go; ++round) {
      if (auto s = host_.begin_round(round); !s) return s.error();
      const auto more = step(round);
      if (!more) return more.error();
      go = *more;
    }
    std::vector<Value> out;
    for (std::size_t i = 0; i < view_.results.size(); ++i) {
      auto result = result_of(view_.results[i], parts_[i]);
      if (!result) return result.error();
      out.push_back(result.take());
    }
    return out;
  }

  /// By the attributes, the trip count and what is scanned.
  Result<std::int64_t> round_limit() {
    std::int64_t most = view_.most >= 0 ? view_.most : INT64_MAX;
    if (has(view_.trips)) {
      const auto trips = scalar(view_.port(view_.trips), operand(view_.trips));
      if (!trips) return trips.error();
      most = std::min(most, *trips);
    }
    for (const RegionInput& input : region(view_.body).inputs) {
      if (input.from == From::kItem) {
        auto listed = item_count(input.operand);
        if (!listed) return listed.error();
        if (listed->has_value()) most = std::min(most, **listed);
      }
      if (input.from != From::kElement) continue;
      const Shape& shape = host_.type(operand(input.operand)).shape;
      const auto axis = scan_axis(view_, input.axis, shape.rank());
      if (!axis) return axis.error();
      if (scanned_ >= 0 && scanned_ != shape[*axis]) {
        return view_.fail("length of scan input " + std::to_string(input.operand) + ", got " +
                          std::to_string(shape[*axis]) + ", wanted that of the others, " +
                          std::to_string(scanned_));
      }
      scanned_ = shape[*axis];
      most = std::min(most, scanned_);
    }
    return most;
  }

  /// Items of an operand that is a sequence; all of them have as many.
  Result<std::optional<std::int64_t>> item_count(int i) {
    if (host_.type(operand(i)).kind != ValueKind::kSequence) return std::optional<std::int64_t>();
    auto sequence = host_.host(operand(i));
    if (!sequence) return sequence.error();
    const auto count = static_cast<std::int64_t>(sequence->items().size());
    if (listed_ >= 0 && listed_ != count) {
      return view_.fail("length of sequence " + std::to_string(i) + ", got " +
                        std::to_string(count) + ", wanted that of the others, " +
                        std::to_string(listed_));
    }
    listed_ = count;
    return std::optional(count);
  }

  /// One round; whether there may be another.
  Result<bool> step(std::int64_t round) {
    if (view_.condition >= 0) {
      auto told = run_region(view_.condition, round);
      if (!told) return told.error();
      const auto go = scalar("the condition", (*told)[0]);
      if (!go) return go.error();
      if (*go == 0) return false;
    }
    if (round == 0) {
      if (auto s = host_.begin(view_, graph(view_.body), operands_); !s) return s.error();
    }
    auto results = run_region(view_.body, round);
    if (!results) return results.error();
    for (const RegionInput& input : region(view_.body).inputs) {
      if (input.from != From::kCarried) continue;
      operands_[static_cast<std::size_t>(input.operand)] =
          (*results)[static_cast<std::size_t>(input.output)];
    }
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (view_.results[i].from == ControlResult::From::kLast) continue;
      parts_[i].push_back((*results)[static_cast<std::size_t>(view_.results[i].index)]);
      if (auto s = host_.put_by(parts_[i].back(), round); !s) return s.error();
    }
    if (view_.again < 0) return true;
    const auto again = scalar("the body's cond", (*results)[static_cast<std::size_t>(view_.again)]);
    if (!again) return again.error();
    return *again != 0;
  }

  Result<std::vector<Value>> run_region(int which, std::int64_t round) {
    std::vector<Value> arguments;
    for (const RegionInput& input : region(which).inputs) {
      auto argument = argument_of(input, round);
      if (!argument) return argument.error();
      arguments.push_back(argument.take());
    }
    return host_.run(graph(which), arguments);
  }

  Result<Value> argument_of(const RegionInput& input, std::int64_t round) {
    switch (input.from) {
      case From::kOperand:
      case From::kCarried: return operand(input.operand);
      case From::kItem: {
        const Value& whole = operand(input.operand);
        if (host_.type(whole).kind != ValueKind::kSequence) return whole;
        auto sequence = host_.host(whole);
        if (!sequence) return sequence.error();
        return host_.of(sequence->items()[static_cast<std::size_t>(round)]);
      }
      case From::kElement: {
        const Value& whole = operand(input.operand);
        const auto axis = scan_axis(view_, input.axis, host_.type(whole).shape.rank());
        if (!axis) return axis.error();
        return host_.slice(whole, *axis, input.backward ? scanned_ - 1 - round : round);
      }
      case From::kRound: {
        auto index = Tensor::from<std::int64_t>(DType::kI64, {}, {&round, 1});
        if (!index) return index.error();
        return host_.of(index.take());
      }
      case From::kTrue: break;
    }
    const std::uint8_t yes = 1;
    auto flag = Tensor::from<std::uint8_t>(DType::kBool, {}, {&yes, 1});
    if (!flag) return flag.error();
    return host_.of(flag.take());
  }

  Result<Value> result_of(const ControlResult& result, std::vector<Value>& parts) {
    if (result.from == ControlResult::From::kLast) return operand(result.index);
    const Graph& body = graph(view_.body);
    const ValueId made = body.outputs()[static_cast<std::size_t>(result.index)];
    TensorType part = parts.empty() ? body.value(made).type : host_.type(parts.front());
    if (result.from == ControlResult::From::kListed) return listed(part, parts);
    for (int d = 0; d < part.shape.rank(); ++d) {
      if (!is_static_dim(part.shape[d])) part.shape[d] = 0;  // no round told
    }
    for (const Value& other : parts) {
      if (host_.type(other) == part) continue;
      return view_.fail("scan output, got " + host_.type(other).to_string() + " after " +
                        part.to_string() + ", wanted one shape for all iterations");
    }
    if (part.shape.rank() == kMaxRank) return view_.fail("scan output has too many dims");
    const auto axis = scan_axis(view_, result.axis, part.shape.rank() + 1);
    if (!axis) return axis.error();
    if (result.backward) std::reverse(parts.begin(), parts.end());
    return host_.stack(parts, part, *axis);
  }

  Result<Value> listed(const TensorType& part, std::span<const Value> parts) {
    std::vector<Tensor> items;
    for (const Value& one : parts) {
      auto item = host_.host(one);
      if (!item) return item.error();
      items.push_back(item.take());
    }
    auto sequence = make_sequence(part, std::move(items));
    if (!sequence) return view_.fail(sequence.error().message());
    return host_.of(sequence.take());
  }

  const Node& node_;
  const ControlView& view_;
  ControlHost<Value>& host_;
  std::vector<Value> operands_;            // carried ones: of the round at hand
  std::vector<std::vector<Value>> parts_;  // by result: what is stacked in the end
  std::int64_t scanned_ = -1;              // length of what is scanned
  std::int64_t listed_ = -1;               // and of the sequences
};

/// Runs a node of control flow. Errors: invalid where a selector, count or condition is not one
/// element, lengths or parts differ; what the regions and the host find.
template <class Value>
Result<std::vector<Value>> run_control(const Node& node, ControlHost<Value>& host,
                                       std::vector<Value> operands) {
  const auto view = control_view(node);
  if (!view) return view.error();
  return ControlRun<Value>(node, *view, host, std::move(operands)).run();
}

}  // namespace polaris
