#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

std::uint64_t left(std::uint64_t a, std::uint64_t b) { return b < 64 ? a << b : 0; }
std::uint64_t right(std::uint64_t a, std::uint64_t b) { return b < 64 ? a >> b : 0; }

Status infer(InferContext& c) {
  const std::string& direction = c.as<BitShiftAttrs>().direction;
  if (direction != "LEFT" && direction != "RIGHT") {
    return c.fail("direction, got '" + direction + "', wanted LEFT or RIGHT");
  }
  return infer_broadcast_in(c, kUnsignedTypes);
}

Status reference(RefContext& c) {
  const bool to_left = c.as<BitShiftAttrs>().direction == "LEFT";
  return map_binary_with(c, nullptr, nullptr, to_left ? left : right);
}

constexpr Port kInputs[] = {{"X"}, {"Y"}};
constexpr Port kOutputs[] = {{"Z"}};

}  // namespace

extern constinit const OpDef op_bit_shift{
    .name = "BitShift",
    .doc =
        "X shifted by Y bits; bits that leave the type are lost, so that a shift by its width or "
        "more gives 0.",
    .since = 11,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kElementwise | kFoldable,
    .make_attrs = make_attrs<BitShiftAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlaceBinary,
};

}  // namespace polaris
