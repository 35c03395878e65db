// Pictures of another size.
#include "ir/op_attrs/resize.h"
#include "load/tflite/op/layers.h"

namespace polaris::tflite {
namespace {

void resize(OperatorImport& o, std::unique_ptr<ResizeAttrs> attrs, bool picks) {
  attrs->axes = {2, 3};
  const ValueId x = channels_second(o, picks ? o.moved(0) : o.real(0), 4);
  const ValueId y =
      o.builder().add_with("Resize", {x, kNoValue, kNoValue, o.index(1)}, std::move(attrs));
  const ValueId last = channels_last(o, y, 4);
  picks ? o.give_moved(0, last) : o.give(0, last);
}

}  // namespace

void resize_bilinear(OperatorImport& o) {
  auto attrs = std::make_unique<ResizeAttrs>();
  attrs->mode = "linear";
  attrs->coordinate_transformation_mode = o.flag(2)   ? "align_corners"
                                          : o.flag(3) ? "half_pixel"
                                                      : "asymmetric";
  resize(o, std::move(attrs), false);
}

void resize_nearest_neighbor(OperatorImport& o) {
  auto attrs = std::make_unique<ResizeAttrs>();
  attrs->mode = "nearest";
  attrs->coordinate_transformation_mode = o.flag(0)   ? "align_corners"
                                          : o.flag(1) ? "tf_half_pixel_for_nn"
                                                      : "asymmetric";
  attrs->nearest_mode = o.flag(0) ? "round_prefer_ceil" : "floor";
  resize(o, std::move(attrs), true);
}

}  // namespace polaris::tflite
