#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

namespace polaris {

/// Dims of a tensor. A dim is a size (>= 0), a symbol of the graph (`symbol_dim(id)`), or unknown
/// until the data is there (`kUnknownDim`). At most kMaxRank dims; the object never allocates.
inline constexpr int kMaxRank = 8;
inline constexpr std::int64_t kUnknownDim = INT64_MIN;

/// Dim that stands for symbol `id` (>= 0) of the graph's symbol table.
constexpr std::int64_t symbol_dim(std::int64_t id) { return -1 - id; }
constexpr bool is_static_dim(std::int64_t dim) { return dim >= 0; }
constexpr bool is_symbol_dim(std::int64_t dim) { return dim < 0 && dim != kUnknownDim; }
constexpr std::int64_t symbol_of(std::int64_t dim) { return -1 - dim; }

class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims);
  /// From any number of dims; only the first kMaxRank are kept, so callers check `size` first.
  explicit Shape(std::span<const std::int64_t> dims);
  /// `rank` dims, all equal to `dim`.
  static Shape filled(int rank, std::int64_t dim);

  int rank() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  std::int64_t operator[](int i) const { return dims_[i]; }
  std::int64_t& operator[](int i) { return dims_[i]; }
  std::int64_t back() const { return dims_[rank_ - 1]; }
  std::int64_t& back() { return dims_[rank_ - 1]; }
  std::span<const std::int64_t> dims() const { return {dims_, static_cast<std::size_t>(rank_)}; }
  const std::int64_t* begin() const { return dims_; }
  const std::int64_t* end() const { return dims_ + rank_; }
  /// Appends a dim; false (and unchanged) at kMaxRank.
  bool push_back(std::int64_t dim);
  void insert(int at, std::int64_t dim);
  void erase(int at);

  /// Every dim is a size.
  bool is_static() const;
  /// Product of the dims (1 for a scalar); only for a static shape whose product was checked.
  std::int64_t elements() const;
  /// Product of the dims, or nothing where a dim is not static or the product leaves int64.
  std::optional<std::int64_t> checked_elements() const;
  /// Product of dims [from, to); for static shapes.
  std::int64_t elements_between(int from, int to) const;
  /// "[2, 3, ?]"; symbols print as "s0".
  std::string to_string() const;

  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::int64_t dims_[kMaxRank] = {};
  int rank_ = 0;
};

/// Axis in [0, rank) for an axis in [-rank, rank), or nothing.
std::optional<int> normalize_axis(std::int64_t axis, int rank);
/// Row-major strides in elements.
Shape row_major_strides(const Shape& shape);
/// NumPy broadcasting of static, symbolic and unknown dims; nothing where two sizes clash.
std::optional<Shape> broadcast_shapes(const Shape& a, const Shape& b);

}  // namespace polaris
