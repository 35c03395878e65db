#pragma once
#include <span>
#include <string>
#include <string_view>

#include "ir/graph.h"
#include "ir/op_def.h"

namespace polaris {

/// A port in errors: "input 1 (B)"; what comes after a variadic port is of it.
std::string port_text(std::span<const Port> ports, std::string_view side, std::size_t i);

/// Whether the node lists the inputs and outputs that its op's ports ask for: no more than ports,
/// and none missing that must be there. What infer relies on.
Status check_ports(const Node& node);

/// The same of a node without a graph, whose outputs are all taken to be there, and that strings,
/// sequences and optionals stand only where the ports take them. It comes before every `infer`,
/// which may then read its required inputs, and ops that know of tensors only see no others.
Status check_operands(const InferContext& c);

}  // namespace polaris
