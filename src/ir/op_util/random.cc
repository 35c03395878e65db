#include "ir/op_util/random.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

/// splitmix64.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// FNV-1a.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t out = 0xCBF29CE484222325u;
  for (char ch : text) out = (out ^ static_cast<unsigned char>(ch)) * 0x100000001B3u;
  return out;
}

}  // namespace

RandomNumbers::RandomNumbers(float seed, std::string_view node_name)
    : state_(mix(std::isnan(seed) ? hash_of(node_name) : std::bit_cast<std::uint32_t>(seed))) {}

double RandomNumbers::uniform(std::int64_t i) const {
  const std::uint64_t bits =
      mix(state_ + (static_cast<std::uint64_t>(i) + 1) * 0x9E3779B97F4A7C15u);
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

double RandomNumbers::normal(std::int64_t i) const {
  const double radius = std::sqrt(-2 * std::log(1 - uniform(2 * i)));
  return radius * std::cos(2 * std::numbers::pi * uniform(2 * i + 1));
}

Status infer_random(InferContext& c, DType dtype, std::span<const std::int64_t> shape) {
  if (!contains(kFloatTypes, dtype)) {
    return c.fail("dtype, got " + std::string(dtype_name(dtype)) + ", wanted a float");
  }
  if (shape.size() > static_cast<std::size_t>(kMaxRank)) {
    return c.fail("rank, got " + std::to_string(shape.size()) + ", wanted at most " +
                  std::to_string(kMaxRank));
  }
  for (std::int64_t dim : shape) {
    if (dim < 0) return c.fail("shape, got a dim of " + std::to_string(dim) + ", wanted 0 or more");
  }
  const Shape out(shape);
  if (!out.checked_elements())
    return c.fail("shape, got " + out.to_string() + ", which is too large");
  set_output(c, 0, dtype, out);
  return Status::success();
}

Status infer_random_like(InferContext& c, DType dtype, std::uint32_t allowed) {
  if (dtype == kTypeOfInput) dtype = c.in(0).dtype;
  if (!contains(allowed, dtype)) {
    return c.fail("dtype, got " + std::string(dtype_name(dtype)) + ", wanted another");
  }
  set_output(c, 0, dtype, c.in(0).shape);
  return Status::success();
}

void fill_normal(RefContext& c, float mean, float scale, float seed) {
  const RandomNumbers random(seed, c.node_name);
  for (std::int64_t i = 0, n = c.out(0).type.shape.elements(); i < n; ++i) {
    put_f64(c.out(0), i, static_cast<double>(mean) + static_cast<double>(scale) * random.normal(i));
  }
}

void fill_uniform(RefContext& c, float low, float high, float seed) {
  const RandomNumbers random(seed, c.node_name);
  const auto from = static_cast<double>(low);
  const double extent = static_cast<double>(high) - from;
  for (std::int64_t i = 0, n = c.out(0).type.shape.elements(); i < n; ++i) {
    put_f64(c.out(0), i, from + extent * random.uniform(i));
  }
}

}  // namespace polaris
