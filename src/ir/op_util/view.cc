#include "ir/op_util/view.h"

#include "ir/op_util/elements.h"

namespace polaris {

std::optional<ViewOf> view_all(const NodeTypes&, int) { return ViewOf{0, 0}; }

Status copy_reference(RefContext& c) {
  copy_elements(c.out(0), 0, c.in(0), 0, c.in(0).type.shape.elements());
  return Status::success();
}

}  // namespace polaris
