#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ir/attrs.h"

namespace polaris {

/// polaris.Chain: step s applies the attribute-less elementwise float op `ops[s]` (ai.onnx) to
/// three operands args[3 * s ...]: 0 .. n-1 name an input, n + t the result of step t < s, -1
/// none. The last step is the result.
struct ChainAttrs final : AttrsOf<ChainAttrs> {
  std::vector<std::string> ops;
  std::vector<std::int64_t> args;

  void visit(AttrVisitor& v) override {
    v.field("ops", ops);
    v.field("args", args);
  }
};

}  // namespace polaris
