#include "tensor/dtype.h"

#include "base/checked.h"

namespace polaris {
namespace {

using Kind = DTypeInfo::Kind;

constexpr DTypeInfo kRows[] = {
    {"float32", "", 32, Kind::kFloat},
    {"float16", "", 16, Kind::kFloat},
    {"bfloat16", "", 16, Kind::kFloat},
    {"float64", "", 64, Kind::kFloat},
    {"int8", "", 8, Kind::kSigned},
    {"uint8", "", 8, Kind::kUnsigned},
    {"int16", "", 16, Kind::kSigned},
    {"uint16", "", 16, Kind::kUnsigned},
    {"int32", "", 32, Kind::kSigned},
    {"uint32", "", 32, Kind::kUnsigned},
    {"int64", "", 64, Kind::kSigned},
    {"uint64", "", 64, Kind::kUnsigned},
    {"bool", "", 8, Kind::kBool},
    {"float8_e4m3fn", "float8e4m3fn", 8, Kind::kFloat},
    {"float8_e4m3fnuz", "float8e4m3fnuz", 8, Kind::kFloat},
    {"float8_e5m2", "float8e5m2", 8, Kind::kFloat},
    {"float8_e5m2fnuz", "float8e5m2fnuz", 8, Kind::kFloat},
    {"float8_e8m0fnu", "float8e8m0", 8, Kind::kFloat},
    {"float4_e2m1fn", "float4e2m1", 4, Kind::kFloat},
    {"int4", "", 4, Kind::kSigned},
    {"uint4", "", 4, Kind::kUnsigned},
    {"int2", "", 2, Kind::kSigned},
    {"uint2", "", 2, Kind::kUnsigned},
    {"string", "", 0, Kind::kText},
};
static_assert(sizeof kRows / sizeof kRows[0] == kDTypeCount);
static_assert(static_cast<int>(DType::kString) + 1 == kDTypeCount);

}  // namespace

const DTypeInfo& dtype_info(DType dtype) { return kRows[static_cast<int>(dtype)]; }

std::optional<std::int64_t> bytes_of(DType dtype, std::int64_t elements) {
  if (elements < 0) return std::nullopt;
  const int bits = dtype_info(dtype).bits;
  if (bits == 0) return std::nullopt;
  if (bits >= 8) return checked_mul<std::int64_t>(elements, bits / 8);
  // Rounded up without the sum that could leave int64.
  const int shared = 8 / bits;
  return elements / shared + (elements % shared != 0 ? 1 : 0);
}

bool same_places(DType a, DType b) {
  return dtype_info(a).bits == dtype_info(b).bits || (!is_packed(a) && !is_packed(b));
}

ElementWidth width_of(DType dtype) {
  const int bits = dtype_info(dtype).bits;
  return ElementWidth(bits < 8 ? 1 : bits / 8);
}

bool fills_bytes(DType dtype, std::int64_t elements) {
  return !is_packed(dtype) || elements % (8 / dtype_info(dtype).bits) == 0;
}

bool is_packed(DType dtype) {
  const int bits = dtype_info(dtype).bits;
  return bits > 0 && bits < 8;
}
std::string_view dtype_name(DType dtype) { return dtype_info(dtype).name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const DTypeInfo& row = kRows[i];
    if (row.name == name || (!row.alias.empty() && row.alias == name)) return static_cast<DType>(i);
  }
  return std::nullopt;
}

bool is_float(DType dtype) { return dtype_info(dtype).kind == Kind::kFloat; }
bool is_integer(DType dtype) {
  return dtype_info(dtype).kind == Kind::kSigned || dtype_info(dtype).kind == Kind::kUnsigned;
}
bool is_signed_integer(DType dtype) { return dtype_info(dtype).kind == Kind::kSigned; }

}  // namespace polaris
