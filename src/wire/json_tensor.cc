#include "wire/json_tensor.h"

#include <cmath>
#include <limits>

#include "base/json_writer.h"
#include "base/os/mapped_file.h"
#include "base/os/mapping_guard.h"
#include "tensor/element.h"
#include "tensor/number.h"
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
};

void write_element(JsonWriter& json, const Tensor& tensor, std::int64_t index) {
  const DType dtype = tensor.dtype();
  const std::byte* data = tensor.bytes().data();
  if (dtype == DType::kBool) {
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

}  // namespace

Result<Tensor> read_json_tensor(std::string_view text, DType dtype) {
  const auto document = JsonDocument::parse(text);
  if (!document) return document.error();
  const auto shape = shape_of(document->root());
  if (!shape) return shape.error();
  // No more elements than values of the text, which are bounded, unless levels are ragged.
  const auto elements = shape->checked_elements();
  if (!elements || std::cmp_greater(*elements, text.size())) {
    return bad("levels are ragged, got " + shape->to_string() + " by the first of each");
  }
  auto out = Tensor::allocate(dtype, *shape);
  if (!out) return out.error();
  if (Status status = Reader(*out).read(document->root(), 0); !status) return status.error();
  return out;
}

Result<Tensor> load_json_tensor(const std::string& path, DType dtype) {
  const auto file = MappedFile::open(path);
  if (!file) return file.error();
  const auto bytes = (*file)->bytes();
  auto out = read_json_tensor({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, dtype);
  if (auto status = check_mapping(**file); !status) return status.error();
  if (!out) return out.error().with_context("'" + path + "'");
  return out;
}

std::string format_json_tensor(const Tensor& tensor) {
  JsonWriter json;
  std::int64_t index = 0;
  write_level(json, tensor, 0, index);
  return json.take();
}

}  // namespace polaris
