#include "ir/node_error.h"

#include <string>

namespace polaris {

Error at_node(const Error& error, std::string_view node_name) {
  if (node_name.empty()) return error;
  const std::string quoted = "'" + std::string(node_name) + "'";
  const std::string& message = error.message();
  const std::size_t end = message.find("] ");
  if (message.find("node " + quoted) != std::string::npos) return error;
  if (!message.starts_with('[') || end == std::string::npos ||
      message.find("node '") != std::string::npos) {
    return error.with_context("in " + quoted);
  }
  return Error(error.code(),
               message.substr(0, end + 2) + "node " + quoted + ": " + message.substr(end + 2));
}

}  // namespace polaris
