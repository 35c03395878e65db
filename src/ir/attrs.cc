#include "ir/attrs.h"

namespace polaris {

void GenericAttrs::visit(AttrVisitor& visitor) {
  for (auto& [name, value] : values) {
    // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): it loses `visitor` in the lambda
    std::visit([&](auto& v) { visitor.field(name, v); }, value);
  }
}

}  // namespace polaris
