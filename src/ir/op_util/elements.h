#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "ir/op_def.h"
#include "tensor/element.h"

/// Reading and walking tensors in the references.
namespace polaris {

/// All elements as doubles; encoded tensors are decoded, without rounding.
std::vector<double> read_f64(const RefTensor& tensor);
/// All elements of a plain integer or bool tensor.
std::vector<std::int64_t> read_i64(const RefTensor& tensor);
/// Elements [from, from + out.size()) as doubles; from and the size fill whole blocks.
void decode_f64(const RefTensor& tensor, std::int64_t from, std::span<double> out);
inline double get_f64(const RefTensor& t, std::int64_t i) {
  return load_f64(t.type.dtype, t.data, i);
}
inline std::int64_t get_i64(const RefTensor& t, std::int64_t i) {
  return load_i64(t.type.dtype, t.data, i);
}
inline void put_f64(RefTensor& t, std::int64_t i, double v) {
  store_f64(t.type.dtype, t.data, i, v);
}
inline void put_i64(RefTensor& t, std::int64_t i, std::int64_t v) {
  store_i64(t.type.dtype, t.data, i, v);
}
/// Copies `count` elements bit for bit; the tensors have one plain type.
void copy_elements(RefTensor& to, std::int64_t to_index, const RefTensor& from,
                   std::int64_t from_index, std::int64_t count = 1);

/// Walks the indices of a shape in row-major order: index() [0..n) and index_in(i), the offset
/// in operand i, whose strides (one per dim of the shape; 0: broadcast) were given by add().
class Walk {
 public:
  explicit Walk(const Shape& shape) : shape_(shape), at_(Shape::filled(shape.rank(), 0)) {}
  /// An operand of `shape`, broadcast to the walk's. Returns its number.
  int add_broadcast(const Shape& shape);
  /// An operand with explicit strides and a start.
  int add(const Shape& strides, std::int64_t start = 0);
  std::int64_t size() const { return shape_.elements(); }
  std::int64_t operator[](int operand) const { return offset_[operand]; }
  const Shape& at() const { return at_; }
  /// To the next index.
  void next();

 private:
  static constexpr int kOperands = 8;
  Shape shape_;
  Shape at_;
  Shape strides_[kOperands];
  std::int64_t offset_[kOperands] = {};
  int operands_ = 0;
};

/// Offset in a tensor of `shape` of the element that broadcasts to index `at` of the output.
std::int64_t broadcast_offset(const Shape& shape, const Shape& at);

/// A tensor seen as [outer, axis, inner] around one axis.
struct AxisSplit {
  std::int64_t outer = 1;
  std::int64_t size = 1;
  std::int64_t inner = 1;
};
AxisSplit split_at(const Shape& shape, int axis);

}  // namespace polaris
