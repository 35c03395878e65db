// Sparse tensors as the schema's SparsityParameters have them: dims in the order in which they are
// walked, those of blocks behind the others, each dense or compressed (segments and indices).
#include <numeric>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "load/tflite/tensor.h"

namespace polaris::tflite {
namespace {

class Filler {
 public:
  Filler(Tensor& out, const SparsityDef& sparsity, std::span<const std::byte> values)
      : out_(out),
        sparsity_(sparsity),
        values_(values),
        width_(static_cast<std::size_t>(width_of(out.dtype()).raw())),
        places_(sparsity.dims.size(), 0) {}

  Status run() {
    if (Status s = prepare(); !s) return s;
    if (Status s = walk(0, 0); !s) return s;
    if (used_ * width_ == values_.size()) return Status::success();
    return Error::invalid("values, got " + std::to_string(values_.size()) + ", wanted " +
                          std::to_string(used_ * width_) + " bytes");
  }

 private:
  // Strides of every walked dim in the dense tensor, in elements.
  Status prepare() {
    const Shape& shape = out_.shape();
    const auto rank = static_cast<std::size_t>(shape.rank());
    const std::size_t levels = sparsity_.dims.size();
    const auto& order = sparsity_.traversal_order;
    const auto& blocks = sparsity_.block_map;
    if (order.size() != levels || levels != rank + blocks.size()) {
      return Error::invalid("sparsity, got " + std::to_string(levels) + " dims, wanted " +
                            std::to_string(rank + blocks.size()));
    }
    std::vector<std::int64_t> block(rank, 1);
    const Shape strides = row_major_strides(shape);
    strides_.assign(levels, 0);
    std::vector<bool> seen(levels, false);
    for (std::size_t level = 0; level < levels; ++level) {
      const std::int32_t dim = order[level];
      if (dim < 0 || std::cmp_greater_equal(dim, levels) || seen[static_cast<std::size_t>(dim)]) {
        return Error::invalid("traversal order, got " + std::to_string(dim));
      }
      seen[static_cast<std::size_t>(dim)] = true;
      if (std::cmp_less(dim, rank)) continue;
      const std::int32_t of = blocks[static_cast<std::size_t>(dim) - rank];
      const std::int64_t size = sparsity_.dims[level].dense_size;
      if (of < 0 || std::cmp_greater_equal(of, rank) || size < 1 ||
          block[static_cast<std::size_t>(of)] != 1) {
        return Error::invalid("block map, got " + std::to_string(of));
      }
      block[static_cast<std::size_t>(of)] = size;
      strides_[level] = strides[of];
    }
    for (std::size_t level = 0; level < levels; ++level) {
      const std::int32_t dim = order[level];
      if (std::cmp_greater_equal(dim, rank)) continue;
      strides_[level] = strides[dim] * block[static_cast<std::size_t>(dim)];
      const std::int64_t size = sparsity_.dims[level].dense_size;
      const bool fits =
          sparsity_.dims[level].sparse || size * block[static_cast<std::size_t>(dim)] == shape[dim];
      if (!fits) return Error::invalid("dense size, got " + std::to_string(size));
    }
    std::uint64_t nodes = static_cast<std::uint64_t>(out_.elements()) + 1;
    for (const DimensionDef& dim : sparsity_.dims) nodes += dim.indices.size();
    steps_left_ = nodes * (levels + 1);
    return Status::success();
  }

  Status walk(std::size_t level, std::size_t segment) {
    // Segments that overlap visit one index again and again.
    if (steps_left_-- == 0) return Error::invalid("segments visit more than there is");
    if (level == sparsity_.dims.size()) return place();
    const DimensionDef& dim = sparsity_.dims[level];
    if (!dim.sparse) {
      const auto size = static_cast<std::size_t>(dim.dense_size);
      for (std::size_t i = 0; i < size; ++i) {
        places_[level] = static_cast<std::int64_t>(i) * strides_[level];
        if (Status s = walk(level + 1, segment * size + i); !s) return s;
      }
      return Status::success();
    }
    if (segment + 1 >= dim.segments.size()) return Error::invalid("segments end too early");
    const std::int64_t first = dim.segments[segment];
    const std::int64_t last = dim.segments[segment + 1];
    if (first < 0 || last < first || std::cmp_greater(last, dim.indices.size())) {
      return Error::invalid("segment, got " + std::to_string(first) + " to " +
                            std::to_string(last));
    }
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t index = dim.indices[static_cast<std::size_t>(i)];
      if (index < 0) return Error::invalid("index, got " + std::to_string(index));
      places_[level] = index * strides_[level];
      if (Status s = walk(level + 1, static_cast<std::size_t>(i)); !s) return s;
    }
    return Status::success();
  }

  Status place() {
    const std::int64_t at = std::accumulate(places_.begin(), places_.end(), std::int64_t{0});
    if (at >= out_.elements()) return Error::invalid("a value has no place in the tensor");
    const std::size_t from = used_ * width_;
    if (from + width_ > values_.size()) return Error::invalid("values end too early");
    copy_bytes(out_.mutable_bytes().data() + static_cast<std::size_t>(at) * width_,
               values_.data() + from, width_);
    ++used_;
    return Status::success();
  }

  Tensor& out_;
  const SparsityDef& sparsity_;
  std::span<const std::byte> values_;
  std::size_t width_;
  std::vector<std::int64_t> places_;   // in elements, by level
  std::vector<std::int64_t> strides_;  // by level
  std::size_t used_ = 0;
  std::uint64_t steps_left_ = 0;
};

// A sparse tensor is larger than its values; this much larger at most, but for small ones.
constexpr std::int64_t kExpansionMax = 1024;
constexpr std::int64_t kSmallBytes = std::int64_t{1} << 20;

}  // namespace

Result<Tensor> make_dense(const TensorType& type, const SparsityDef& sparsity,
                          std::span<const std::byte> values) {
  if (is_packed(type.dtype)) return Error::unsupported("sparse elements narrower than a byte");
  const std::int64_t bytes_max =
      static_cast<std::int64_t>(values.size()) * kExpansionMax + kSmallBytes;
  if (*type.bytes() > bytes_max) {
    return Error::exhausted("dense bytes, got " + std::to_string(*type.bytes()) +
                            ", wanted at most " + std::to_string(bytes_max));
  }
  auto out = Tensor::allocate(type);
  if (!out) return out;
  if (Status s = Filler(*out, sparsity, values).run(); !s) return s.error();
  return out;
}

}  // namespace polaris::tflite
