#pragma once
#include <cstdint>
#include <span>

#include "ir/op_attrs/random.h"
#include "ir/op_def.h"

/// Random numbers that hang on the seed and the index alone, so that every run and every device has
/// the same. Without a seed the node's name is one.
namespace polaris {

class RandomNumbers {
 public:
  RandomNumbers(float seed, std::string_view node_name);
  /// Of index i, in [0, 1).
  double uniform(std::int64_t i) const;
  /// Of index i, by a mean of 0 and a deviation of 1.
  double normal(std::int64_t i) const;

 private:
  std::uint64_t state_;
};

/// Output 0 is of a float type and the attribute's shape.
Status infer_random(InferContext& c, DType dtype, std::span<const std::int64_t> shape);
/// Output 0 is like the input, of type `dtype` where that is said and of the set.
Status infer_random_like(InferContext& c, DType dtype, std::uint32_t allowed);
/// Output 0 filled with mean + scale * normal.
void fill_normal(RefContext& c, float mean, float scale, float seed);
/// Output 0 filled with numbers between low and high.
void fill_uniform(RefContext& c, float low, float high, float seed);

}  // namespace polaris
