#include <string>
#include <vector>

#include "ir/op_util/elements.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kStringTypes), check_dtype(c, 1, kStringTypes)); !s)
    return s;
  const auto shape = broadcast_inputs(c, 2);
  if (!shape) return shape.error();
  set_output(c, 0, DType::kString, *shape);
  return Status::success();
}

Status host(HostContext& c) {
  const Shape& shape = c.types[0].shape;
  Walk walk(shape);
  for (int i = 0; i < 2; ++i) walk.add_broadcast(c.in(i).shape());
  std::vector<std::string> made;
  std::int64_t bytes_left = c.bytes_max;
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    std::string& one = made.emplace_back(c.in(0).string(walk[0]));
    one += c.in(1).string(walk[1]);
    bytes_left -= static_cast<std::int64_t>(one.size());
    if (bytes_left < 0) return Error::exhausted(c.fail("result has too many characters").message());
  }
  const std::vector<std::string_view> views(made.begin(), made.end());
  auto out = Tensor::strings(shape, views);
  if (!out) return out.error();
  c.give(0, out.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"X", kStrings}, {"Y", kStrings}};
constexpr Port kOutputs[] = {{"Z"}};

}  // namespace

extern constinit const OpDef op_string_concat{
    .name = "StringConcat",
    .doc = "X and behind it Y, string by string.",
    .since = 20,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
