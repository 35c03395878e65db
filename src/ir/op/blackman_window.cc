#include "ir/op_util/cosine_window.h"

namespace polaris {
namespace {

Status reference(RefContext& c) { return cosine_window(c, 0.42, 0.5, 0.08); }

}  // namespace

extern constinit const OpDef op_blackman_window{
    .name = "BlackmanWindow",
    .doc = "0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N), N as HannWindow has it.",
    .since = 17,
    .inputs = kWindowInputs,
    .outputs = kWindowOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<CosineWindowAttrs>,
    .infer = infer_cosine_window,
    .reference = reference,
};

}  // namespace polaris
