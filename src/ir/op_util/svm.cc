#include "ir/op_util/svm.h"

#include <cmath>

namespace polaris {

double dot(std::span<const double> x, std::span<const float> vector) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * static_cast<double>(vector[i]);
  return sum;
}

SvmKernel::SvmKernel(const std::string& type, const std::vector<float>& params) {
  if (type == "POLY") type_ = Type::kPoly;
  if (type == "RBF") type_ = Type::kRbf;
  if (type == "SIGMOID") type_ = Type::kSigmoid;
  if (params.empty()) return;
  gamma_ = static_cast<double>(params[0]);
  coef0_ = static_cast<double>(params[1]);
  degree_ = static_cast<double>(params[2]);
}

double SvmKernel::operator()(std::span<const double> x, std::span<const float> vector) const {
  double distance = 0;
  switch (type_) {
    case Type::kLinear: break;
    case Type::kPoly: return std::pow(gamma_ * dot(x, vector) + coef0_, degree_);
    case Type::kSigmoid: return std::tanh(gamma_ * dot(x, vector) + coef0_);
    case Type::kRbf:
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double apart = x[i] - static_cast<double>(vector[i]);
        distance += apart * apart;
      }
      return std::exp(-gamma_ * distance);
  }
  return dot(x, vector);
}

Status check_svm_kernel(const InferContext& c, const std::string& type,
                        const std::vector<float>& params) {
  if (type != "LINEAR" && type != "POLY" && type != "RBF" && type != "SIGMOID") {
    return c.fail("kernel_type, got '" + type + "', wanted LINEAR, POLY, RBF or SIGMOID");
  }
  if (params.empty() || params.size() == 3) return Status::success();
  return c.fail("kernel_params, got " + std::to_string(params.size()) + " values, wanted 3");
}

Result<std::int64_t> svm_features(const InferContext& c, std::size_t values, std::int64_t count) {
  const auto size = static_cast<std::int64_t>(values);
  if (count > 0 && size > 0 && size % count == 0) return size / count;
  return c.fail("support_vectors, got " + std::to_string(size) + " values of " +
                std::to_string(count) + " vectors");
}

}  // namespace polaris
