#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ir/op_def.h"

/// What SVMRegressor and SVMClassifier share.
namespace polaris {

/// The kernel of two vectors; `params` is gamma, coef0 and degree, or empty: all 0.
class SvmKernel {
 public:
  SvmKernel(const std::string& type, const std::vector<float>& params);
  double operator()(std::span<const double> x, std::span<const float> vector) const;

 private:
  enum class Type : std::uint8_t { kLinear, kPoly, kRbf, kSigmoid } type_ = Type::kLinear;
  double gamma_ = 0;
  double coef0_ = 0;
  double degree_ = 0;
};

double dot(std::span<const double> x, std::span<const float> vector);

Status check_svm_kernel(const InferContext& c, const std::string& type,
                        const std::vector<float>& params);
/// The features of `count` support vectors that hold `values` numbers. Errors: invalid, where they
/// cannot have as many each.
Result<std::int64_t> svm_features(const InferContext& c, std::size_t values, std::int64_t count);

}  // namespace polaris
