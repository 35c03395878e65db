#include <algorithm>
#include <cmath>

#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/random.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const auto& attrs = c.as<MultinomialAttrs>();
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_rank(c, 0, 2, 2)); !s) return s;
  if (!contains(kIndexTypes, attrs.dtype)) {
    return c.fail("dtype, got " + std::string(dtype_name(attrs.dtype)) + ", wanted int32 or int64");
  }
  if (attrs.sample_size < 0) {
    return c.fail("sample_size, got " + std::to_string(attrs.sample_size) + ", wanted 0 or more");
  }
  if (c.in(0).shape[1] == 0) return c.fail("classes, got none, wanted one at least");
  set_output(c, 0, attrs.dtype, Shape{c.in(0).shape[0], attrs.sample_size});
  return Status::success();
}

/// Running sums of what is proportional to the classes' probabilities, of their logarithms.
std::vector<double> sums_of(const RefTensor& x, std::int64_t row, std::int64_t classes) {
  double largest = get_f64(x, row * classes);
  for (std::int64_t k = 1; k < classes; ++k) {
    largest = std::max(largest, get_f64(x, row * classes + k));
  }
  std::vector<double> out;
  double sum = 0;
  for (std::int64_t k = 0; k < classes; ++k) {
    sum += std::exp(get_f64(x, row * classes + k) - largest);
    out.push_back(sum);
  }
  return out;
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<MultinomialAttrs>();
  const RandomNumbers random(attrs.seed, c.node_name);
  const Shape& x = c.in(0).type.shape;
  for (std::int64_t row = 0; row < x[0]; ++row) {
    const std::vector<double> sums = sums_of(c.in(0), row, x[1]);
    for (std::int64_t k = 0; k < attrs.sample_size; ++k) {
      const std::int64_t i = row * attrs.sample_size + k;
      const double wanted = random.uniform(i) * sums.back();
      const auto at =
          std::find_if(sums.begin(), sums.end(), [&](double sum) { return sum > wanted; });
      // Probabilities that are no numbers give the last class.
      put_i64(c.out(0), i, std::min<std::int64_t>(at - sums.begin(), x[1] - 1));
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"input"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_multinomial{
    .name = "Multinomial",
    .doc =
        "Classes drawn by unnormalized logarithms of their probabilities, sample_size for each "
        "row; "
        "random as RandomUniform is.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .make_attrs = make_attrs<MultinomialAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
