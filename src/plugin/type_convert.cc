#include "plugin/type_convert.h"

namespace polaris {

static_assert(POLARIS_RANK_MAX == kMaxRank);
static_assert(POLARIS_BOOL == static_cast<int>(DType::kBool));
static_assert(POLARIS_F8E8M0 == static_cast<int>(DType::kF8E8M0));
static_assert(POLARIS_F4E2M1 == static_cast<int>(DType::kF4E2M1));
static_assert(POLARIS_U2 == static_cast<int>(DType::kU2));
static_assert(POLARIS_STRING == static_cast<int>(DType::kString));
static_assert(kDTypeCount == POLARIS_STRING + 1);

polaris_type to_c_type(const TensorType& type) {
  polaris_type out = {};
  out.dtype = static_cast<polaris_dtype>(type.dtype);
  out.rank = type.shape.rank();
  for (int d = 0; d < type.shape.rank(); ++d) {
    out.dims[d] = is_static_dim(type.shape[d]) ? type.shape[d] : -1;
  }
  return out;
}

std::optional<TensorType> from_c_type(const polaris_type& type) {
  // Read as an int: the enum may hold what no enumerator names.
  const int dtype = static_cast<int>(type.dtype);
  if (dtype < 0 || dtype >= kDTypeCount || type.rank < 0 || type.rank > kMaxRank) {
    return std::nullopt;
  }
  TensorType out;
  out.dtype = static_cast<DType>(dtype);
  for (std::int32_t d = 0; d < type.rank; ++d) {
    if (type.dims[d] < -1) return std::nullopt;
    out.shape.push_back(type.dims[d] < 0 ? kUnknownDim : type.dims[d]);
  }
  return out;
}

}  // namespace polaris
