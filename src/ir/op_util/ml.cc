#include "ir/op_util/ml.h"

namespace polaris {
namespace {

Error too_large(const HostContext& c, std::int64_t bytes) {
  return Error::exhausted(c.fail("bytes of the result, got " + std::to_string(bytes) +
                                 ", wanted at most " + std::to_string(c.bytes_max))
                              .message());
}

}  // namespace

Status check_count(const InferContext& c, std::string_view what, std::size_t size,
                   std::size_t wanted) {
  if (size == wanted) return Status::success();
  return c.fail(std::string(what) + ", got " + std::to_string(size) + " values, wanted " +
                std::to_string(wanted));
}

Status check_per_feature(const InferContext& c, std::string_view what, std::size_t size) {
  if (size == 1) return Status::success();
  if (size == 0) return c.fail(std::string(what) + ", got no values, wanted 1 or more");
  if (auto s = check_rank(c, 0, 1, 2); !s) return s;
  const std::int64_t features = feature_dim(c.in(0).shape);
  if (!is_static_dim(features)) return Status::success();
  return check_count(c, what, size, static_cast<std::size_t>(features));
}

Status check_one_given(const InferContext& c, std::string_view names, int given) {
  if (given == 1) return Status::success();
  return c.fail(std::string(names) + ", got " + std::to_string(given) +
                " of these attributes, wanted one");
}

Result<Tensor> make_strings(const HostContext& c, const Shape& shape,
                            const std::vector<std::string_view>& strings) {
  // One long string may stand for each of many elements.
  auto bytes = static_cast<std::int64_t>((strings.size() + 1) * sizeof(std::int64_t));
  for (const std::string_view text : strings) {
    bytes += static_cast<std::int64_t>(text.size());
    if (bytes > c.bytes_max) return too_large(c, bytes);
  }
  return Tensor::strings(shape, strings);
}

Result<Tensor> allocate_output(const HostContext& c, std::size_t i) {
  const auto bytes = c.types[i].bytes();
  if (!bytes) {
    return c.fail("type of output " + std::to_string(i) + ", got " + c.types[i].to_string() +
                  ", wanted a static shape");
  }
  if (*bytes > c.bytes_max) return too_large(c, *bytes);
  return Tensor::allocate(c.types[i]);
}

}  // namespace polaris
