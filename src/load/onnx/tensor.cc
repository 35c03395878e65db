#include "load/onnx/tensor.h"

#include <cstring>
#include <iterator>

#include "base/checked.h"
#include "base/strings.h"
#include "load/file_constant.h"
#include "tensor/element.h"

namespace polaris::onnx {
namespace {

struct Row {
  std::string_view name;
  std::optional<DType> dtype;
};
constexpr Row kRows[] = {
    {"UNDEFINED", {}},
    {"FLOAT", DType::kF32},
    {"UINT8", DType::kU8},
    {"INT8", DType::kI8},
    {"UINT16", DType::kU16},
    {"INT16", DType::kI16},
    {"INT32", DType::kI32},
    {"INT64", DType::kI64},
    {"STRING", DType::kString},
    {"BOOL", DType::kBool},
    {"FLOAT16", DType::kF16},
    {"DOUBLE", DType::kF64},
    {"UINT32", DType::kU32},
    {"UINT64", DType::kU64},
    {"COMPLEX64", {}},
    {"COMPLEX128", {}},
    {"BFLOAT16", DType::kBF16},
    {"FLOAT8E4M3FN", DType::kF8E4M3FN},
    {"FLOAT8E4M3FNUZ", DType::kF8E4M3FNUZ},
    {"FLOAT8E5M2", DType::kF8E5M2},
    {"FLOAT8E5M2FNUZ", DType::kF8E5M2FNUZ},
    {"UINT4", DType::kU4},
    {"INT4", DType::kI4},
    {"FLOAT4E2M1", DType::kF4E2M1},
    {"FLOAT8E8M0", DType::kF8E8M0},
    {"UINT2", DType::kU2},
    {"INT2", DType::kI2},
};

std::string label(const TensorDef& def) { return "[onnx] tensor '" + printable(def.name) + "'"; }

Result<TensorType> type_of(const TensorDef& def) {
  const auto dtype = dtype_of(def.data_type);
  if (!dtype) {
    return Error::unsupported(label(def) + " type " + data_type_name(def.data_type) +
                              " cannot be read");
  }
  if (def.dims.size() > static_cast<std::size_t>(kMaxRank)) {
    return Error::unsupported(label(def) + " rank, got " + std::to_string(def.dims.size()) +
                              ", wanted at most " + std::to_string(kMaxRank));
  }
  for (std::int64_t dim : def.dims) {
    if (dim < 0) {
      return Error::invalid(label(def) + " dim, got " + std::to_string(dim) + ", wanted 0 or more");
    }
  }
  const TensorType type{*dtype, Shape(def.dims), {}};
  if (!type.bytes() && !(*dtype == DType::kString && type.shape.checked_elements())) {
    return Error::invalid(label(def) + " shape, got " + type.shape.to_string() +
                          ", wanted sizes whose product fits");
  }
  return type;
}

Error wrong_length(const TensorDef& def, const TensorType& type, std::size_t got) {
  return Error::invalid(label(def) + " data, got " + std::to_string(got) + ", wanted " +
                        std::to_string(*type.bytes()) + " bytes of " + type.to_string());
}

Result<std::shared_ptr<const Constant>> from_external(const TensorDef& def, const TensorType& type,
                                                      Source& source) {
  std::string_view location;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
  for (const auto& [key, value] : def.external_data) {
    if (key == "location") location = value;
    if (key != "offset" && key != "length") continue;
    const auto number = parse_u64(value);
    if (!number)
      return Error::invalid(label(def) + " external " + std::string(key) + " is no size");
    if (key == "offset") offset = *number;
    if (key == "length") length = *number;
  }
  const auto file = source.file(location);
  if (!file) return file.error().with_context(label(def));
  const auto wanted = static_cast<std::uint64_t>(*type.bytes());
  if (length && *length != wanted) {
    return wrong_length(def, type, static_cast<std::size_t>(*length));
  }
  if (offset > file->bytes.size() || wanted > file->bytes.size() - offset) {
    return Error::invalid(label(def) + " of " + std::to_string(wanted) + " bytes at " +
                          std::to_string(offset) + " leads past the end of '" +
                          printable(location) + "'");
  }
  const auto bytes =
      file->bytes.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(wanted));
  return file_constant(std::string(def.name), type, bytes, *file);
}

// Strings stand in string_data alone.
Result<std::shared_ptr<const Constant>> from_strings(const TensorDef& def, const TensorType& type) {
  if (def.external || def.raw) {
    return Error::invalid(label(def) + " of strings, got raw data, wanted string_data");
  }
  if (std::cmp_not_equal(def.strings.size(), type.shape.elements())) {
    return Error::invalid(label(def) + " data, got " + std::to_string(def.strings.size()) +
                          " values, wanted " + std::to_string(type.shape.elements()));
  }
  auto tensor = Tensor::strings(type.shape, def.strings);
  if (!tensor) return tensor.error();
  auto out = std::make_shared<Constant>();
  out->name = def.name;
  out->data = tensor.take();
  return std::shared_ptr<const Constant>(std::move(out));
}

template <class T, class Store>
Status fill(const TensorDef& def, Tensor& tensor, const std::vector<T>& values, Store&& store) {
  if (std::cmp_not_equal(values.size(), tensor.elements())) {
    return Error::invalid(label(def) + " data, got " + std::to_string(values.size()) +
                          " values, wanted " + std::to_string(tensor.elements()));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    store(tensor.mutable_bytes().data(), static_cast<std::int64_t>(i), values[i]);
  }
  return Status::success();
}

// Small types stand in int32_data byte by byte, as raw data would hold them.
Status fill_bytes(const TensorDef& def, Tensor& tensor) {
  const auto to = tensor.mutable_bytes();
  for (std::size_t i = 0; i < to.size(); ++i) {
    const std::int64_t value = def.ints[i];
    if (value < INT8_MIN || value > UINT8_MAX) {
      return Error::invalid(label(def) + " data, got " + std::to_string(value) +
                            " in int32_data, wanted a byte");
    }
    to[i] = static_cast<std::byte>(value & 0xFF);
  }
  clear_padding(tensor.dtype(), to.data(), tensor.elements());
  return Status::success();
}

// Each type has one typed field; half floats stand as their bits in int32_data.
Status fill_typed(const TensorDef& def, Tensor& tensor) {
  const DType dtype = tensor.dtype();
  if (is_small(dtype)) return fill_bytes(def, tensor);
  switch (dtype) {
    case DType::kF32:
      return fill(def, tensor, def.floats,
                  [](std::byte* to, std::int64_t i, float v) { store_f64(DType::kF32, to, i, v); });
    case DType::kF64:
      return fill(def, tensor, def.doubles, [](std::byte* to, std::int64_t i, double v) {
        store_f64(DType::kF64, to, i, v);
      });
    case DType::kU32:
    case DType::kU64:
      return fill(def, tensor, def.words, [&](std::byte* to, std::int64_t i, std::uint64_t v) {
        store_i64(dtype, to, i, static_cast<std::int64_t>(v));
      });
    default: break;
  }
  const DType stored = dtype == DType::kF16 || dtype == DType::kBF16 ? DType::kU16 : dtype;
  return fill(def, tensor, def.ints,
              [&](std::byte* to, std::int64_t i, std::int64_t v) { store_i64(stored, to, i, v); });
}

}  // namespace

