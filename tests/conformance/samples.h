#pragma once
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ir/constant.h"
#include "ir/op_def.h"

namespace polaris::test {

/// Reproducible numbers: splitmix64.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// In [low, high).
  double uniform(double low, double high);
  /// In [low, high].
  std::int64_t integer(std::int64_t low, std::int64_t high);

 private:
  std::uint64_t state_;
};

/// Operands of samples. Each call gives other numbers, the same in every run.
Tensor random(DType dtype, const Shape& shape, double low = -2, double high = 2);
Tensor random_ints(DType dtype, const Shape& shape, std::int64_t low, std::int64_t high);
/// Every value of the type has a chance, infinities and NaN of floats left out.
Tensor random_bits(DType dtype, const Shape& shape);
Tensor values(DType dtype, const Shape& shape, std::initializer_list<double> elements);
Tensor scalar(DType dtype, double value);
Tensor int64s(std::initializer_list<std::int64_t> elements);
/// Random floats encoded in blocks; the last dim is a multiple of 32.
Tensor random_blocks(BlockFormat format, const Shape& shape);
/// Random integers of type `storage` that stand for floats, with random scales of shape `scales`
/// (see Encoding) and zero points.
Constant affine(DType storage, const Shape& shape, int axis, std::int32_t block,
                const Shape& scales, bool zero = true);
/// Numbers of a type where arithmetic has edges: NaN, infinities, zeros, subnormals and the largest
/// of floats, both ends and the width of integers.
std::vector<double> edge_values(DType dtype);
/// `x` in bytes of its own: copies of a Tensor share theirs.
Tensor own_copy(const Tensor& x);
/// A copy of `x` with subnormals of float32's exponents (bfloat16 has them too) made zeros of their
/// sign.
Tensor without_subnormals(const Tensor& x);
/// `x` with the elements at a few places replaced by infinities, NaN, zeros and subnormals.
Tensor with_specials(Tensor x);
inline Tensor absent() { return {}; }

/// Attributes: `attrs<SoftmaxAttrs>([](auto& a) { a.axis = 0; })`.
template <class A, class F>
std::shared_ptr<const Attrs> attrs(F&& set) {
  auto out = std::make_shared<A>();
  set(*out);
  return out;
}

/// The same of an op whose attributes no kernel reads, so that no header has their struct:
/// `attrs_of("DepthToSpace", {{"blocksize", 2}, {"mode", "CRD"}})`. A bool is an integer.
std::shared_ptr<const Attrs> attrs_of(std::string_view op,
                                      const std::map<std::string_view, AttrValue>& values);

/// One node to run, with its operands.
struct Sample {
  std::string name;
  const OpDef* op = nullptr;
  std::shared_ptr<const Attrs> attrs;
  std::vector<Constant> inputs;  // data null: absent
  std::vector<bool> weight;      // offered to select() as a constant
  int output_count = 1;
  double slack = 1;         // tolerances times this, for long sums
  double of_largest = 0;    // plus this part of the largest result: a kernel may quantize x
  int code_steps = 0;       // of encoded results: what is encoded was computed, and so rounded
  bool exact = false;       // bit for bit
  bool special = false;     // made for its NaN, infinities or other edge values
  bool subnormals = false;  // holds some: a GPU may take those of float32 for zeros
};

}  // namespace polaris::test
