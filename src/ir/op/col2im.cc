#include <algorithm>

#include "base/checked.h"
#include "ir/any_rank.h"
#include "ir/op_util/conv_geometry.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

using Ints = std::vector<std::int64_t>;

constexpr int kSpatialDims = kMaxRank - 2;

/// The blocks along one dim: block b holds elements b * stride - pad + k * dilation.
struct BlockDim {
  std::int64_t image = 1;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t pad = 0;
  std::int64_t blocks = 1;
};

/// Errors: invalid, without a prefix.
Result<std::vector<BlockDim>> block_dims(const Ints& image, const Ints& block,
                                         const Col2ImAttrs& attrs) {
  const std::size_t n = image.size();
  if (auto s = all_of(
          check_list("image_shape", image, n, 0), check_list("block_shape", block, n, 1),
          check_list("dilations", attrs.dilations, n, 1), check_list("pads", attrs.pads, 2 * n, 0),
          check_list("strides", attrs.strides, n, 1));
      !s) {
    return s.error();
  }
  std::vector<BlockDim> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    BlockDim& d = out[i];
    d.image = image[i];
    d.kernel = block[i];
    d.stride = attrs.strides.empty() ? 1 : attrs.strides[i];
    d.dilation = attrs.dilations.empty() ? 1 : attrs.dilations[i];
    d.pad = attrs.pads.empty() ? 0 : attrs.pads[i];
    const std::int64_t padded = d.image + d.pad + (attrs.pads.empty() ? 0 : attrs.pads[n + i]);
    const std::int64_t room = padded - d.dilation * (d.kernel - 1) - 1;
    if (room < 0) {
      return Error::invalid("block_shape, got " + std::to_string(d.kernel) +
                            ", which is more than the padded image of " + std::to_string(padded));
    }
    d.blocks = room / d.stride + 1;
  }
  return out;
}

/// A product of sizes, or nothing where it is too large.
template <class Size>
std::optional<std::int64_t> product(const std::vector<BlockDim>& dims, Size size) {
  std::optional<std::int64_t> out = 1;
  for (const BlockDim& d : dims) {
    if (out) out = checked_mul(*out, size(d));
  }
  return out;
}

std::optional<std::int64_t> kernel_size(const std::vector<BlockDim>& dims) {
  return product(dims, [](const BlockDim& d) { return d.kernel; });
}
std::optional<std::int64_t> block_count(const std::vector<BlockDim>& dims) {
  return product(dims, [](const BlockDim& d) { return d.blocks; });
}

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kNumericTypes), check_rank(c, 0, 3, 3),
                      check_dtype(c, 1, dtype_set(DType::kI64)), check_rank(c, 1, 1, 1),
                      check_dtype(c, 2, dtype_set(DType::kI64)), check_rank(c, 2, 1, 1),
                      check_dims(c, "number of block_shape", c.in(2).shape[0], c.in(1).shape[0]));
      !s) {
    return s;
  }
  const Shape& x = c.in(0).shape;
  const auto image = c.ints(1);
  const auto block = c.ints(2);
  const std::int64_t spatial =
      is_static_dim(c.in(1).shape[0]) ? c.in(1).shape[0] : c.in(2).shape[0];
  if (is_static_dim(spatial) && (spatial < 1 || spatial > kSpatialDims)) {
    return c.fail("spatial dims, got " + std::to_string(spatial) + ", wanted 1 to " +
                  std::to_string(kSpatialDims));
  }
  if (!image || !block) {
    set_output(c, 0, c.in(0).dtype, unknown_shape(dim_add(spatial, 2)));
    return Status::success();
  }
  const auto dims = block_dims(*image, *block, c.as<Col2ImAttrs>());
  if (!dims) return c.fail(dims.error().message());
  const auto kernel = kernel_size(*dims);
  const auto blocks = block_count(*dims);
  if (!kernel || !blocks || (is_static_dim(x[1]) && x[1] % *kernel != 0)) {
    return c.fail("dim 1 of the input, got " + dim_text(x[1]) +
                  ", wanted a multiple of the block's elements");
  }
  if (auto s = check_dims(c, "number of blocks", x[2], *blocks); !s) return s;
  Shape out{x[0], is_static_dim(x[1]) ? x[1] / *kernel : kUnknownDim};
  for (const BlockDim& d : *dims) out.push_back(d.image);
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

/// Where element `k` of block `b` stands in the image, or -1.
std::int64_t place_of(const std::vector<BlockDim>& dims, std::int64_t k, std::int64_t b) {
  std::int64_t out = 0;
  std::int64_t size = 1;
  for (std::size_t i = dims.size(); i-- > 0;) {
    const BlockDim& d = dims[i];
    const std::int64_t at = b % d.blocks * d.stride - d.pad + k % d.kernel * d.dilation;
    b /= d.blocks;
    k /= d.kernel;
    if (at < 0 || at >= d.image) return -1;
    out += at * size;
    size *= d.image;
  }
  return out;
}

/// Integers wrap, in uint64; floats sum in double.
template <class T, class Get, class Put>
void fold_blocks(RefContext& c, const std::vector<BlockDim>& dims, Get get, Put put) {
  const Shape& x = c.in(0).type.shape;
  const Shape& out = c.out(0).type.shape;
  const std::int64_t size = out.elements_between(2, out.rank());
  const std::int64_t kernel = *kernel_size(dims);
  std::vector<T> image(static_cast<std::size_t>(size));
  for (std::int64_t plane = 0; plane < out[0] * out[1]; ++plane) {
    std::fill(image.begin(), image.end(), T{0});
    for (std::int64_t i = 0; i < kernel * x[2]; ++i) {
      const std::int64_t at = place_of(dims, i / x[2], i % x[2]);
      if (at >= 0) image[static_cast<std::size_t>(at)] += get(plane * kernel * x[2] + i);
    }
    for (std::int64_t i = 0; i < size; ++i)
      put(plane * size + i, image[static_cast<std::size_t>(i)]);
  }
}

Status reference(RefContext& c) {
  if (c.out(0).type.shape.elements() == 0) return Status::success();
  const auto dims = block_dims(read_i64(c.in(1)), read_i64(c.in(2)), c.as<Col2ImAttrs>());
  if (!dims) return c.fail(dims.error().message());
  if (is_float(c.in(0).type.dtype)) {
    fold_blocks<double>(
        c, *dims, [&](std::int64_t i) { return get_f64(c.in(0), i); },
        [&](std::int64_t i, double v) { put_f64(c.out(0), i, v); });
  } else {
    fold_blocks<std::uint64_t>(
        c, *dims, [&](std::int64_t i) { return static_cast<std::uint64_t>(get_i64(c.in(0), i)); },
        [&](std::int64_t i, std::uint64_t v) {
          put_i64(c.out(0), i, static_cast<std::int64_t>(v));
        });
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return n.inputs[0].shape.elements(); }

constexpr Port kInputs[] = {{"input"}, {"image_shape", kHostRead}, {"block_shape", kHostRead}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_col2im{
    .name = "Col2Im",
    .doc = "Images of which the columns are blocks; elements of several blocks are summed.",
    .since = 18,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<Col2ImAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
