#include "wire/json_tensor.h"

#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/os/mapped_file.h"
#include "base/os/mapping_guard.h"
#include "tensor/element.h"
#include "tensor/number.h"
#include "tensor/values.h"
#include "wire/json.h"

namespace polaris {
namespace {

Error bad(std::string_view what) { return Error::invalid("[json] tensor: " + std::string(what)); }

/// Dims by the first element of each level.
Result<Shape> shape_of(JsonValue value) {
  Shape out;
  while (value.is(JsonKind::kArray)) {
    if (!out.push_back(static_cast<std::int64_t>(value.size()))) {
      return bad("more than " + std::to_string(kMaxRank) + " levels");
    }
    value = value.first();
  }
  return out;
}

class Reader {
 public:
  explicit Reader(Tensor& tensor) : tensor_(tensor), dtype_(tensor.dtype()) {}

  Status read(JsonValue value, int level) {
    if (level == tensor_.shape().rank()) return element(value);
    const std::int64_t wanted = tensor_.shape()[level];
    if (!value.is(JsonKind::kArray) || std::cmp_not_equal(value.size(), wanted)) {
      return bad("level " + std::to_string(level) + " is ragged, wanted arrays of " +
                 std::to_string(wanted));
    }
    for (JsonValue v = value.first(); v; v = v.next()) {
      if (Status status = read(v, level + 1); !status) return status;
    }
    return Status::success();
  }

  /// What was read, where they are strings.
  const std::vector<std::string_view>& strings() const { return strings_; }

 private:
  Status element(JsonValue value) {
    if (store(value)) {
      ++index_;
      return Status::success();
    }
    return bad("element " + std::to_string(index_) + " is none of " +
               std::string(dtype_name(dtype_)));
  }

  bool store(JsonValue value) {
    if (dtype_ == DType::kString) {
      const auto text = value.text();
      if (text) strings_.push_back(*text);
      return text.has_value();
    }
    std::byte* const data = tensor_.mutable_bytes().data();
    if (const auto flag = value.boolean()) {
      return dtype_ == DType::kBool &&
             store_number(dtype_, data, index_, std::int64_t{*flag ? 1 : 0});
    }
    if (const auto text = value.text()) {
      constexpr double kInf = std::numeric_limits<double>::infinity();
      if (*text == "nan") return store_number(dtype_, data, index_, std::nan(""));
      if (*text == "inf") return store_number(dtype_, data, index_, kInf);
      return *text == "-inf" && store_number(dtype_, data, index_, -kInf);
    }
    if (!is_float(dtype_)) {
      if (const auto whole = value.i64()) return store_number(dtype_, data, index_, *whole);
      const auto large = value.u64();
      return large && store_number(dtype_, data, index_, *large);
    }
    const auto number = value.number();
    return number && store_number(dtype_, data, index_, *number);
  }

