#include "ir/attrs.h"

namespace polaris {

void GenericAttrs::visit(AttrVisitor& visitor) {
  for (auto& [name, value] : values) {
    std::visit([&](auto& v) { visitor.field(name, v); }, value);
  }
}

}  // namespace polaris
