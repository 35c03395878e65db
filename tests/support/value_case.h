#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace polaris::test {

/// Runs a graph in text form on inputs written as JSON, in the graph's order, and compares what
/// comes out with JSON: by evaluation before and after passes, and in a session on every device.
void check_values(std::string_view text, const std::vector<std::string>& inputs,
                  const std::vector<std::string>& wanted);
/// The same where the run must fail everywhere, and say this.
void check_values_fail(std::string_view text, const std::vector<std::string>& inputs,
                       std::string_view message);
/// A tensor of strings.
Tensor strings(const Shape& shape, const std::vector<std::string_view>& values);

}  // namespace polaris::test
