#include "ir/op_util/sequence.h"

#include <utility>

namespace polaris {

Status check_position(const InferContext& c, int i) {
  if (!c.has(i)) return Status::success();
  const auto elements = c.in(i).shape.checked_elements();
  if (auto s = check_dtype(c, i, kIndexTypes); !s) return s;
  if (!elements || *elements == 1) return Status::success();
  return c.fail("position, got " + c.in(i).to_string() + ", wanted one index");
}

Result<std::int64_t> position_in(const HostContext& c, int i, std::int64_t count) {
  if (c.in(i).elements() != 1) return c.fail("position, wanted one index");
  const std::int64_t at = element_as_i64(c.in(i), 0);
  if (at >= -count && at < count) return at < 0 ? at + count : at;
  return c.fail("position, got " + std::to_string(at) + ", wanted one of " + std::to_string(count));
}

std::vector<Tensor> items_of(const HostContext& c, int i) {
  const auto items = c.in(i).items();
  return {items.begin(), items.end()};
}

Status give_sequence(HostContext& c, std::vector<Tensor> items) {
  auto sequence = make_sequence(c.types[0].as(ValueKind::kTensor), std::move(items));
  if (!sequence)
    return Error(sequence.error().code(), c.fail(sequence.error().message()).message());
  c.give(0, sequence.take());
  return Status::success();
}

}  // namespace polaris
