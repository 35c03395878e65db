#include "arch/decoder/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "ir/op_attrs/attention.h"

namespace polaris {
namespace {

constexpr std::int64_t kTableBytesMax = std::int64_t{128} << 20;

/// The index, not whole, of the frequency that turns so many times within YaRN's context.
double index_of_turns(const RopeSpec& spec, double turns) {
  const double dims = static_cast<double>(spec.dims);
  return dims * std::log(spec.yarn->context / (turns * 2 * std::numbers::pi)) /
         (2 * std::log(spec.theta));
}

/// How far frequency i is left as it is: 1 whole, 0 divided by the factor.
double kept_part(const RopeSpec& spec, std::size_t i) {
  if (!spec.yarn) return 0.0;
  const double low = std::max(0.0, std::floor(index_of_turns(spec, spec.yarn->turns_fast)));
  const double high = std::min(static_cast<double>(spec.dims - 1),
                               std::ceil(index_of_turns(spec, spec.yarn->turns_slow)));
  const double ramp = (static_cast<double>(i) - low) / std::max(0.001, high - low);
  return 1.0 - std::clamp(ramp, 0.0, 1.0);
}

/// Radians a position.
std::vector<double> frequencies(ArchBuilder& b, const RopeSpec& spec, const std::string& divisors) {
  const std::int64_t half = spec.dims / 2;
  std::vector<double> given;
  if (b.has_weight(divisors)) given = rope_divisors(b, divisors, half);
  std::vector<double> out(static_cast<std::size_t>(half));
  if (!b.ok()) return out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(spec.dims);
    double whole = std::pow(spec.theta, -exponent);
    if (!given.empty()) whole /= given[i];
    const double kept = kept_part(spec, i);
    out[i] = kept == 0.0 ? whole / spec.factor : whole * kept + whole / spec.factor * (1.0 - kept);
  }
  return out;
}

}  // namespace

std::vector<double> rope_divisors(ArchBuilder& b, const std::string& name, std::int64_t count) {
  std::vector<double> out = b.weight_values(name, Shape{count});
  const auto sound = [](double f) { return std::isfinite(f) && f > 0; };
  if (!std::all_of(out.begin(), out.end(), sound)) {
    b.fail_invalid("tensor '" + name + "' holds a divisor that is no positive number");
  }
  return out;
}

std::int64_t rope_positions_max(const RopeSpec& spec) {
  return kTableBytesMax / std::max<std::int64_t>(spec.dims / 2 * 4, 1);
}

RopeTables rope_tables(ArchBuilder& b, const RopeSpec& spec, std::int64_t context,
                       const std::string& name, const std::string& divisors) {
  if (!b.ok()) return {};
  const TensorType type{DType::kF32, {context, spec.dims / 2}, {}};
  const std::vector<double> steps = frequencies(b, spec, divisors);
  if (!b.ok()) return {};
  auto cos = Tensor::allocate(type);
  auto sin = Tensor::allocate(type);
  if (!cos || !sin) return b.fail(!cos ? cos.error() : sin.error()), RopeTables{};
  float* c = cos->mutable_data<float>();
  float* s = sin->mutable_data<float>();
  for (std::int64_t position = 0; position < context; ++position) {
    for (double step : steps) {
      const double angle = static_cast<double>(position) * step;
      *c++ = static_cast<float>(std::cos(angle) * spec.magnitude);
      *s++ = static_cast<float>(std::sin(angle) * spec.magnitude);
    }
  }
  return {b.constant(name + ".cos", cos.take()), b.constant(name + ".sin", sin.take())};
}

ValueId rotate(ArchBuilder& b, const RopeSpec& spec, const RopeTables& tables, ValueId positions,
               const std::string& name, ValueId x, std::int64_t heads, std::int64_t head_size) {
  auto attrs = std::make_unique<RotaryEmbeddingAttrs>();
  attrs->interleaved = spec.pairs == RopePairs::kNeighbours;
  attrs->num_heads = heads;
  attrs->rotary_embedding_dim = spec.dims;
  const std::int64_t width = heads * head_size;
  const ValueId batched = b.reshape(name + ".batch", x, {1, -1, width});
  const ValueId turned = b.apply("RotaryEmbedding", name + ".rope",
                                 {batched, tables.cos, tables.sin, positions}, std::move(attrs));
  return b.reshape(name + ".rows", turned, {-1, width});
}

}  // namespace polaris