std::optional<DType> dtype_of(DataType type) {
  if (type < 0 || std::cmp_greater_equal(type, std::size(kRows))) return std::nullopt;
  return kRows[type].dtype;
}

DataType data_type_of(DType dtype) {
  DataType type = 0;
  while (kRows[type].dtype != dtype) ++type;
  return type;
}

std::string data_type_name(DataType type) {
  if (type < 0 || std::cmp_greater_equal(type, std::size(kRows))) return std::to_string(type);
  return std::string(kRows[type].name);
}

Result<std::shared_ptr<const Constant>> make_constant(const TensorDef& def, Source& source) {
  const auto type = type_of(def);
  if (!type) return type.error();
  if (def.segmented) return Error::unsupported(label(def) + " is stored in segments");
  if (type->dtype == DType::kString) return from_strings(def, *type);
  if (def.external) return from_external(def, *type, source);
  if (def.raw) {
    if (std::cmp_not_equal(def.raw->size(), *type->bytes())) {
      return wrong_length(def, *type, def.raw->size());
    }
    return file_constant(std::string(def.name), *type, *def.raw, source.main());
  }
  // Typed data lies in memory already, so the count must match before more is allocated.
  const std::size_t values =
      def.floats.size() + def.ints.size() + def.doubles.size() + def.words.size();
  const bool small = is_small(type->dtype);
  const std::int64_t wanted = small ? *type->bytes() : type->shape.elements();
  if (std::cmp_not_equal(values, wanted) || (small && values != def.ints.size())) {
    return Error::invalid(label(def) + " data, got " + std::to_string(values) + " values, wanted " +
                          std::to_string(wanted) + (small ? " in int32_data" : ""));
  }
  auto tensor = Tensor::allocate(*type);
  if (!tensor) return tensor.error();
  if (Status status = fill_typed(def, *tensor); !status) return status.error();
  auto out = std::make_shared<Constant>();
  out->name = def.name;
  out->data = tensor.take();
  return std::shared_ptr<const Constant>(std::move(out));
}

}  // namespace polaris::onnx
