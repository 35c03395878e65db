#include "ir/ports.h"

#include <algorithm>
#include <string>

namespace polaris {
namespace {

const Port& port_at(std::span<const Port> ports, std::size_t i) {
  return ports[std::min(i, ports.size() - 1)];
}

/// Of `count` operands of one side, of which present(i) says whether the node names it: what is
/// wrong with them, or nothing.
template <class Present>
std::string side_fault(std::span<const Port> ports, std::string_view side, std::size_t count,
                       Present present) {
  const bool variadic = !ports.empty() && (ports.back().flags & kVariadic) != 0;
  if (count > ports.size() && !variadic) {
    return std::string(side) + "s, got " + std::to_string(count) + ", wanted at most " +
           std::to_string(ports.size());
  }
  for (std::size_t i = 0; i < std::max(ports.size(), count); ++i) {
    // An optional variadic port may list nothing; an input that it lists is there.
    const bool listed = side == "input" && i < count && variadic && i + 1 >= ports.size();
    const bool wanted = listed || (port_at(ports, i).flags & kOptional) == 0;
    if (wanted && !(i < count && present(i))) return port_text(ports, side, i) + " is missing";
  }
  return {};
}

/// Only what the port says, and a tensor of numbers where it does not refuse those.
Status check_value(const InferContext& c, int i) {
  const TensorType& type = c.in(i);
  const std::uint32_t flags = c.op->input_flags(i);
  const bool sequence = (flags & kSequence) != 0;
  const bool optional = (flags & kOptionalValue) != 0;
  const bool tensor = (flags & kNoTensor) == 0;
  bool fits = false;
  switch (type.kind) {
    case ValueKind::kTensor: fits = tensor; break;
    case ValueKind::kSequence: fits = sequence; break;
    case ValueKind::kOptional: fits = optional; break;
    case ValueKind::kOptionalSequence: fits = optional && sequence; break;
  }
  if (type.dtype == DType::kString && !c.op->takes_strings(i)) fits = false;
  if (fits) return Status::success();
  std::string wanted = tensor ? "a tensor" : "";
  if (sequence) wanted += wanted.empty() ? "a sequence" : ", a sequence";
  if (optional) wanted += wanted.empty() ? "an optional" : ", an optional";
  if (!c.op->takes_strings(i)) wanted += ", of numbers";
  return c.fail(port_text(c.op->inputs, "input", static_cast<std::size_t>(i)) + ", got " +
                type.to_string() + ", wanted " + wanted);
}

}  // namespace

std::string port_text(std::span<const Port> ports, std::string_view side, std::size_t i) {
  std::string out = std::string(side) + " " + std::to_string(i);
  if (!ports.empty()) out += " (" + std::string(port_at(ports, i).name) + ")";
  return out;
}

Status check_ports(const Node& node) {
  const auto valid = [](const std::vector<ValueId>& ids) {
    return [&ids](std::size_t i) { return ids[i].valid(); };
  };
  std::string fault = side_fault(node.op->inputs, "input", node.inputs.size(), valid(node.inputs));
  if (fault.empty()) {
    fault = side_fault(node.op->outputs, "output", node.outputs.size(), valid(node.outputs));
  }
  return fault.empty() ? Status::success() : node_error(*node.op, node.name, fault);
}

Status check_operands(const InferContext& c) {
  // What a subgraph captures follows the op's own inputs.
  if (c.op->is_control()) return Status::success();
  std::string fault = side_fault(c.op->inputs, "input", c.inputs.size(),
                                 [&](std::size_t i) { return c.has(static_cast<int>(i)); });
  if (fault.empty()) {
    fault = side_fault(c.op->outputs, "output", c.outputs.size(), [](std::size_t) { return true; });
  }
  if (fault.empty() && c.outputs.empty()) fault = "outputs, got 0, wanted 1 or more";
  if (!fault.empty()) return c.fail(fault);
  for (int i = 0; i < c.input_count(); ++i) {
    if (!c.has(i)) continue;
    if (auto s = check_value(c, i); !s) return s;
  }
  return Status::success();
}

}  // namespace polaris
