// SPACE_TO_BATCH_ND and its way back: blocks of space as more batches, which dilates convolutions.
#include <utility>

#include "load/tflite/importer.h"
#include "load/tflite/op/pad.h"

namespace polaris::tflite {
namespace {

struct Blocks {
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> before;  // paddings or crops
  std::vector<std::int64_t> after;
  std::int64_t all = 1;  // product of sizes
};

constexpr std::int64_t kBlockMax = 1 << 15;

Blocks read_blocks(OperatorImport& o) {
  Blocks out;
  out.sizes = o.needed_ints(1);
  const auto pairs = o.needed_ints(2);
  const int rank = o.rank(0);
  if (!o.ok()) return out;
  const std::size_t count = out.sizes.size();
  if (pairs.size() != 2 * count || count < 1 || count > 3 || rank < 1 + static_cast<int>(count)) {
    o.fail("blocks, got " + std::to_string(count) + " of rank " + std::to_string(rank));
    return out;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (out.sizes[i] < 1 || out.sizes[i] > kBlockMax || pairs[2 * i] < 0 || pairs[2 * i + 1] < 0 ||
        pairs[2 * i] > INT32_MAX || pairs[2 * i + 1] > INT32_MAX) {
      o.fail("block or padding, got " + std::to_string(out.sizes[i]));
      return out;
    }
    out.all *= out.sizes[i];
    out.before.push_back(pairs[2 * i]);
    out.after.push_back(pairs[2 * i + 1]);
  }
  return out;
}

/// Dims of input 0 behind the batch, known or the node cannot be read.
std::vector<std::int64_t> inner_dims(OperatorImport& o) {
  std::vector<std::int64_t> out;
  for (int i = 1; i < o.rank(0); ++i) {
    const std::int64_t dim = o.builder().dim(o.raw(0), i);
    if (dim < 0) {
      o.unsupported("sizes behind the batch, wanted known ones");
      return {};
    }
    out.push_back(dim);
  }
  return out;
}

}  // namespace

void space_to_batch_nd(OperatorImport& o) {
  Builder& b = o.builder();
  const Blocks blocks = read_blocks(o);
  auto dims = inner_dims(o);
  if (!o.ok()) return;
  const std::size_t count = blocks.sizes.size();
  std::vector<std::int64_t> before{0};
  std::vector<std::int64_t> after{0};
  before.insert(before.end(), blocks.before.begin(), blocks.before.end());
  after.insert(after.end(), blocks.after.begin(), blocks.after.end());
  before.resize(dims.size() + 1, 0);
  after.resize(dims.size() + 1, 0);
  std::vector<std::int64_t> apart{-1};  // batch, (blocks, block) each axis, the rest
  std::vector<std::int64_t> perm;
  std::vector<std::int64_t> last{-1};
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t size = dims[i] + blocks.before[i] + blocks.after[i];
    if (size % blocks.sizes[i] != 0)
      return o.fail("size " + std::to_string(size) + " of an axis, wanted whole blocks");
    apart.push_back(size / blocks.sizes[i]);
    apart.push_back(blocks.sizes[i]);
    perm.push_back(static_cast<std::int64_t>(2 * i) + 2);
    last.push_back(size / blocks.sizes[i]);
  }
  perm.push_back(0);
  for (std::size_t i = 0; i < count; ++i) perm.push_back(static_cast<std::int64_t>(2 * i) + 1);
  for (std::size_t i = count; i < dims.size(); ++i) {
    perm.push_back(static_cast<std::int64_t>(apart.size()));
    apart.push_back(dims[i]);
    last.push_back(dims[i]);
  }
  const ValueId padded = zero_padded(o, o.moved(0), before, after);
  o.give_moved(0, b.reshape(b.transpose(b.reshape(padded, apart), perm), last));
}

void batch_to_space_nd(OperatorImport& o) {
  Builder& b = o.builder();
  const Blocks blocks = read_blocks(o);
  const auto dims = inner_dims(o);
  if (!o.ok()) return;
  const auto count = static_cast<std::int64_t>(blocks.sizes.size());
  std::vector<std::int64_t> apart = blocks.sizes;  // block each axis, batch, the others
  apart.push_back(-1);
  apart.insert(apart.end(), dims.begin(), dims.end());
  std::vector<std::int64_t> perm{count};
  std::vector<std::int64_t> last{-1};
  std::vector<std::int64_t> axes;
  std::vector<std::int64_t> ends;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    perm.push_back(count + 1 + i);
    perm.push_back(i);
    last.push_back(dims[at] * blocks.sizes[at]);
    axes.push_back(i + 1);
    ends.push_back(dims[at] * blocks.sizes[at] - blocks.after[at]);
    if (blocks.before[at] > ends.back()) return o.fail("crops of more than the axis has");
  }
  for (auto i = static_cast<std::size_t>(count); i < dims.size(); ++i) {
    perm.push_back(count + 1 + static_cast<std::int64_t>(i));
    last.push_back(dims[i]);
  }
  const ValueId whole = b.reshape(b.transpose(b.reshape(o.moved(0), apart), perm), last);
  o.give_moved(0, b.add("Slice", {whole, b.ints(blocks.before), b.ints(ends), b.ints(axes)}));
}

}  // namespace polaris::tflite