  Tensor& tensor_;
  DType dtype_;
  std::int64_t index_ = 0;
  std::vector<std::string_view> strings_;
};

void write_element(JsonWriter& json, const Tensor& tensor, std::int64_t index) {
  const DType dtype = tensor.dtype();
  const std::byte* data = tensor.bytes().data();
  if (dtype == DType::kString) {
    json.value(tensor.string(index));
  } else if (dtype == DType::kBool) {
    json.value(load_i64(dtype, data, index) != 0);
  } else if (dtype == DType::kU64) {
    json.value(static_cast<std::uint64_t>(load_i64(dtype, data, index)));
  } else if (!is_float(dtype)) {
    json.value(load_i64(dtype, data, index));
  } else if (const double v = load_f64(dtype, data, index); !std::isfinite(v)) {
    json.value(std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
  } else if (dtype == DType::kF64 || dtype == DType::kF8E8M0) {
    json.value(v);  // a power of two that is spelled short of its last bit would be rounded up
  } else {
    json.value(static_cast<float>(v));
  }
}

void write_level(JsonWriter& json, const Tensor& tensor, int level, std::int64_t& index) {
  if (level == tensor.shape().rank()) return write_element(json, tensor, index++);
  json.begin_array();
  for (std::int64_t i = 0; i < tensor.shape()[level]; ++i) {
    write_level(json, tensor, level + 1, index);
  }
  json.end_array();
}

Result<Tensor> tensor_of(JsonValue value, DType dtype, std::size_t values_max) {
  const auto shape = shape_of(value);
  if (!shape) return shape.error();
  // No more elements than values of the text, which are bounded, unless levels are ragged.
  const auto elements = shape->checked_elements();
  if (!elements || std::cmp_greater(*elements, values_max)) {
    return bad("levels are ragged, got " + shape->to_string() + " by the first of each");
  }
  auto out = Tensor::allocate(dtype, *shape);
  if (!out) return out.error();
  Reader reader(*out);
  if (Status status = reader.read(value, 0); !status) return status.error();
  if (dtype == DType::kString) return Tensor::strings(*shape, reader.strings());
  return out;
}

Result<Tensor> value_of(JsonValue value, const TensorType& type, std::size_t values_max) {
  const TensorType tensor = type.as(ValueKind::kTensor);
  switch (type.kind) {
    case ValueKind::kTensor: break;
    case ValueKind::kSequence: {
      if (!value.is(JsonKind::kArray)) return bad("is no array, wanted a sequence of tensors");
      std::vector<Tensor> items;
      for (JsonValue v = value.first(); v; v = v.next()) {
        auto item = tensor_of(v, type.dtype, values_max);
        if (!item) return item.error().with_context("item " + std::to_string(items.size()));
        items.push_back(item.take());
      }
      return make_sequence(tensor, std::move(items));
    }
    case ValueKind::kOptional:
    case ValueKind::kOptionalSequence: {
      const bool sequence = type.kind == ValueKind::kOptionalSequence;
      const TensorType held = type.as(sequence ? ValueKind::kSequence : ValueKind::kTensor);
      if (value.is(JsonKind::kNull)) return make_optional(held, std::nullopt);
      auto inner = value_of(value, held, values_max);
      if (!inner) return inner;
      return make_optional(held, inner.take());
    }
  }
  return tensor_of(value, type.dtype, values_max);
}

void write_value(JsonWriter& json, const Tensor& value) {
  const ValueKind kind = value.type().kind;
  if (kind == ValueKind::kTensor) {
    std::int64_t index = 0;
    return write_level(json, value, 0, index);
  }
  if (kind == ValueKind::kSequence) {
    json.begin_array();
    for (const Tensor& item : value.items()) write_value(json, item);
    json.end_array();
  } else if (value.items().empty()) {
    json.null();
  } else {
    write_value(json, value.items().front());
  }
}

}  // namespace

Result<Tensor> read_json_tensor(std::string_view text, DType dtype) {
  return read_json_value(text, TensorType{dtype, {}, {}});
}

Result<Tensor> read_json_value(std::string_view text, const TensorType& type) {
  const auto document = JsonDocument::parse(text);
  if (!document) return document.error();
  return value_of(document->root(), type, text.size());
}

Result<Tensor> load_json_tensor(const std::string& path, DType dtype) {
  return load_json_value(path, TensorType{dtype, {}, {}});
}

Result<Tensor> load_json_value(const std::string& path, const TensorType& type) {
  const auto file = MappedFile::open(path);
  if (!file) return file.error();
  const auto bytes = (*file)->bytes();
  auto out = read_json_value({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, type);
  if (auto status = check_mapping(**file); !status) return status.error();
  if (!out) return out.error().with_context("'" + path + "'");
  return out;
}

std::string format_json_tensor(const Tensor& tensor) { return format_json_value(tensor); }

std::string format_json_value(const Tensor& value) {
  JsonWriter json;
  write_value(json, value);
  return json.take();
}

}  // namespace polaris
