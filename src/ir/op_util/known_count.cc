#include "ir/op_util/known_count.h"

#include "ir/op_util/infer.h"

namespace polaris {

Result<KnownInt> known_count(const InferContext& c, int i, std::string_view name,
                             std::int64_t low) {
  if (auto s = all_of(check_dtype(c, i, kIndexTypes), check_rank(c, i, 0, 1)); !s) return s.error();
  for (std::int64_t dim : c.in(i).shape) {
    if (auto s = check_dims(c, "size of " + std::string(name), dim, 1); !s) return s.error();
  }
  const auto known = c.known_ints(i);
  const KnownInt out = known && !known->empty() ? known->front() : KnownInt{};
  if (out.is_number() && out.value < low) {
    return c.fail(std::string(name) + ", got " + std::to_string(out.value) + ", wanted " +
                  std::to_string(low) + " or more");
  }
  return out;
}

}  // namespace polaris
