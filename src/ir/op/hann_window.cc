#include "ir/op_util/cosine_window.h"

namespace polaris {
namespace {

Status reference(RefContext& c) { return cosine_window(c, 0.5, 0.5, 0); }

}  // namespace

extern constinit const OpDef op_hann_window{
    .name = "HannWindow",
    .doc = "0.5 - 0.5 cos(2 pi n / N), N being the size, or one less where it is not periodic.",
    .since = 17,
    .inputs = kWindowInputs,
    .outputs = kWindowOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<CosineWindowAttrs>,
    .infer = infer_cosine_window,
    .reference = reference,
};

}  // namespace polaris
