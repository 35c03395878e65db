#include "ir/verifier.h"

#include <algorithm>
#include <string>

namespace polaris {
namespace {

Error node_fail(const Node& node, const std::string& what) {
  return Error::invalid("[" + op_full_name(*node.op) + "] node '" + node.name + "': " + what);
}

Status check_side(const Node& node, std::span<const Port> ports, const std::vector<ValueId>& values,
                  std::string_view side) {
  const bool variadic = !ports.empty() && (ports.back().flags & kVariadic) != 0;
  if (values.size() > ports.size() && !variadic) {
    return node_fail(node, "has " + std::to_string(values.size()) + " " + std::string(side) +
                               "s, wanted at most " + std::to_string(ports.size()));
  }
  for (std::size_t i = 0; i < std::max(ports.size(), values.size()); ++i) {
    const bool present = i < values.size() && values[i].valid();
    const Port& port = ports[std::min(i, ports.size() - 1)];
    if (!present && (port.flags & kOptional) == 0) {
      return node_fail(node, std::string(side) + " " + std::to_string(i) + " '" +
                                 std::string(port.name) + "' is missing");
    }
  }
  return Status::success();
}

}  // namespace

Status check_ports(const Node& node) {
  if (auto s = check_side(node, node.op->inputs, node.inputs, "input"); !s) return s;
  return check_side(node, node.op->outputs, node.outputs, "output");
}

}  // namespace polaris
