#include "conformance/samples.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ir/builtin_op.h"
#include "support/random_blocks.h"
#include "tensor/block_format.h"
#include "tensor/element.h"

namespace polaris::test {
namespace {

// The generator of operands; made anew by each process, so that a run repeats.
Rng& shared_rng() {
  static Rng rng(20260101);
  return rng;
}

/// Sets fields by name.
class NamedValues final : public AttrVisitor {
 public:
  explicit NamedValues(const std::map<std::string_view, AttrValue>& values) : values_(values) {}
  void field(std::string_view n, std::int64_t& v) override { set(n, v); }
  void field(std::string_view n, float& v) override { set(n, v); }
  void field(std::string_view n, bool& v) override {
    std::int64_t number = v ? 1 : 0;
    set(n, number);
    v = number != 0;
  }
  void field(std::string_view n, std::string& v) override { set(n, v); }
  void field(std::string_view, DType&) override {}
  void field(std::string_view n, Tensor& v) override { set(n, v); }
  void field(std::string_view n, std::vector<std::int64_t>& v) override { set(n, v); }
  void field(std::string_view n, std::vector<float>& v) override { set(n, v); }
  void field(std::string_view n, std::vector<std::string>& v) override { set(n, v); }
  std::size_t taken = 0;

 private:
  template <class T>
  void set(std::string_view name, T& value) {
    const auto found = values_.find(name);
    if (found == values_.end()) return;
    value = std::get<T>(found->second);
    ++taken;
  }
  const std::map<std::string_view, AttrValue>& values_;
};

Tensor allocate(const TensorType& type) {
  auto out = Tensor::allocate(type);
  return out ? out.take() : Tensor();
}

}  // namespace

std::shared_ptr<const Attrs> attrs_of(std::string_view op,
                                      const std::map<std::string_view, AttrValue>& values) {
  std::shared_ptr<Attrs> out = find_builtin_op(op)->make_attrs();
  NamedValues named(values);
  out->visit(named);
  REQUIRE(named.taken == values.size());
  return out;
}

std::uint64_t Rng::next() {
  state_ += 0x9E3779B97F4A7C15u;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

double Rng::uniform(double low, double high) {
  return low + (high - low) * (static_cast<double>(next() >> 11) * 0x1p-53);
}

std::int64_t Rng::integer(std::int64_t low, std::int64_t high) {
  const auto span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  const std::uint64_t pick = span == 0 ? next() : next() % span;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + pick);
}

Tensor random(DType dtype, const Shape& shape, double low, double high) {
  if (!is_float(dtype)) {
    if (dtype == DType::kBool) return random_ints(dtype, shape, 0, 1);
    const bool with_sign = is_signed_integer(dtype);
    return random_ints(dtype, shape, with_sign ? -9 : 0, 9);
  }
  Tensor out = allocate({dtype, shape, {}});
  for (std::int64_t i = 0, n = out.elements(); i < n; ++i) {
    store_f64(dtype, out.mutable_bytes().data(), i, shared_rng().uniform(low, high));
  }
  return out;
}

Tensor random_ints(DType dtype, const Shape& shape, std::int64_t low, std::int64_t high) {
  Tensor out = allocate({dtype, shape, {}});
  for (std::int64_t i = 0, n = out.elements(); i < n; ++i) {
    store_i64(dtype, out.mutable_bytes().data(), i, shared_rng().integer(low, high));
  }
  return out;
}

Tensor random_bits(DType dtype, const Shape& shape) {
  Tensor out = allocate({dtype, shape, {}});
  for (std::int64_t i = 0, n = out.elements(); i < n; ++i) {
    const auto bits = static_cast<std::int64_t>(shared_rng().next());
    if (dtype == DType::kBool) {
      store_i64(dtype, out.mutable_bytes().data(), i, bits & 1);
    } else if (is_float(dtype)) {
      const double v = std::ldexp(shared_rng().uniform(-1, 1), static_cast<int>(bits & 15) - 7);
      store_f64(dtype, out.mutable_bytes().data(), i, v);
    } else {
      store_i64(dtype, out.mutable_bytes().data(), i, bits);
    }
  }
  return out;
}

Tensor values(DType dtype, const Shape& shape, std::initializer_list<double> elements) {
  Tensor out = allocate({dtype, shape, {}});
  std::int64_t i = 0;
  for (double v : elements) store_f64(dtype, out.mutable_bytes().data(), i++, v);
  return out;
}

Tensor scalar(DType dtype, double value) { return values(dtype, Shape{}, {value}); }

Tensor int64s(std::initializer_list<std::int64_t> elements) {
  Tensor out = allocate({DType::kI64, Shape{static_cast<std::int64_t>(elements.size())}, {}});
  std::int64_t i = 0;
  for (std::int64_t v : elements) store_i64(DType::kI64, out.mutable_bytes().data(), i++, v);
  return out;
}

Tensor random_blocks(BlockFormat format, const Shape& shape) {
  const Tensor plain = random(DType::kF32, shape);
  Tensor out = allocate({DType::kF32, shape, Encoding::of(format)});
  fill_blocks(format, plain.data<float>(), plain.elements(), out.mutable_bytes().data());
  return out;
}

Constant affine(DType storage, const Shape& shape, int axis, std::int32_t block,
                const Shape& scales, bool zero) {
  TensorType type{DType::kF32, shape, {}};
  type.encoding.kind = Encoding::Kind::kAffine;
  type.encoding.storage = storage;
  type.encoding.axis = static_cast<std::int8_t>(axis);
  type.encoding.block = block;
  Constant out;
  auto data = Tensor::from_bytes(type, random_bits(storage, shape).bytes());
  if (data) out.data = data.take();
  out.scale = random(DType::kF32, scales, 0.001, 0.01);
  if (zero) out.zero_point = random_bits(storage, scales);
  return out;
}

std::vector<double> edge_values(DType dtype) {
  if (!is_float(dtype)) {
    const int width = dtype_info(dtype).bits;
    if (dtype == DType::kBool) return {0, 1};
    const bool sign = is_signed_integer(dtype);
    const double top = std::ldexp(1.0, sign ? width - 1 : width);
    // The 64-bit ends are no doubles; store_f64 saturates to them.
    return {sign ? -top : 0,
            sign ? -1.0 : 5,
            0,
            1,
            2,
            3,
            static_cast<double>(width - 1),
            static_cast<double>(width),
            7,
            top};
  }
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const double largest = dtype == DType::kF16   ? 65504
                         : dtype == DType::kF64 ? std::numeric_limits<double>::max()
                         : dtype == DType::kF32 ? 0x1.fffffep127
                                                : 0x1.fep127;
  const double tiny = dtype == DType::kF16   ? 0x1p-24
                      : dtype == DType::kF64 ? 0x1p-1074
                      : dtype == DType::kF32 ? 0x1p-149
                                             : 0x1p-133;
  return {std::nan(""), kInf, -kInf, 0.0, -0.0, tiny, -3 * tiny, largest,
          -largest,     1.0,  -1.0,  0.5, -2.5, 3.0,  1e-3};
}

Tensor own_copy(const Tensor& x) {
  auto out = Tensor::from_bytes(x.type(), x.bytes());
  return out ? out.take() : Tensor();
}

Tensor without_subnormals(const Tensor& given) {
  Tensor x = own_copy(given);
  // A bfloat16 is widened to a float32 of the same exponent.
  if (x.dtype() != DType::kF32 && x.dtype() != DType::kBF16) return x;
  for (std::int64_t i = 0, n = x.elements(); i < n; ++i) {
    const double v = element_as_f64(x, i);
    if (std::fabs(v) >= 0x1p-126 || v == 0) continue;
    store_f64(x.dtype(), x.mutable_bytes().data(), i, std::copysign(0.0, v));
  }
  return x;
}

Tensor with_specials(Tensor x) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const double specials[] = {kInf, -kInf, std::nan(""), 0.0, -0.0, 1.0, -1.0, 0.5, -2.5};
  std::int64_t i = 0;
  for (double v : specials) {
    if (i < x.elements()) store_f64(x.dtype(), x.mutable_bytes().data(), i, v);
    i += 3;
  }
  return x;
}

}  // namespace polaris::test
