#include "tensor/shape.h"

#include <algorithm>

#include "base/checked.h"

namespace polaris {

Shape::Shape(std::initializer_list<std::int64_t> dims)
    : Shape(std::span<const std::int64_t>(dims.begin(), dims.size())) {}

Shape::Shape(std::span<const std::int64_t> dims) {
  rank_ = static_cast<int>(std::min<std::size_t>(dims.size(), kMaxRank));
  std::copy_n(dims.begin(), rank_, dims_);
}

Shape Shape::filled(int rank, std::int64_t dim) {
  Shape out;
  for (int i = 0; i < rank; ++i) out.push_back(dim);
  return out;
}

bool Shape::push_back(std::int64_t dim) {
  if (rank_ == kMaxRank) return false;
  dims_[rank_++] = dim;
  return true;
}

void Shape::insert(int at, std::int64_t dim) {
  if (rank_ == kMaxRank) return;
  std::copy_backward(dims_ + at, dims_ + rank_, dims_ + rank_ + 1);
  dims_[at] = dim;
  ++rank_;
}

void Shape::erase(int at) {
  std::copy(dims_ + at + 1, dims_ + rank_, dims_ + at);
  --rank_;
}

bool Shape::is_static() const {
  return std::all_of(begin(), end(), [](std::int64_t d) { return is_static_dim(d); });
}

std::int64_t Shape::elements() const { return elements_between(0, rank_); }

std::int64_t Shape::elements_between(int from, int to) const {
  std::int64_t product = 1;
  for (int i = from; i < to; ++i) product *= dims_[i];
  return product;
}

std::optional<std::int64_t> Shape::checked_elements() const {
  std::int64_t product = 1;
  bool empty = false;
  for (std::int64_t dim : *this) {
    if (!is_static_dim(dim)) return std::nullopt;
    if (dim == 0) {
      empty = true;
      continue;
    }
    // Without the zeros too: strides and partial products of an empty shape must fit as well.
    const auto next = checked_mul(product, dim);
    if (!next) return std::nullopt;
    product = *next;
  }
  return empty ? 0 : product;
}

std::string Shape::to_string() const {
  std::string out = "[";
  for (int i = 0; i < rank_; ++i) {
    if (i > 0) out += ", ";
    if (dims_[i] == kUnknownDim) {
      out += '?';
    } else if (is_symbol_dim(dims_[i])) {
      out += 's' + std::to_string(symbol_of(dims_[i]));
    } else {
      out += std::to_string(dims_[i]);
    }
  }
  return out + "]";
}

bool operator==(const Shape& a, const Shape& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

std::optional<int> normalize_axis(std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) return std::nullopt;
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Shape row_major_strides(const Shape& shape) {
  Shape strides = Shape::filled(shape.rank(), 1);
  for (int i = shape.rank() - 2; i >= 0; --i) strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

namespace {

std::optional<std::int64_t> broadcast_dim(std::int64_t a, std::int64_t b) {
  if (a == b || b == 1) return a;
  if (a == 1) return b;
  if (is_static_dim(a) && is_static_dim(b)) return std::nullopt;
  // A size above one wins over a symbol, which must then equal it or be one.
  if (is_static_dim(a)) return a;
  if (is_static_dim(b)) return b;
  return kUnknownDim;
}

}  // namespace

std::optional<Shape> broadcast_shapes(const Shape& a, const Shape& b) {
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape out = longer;
  const int offset = longer.rank() - shorter.rank();
  for (int i = 0; i < shorter.rank(); ++i) {
    const auto dim = broadcast_dim(longer[offset + i], shorter[i]);
    if (!dim) return std::nullopt;
    out[offset + i] = *dim;
  }
  return out;
}

}  // namespace polaris
