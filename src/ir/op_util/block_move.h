#pragma once
#include <string>
#include <string_view>

#include "base/checked.h"
#include "ir/op_util/infer.h"

/// What DepthToSpace and SpaceToDepth check alike.
namespace polaris {

/// Elements of a square block. Errors: invalid, where there is none, or input 0 is not
/// [N, C, H, W].
inline Result<std::int64_t> block_area(const InferContext& c, std::int64_t side) {
  if (auto s = check_rank(c, 0, 4, 4); !s) return s.error();
  const auto area = checked_mul(side, side);
  if (side >= 1 && area) return *area;
  return c.fail("blocksize, got " + std::to_string(side) +
                ", wanted at least 1, and its square 64 bits");
}

/// A dim as so many parts. Errors: invalid, where parts do not divide it.
inline Result<std::int64_t> divided(const InferContext& c, std::string_view what, std::int64_t dim,
                                    std::int64_t parts) {
  if (parts == 1 || dim == 0) return dim;
  if (!is_static_dim(dim)) return kUnknownDim;
  if (dim % parts == 0) return dim / parts;
  return c.fail(std::string(what) + ", got " + std::to_string(dim) + ", wanted a multiple of " +
                std::to_string(parts));
}

}  // namespace polaris
