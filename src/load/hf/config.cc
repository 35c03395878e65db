#include "load/hf/config.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/strings.h"

namespace polaris::hf {
namespace {

constexpr std::size_t kBytesMax = std::size_t{16} << 20;

std::string label(std::string_view key) {
  return "[hf] config.json '" + printable(key) + "', got ";
}

MetadataValue as_value(double number) {
  const bool whole = std::nearbyint(number) == number && std::abs(number) < 0x1p53;
  if (whole) return static_cast<std::int64_t>(number);
  return number;
}

}  // namespace

std::string got_text(JsonValue value) {
  if (!value) return "nothing";
  switch (value.kind()) {
    case JsonKind::kNull: return "null";
    case JsonKind::kBool: return *value.boolean() ? "true" : "false";
    case JsonKind::kNumber: return printable(value.written());
    case JsonKind::kText: return "'" + printable(*value.text()) + "'";
    case JsonKind::kArray: return "a list";
    case JsonKind::kObject: return "an object";
  }
  return "nothing";
}

JsonValue Config::get(JsonValue object, std::string_view key) {
  const JsonValue value = object ? object[key] : JsonValue();
  return value.is(JsonKind::kNull) ? JsonValue() : value;
}

double Config::number(JsonValue object, std::string_view key, double low, double high,
                      double otherwise) {
  const JsonValue value = get(object, key);
  if (!value) return otherwise;
  const auto number = value.number();
  if (number && *number >= low && *number <= high) return *number;
  fail(key, got_text(value), "a number from " + format_f64(low) + " to " + format_f64(high));
  return otherwise;
}

bool Config::flag(std::string_view key, bool otherwise) {
  const JsonValue value = get(key);
  if (!value) return otherwise;
  if (const auto flag = value.boolean()) return *flag;
  fail(key, got_text(value), "true or false");
  return otherwise;
}

void Config::copy(std::string_view key, std::string_view name, std::optional<double> otherwise) {
  const JsonValue value = get(key);
  if (!value) {
    if (otherwise) set(name, as_value(*otherwise));
    return;
  }
  const auto number = value.number();
  if (!number || !std::isfinite(*number)) return fail(key, got_text(value), "a number");
  if (const auto whole = value.i64()) return set(name, *whole);
  set(name, *number);
}

void Config::set(std::string_view name, MetadataValue value) {
  hyperparameters_.insert_or_assign(std::string(name), std::move(value));
}

const MetadataValue* Config::find(std::string_view name) const {
  const auto at = hyperparameters_.find(name);
  return at == hyperparameters_.end() ? nullptr : &at->second;
}

std::optional<double> Config::value_of(std::string_view name) const {
  const MetadataValue* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (const auto* whole = std::get_if<std::int64_t>(value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(value)) return *real;
  return std::nullopt;
}

void Config::add_weight(std::string name, std::vector<float> values) {
  if (!ok()) return;
  const Shape shape{static_cast<std::int64_t>(values.size())};
  auto tensor = Tensor::from<float>(DType::kF32, shape, values);
  if (!tensor) {
    status_ = tensor.error();
    return;
  }
  weights_.insert_or_assign(std::move(name), tensor.take());
}

void Config::only(std::string_view key, std::string_view otherwise,
                  std::initializer_list<std::string_view> wanted) {
  const JsonValue value = get(key);
  const auto text = value ? value.text() : std::optional(otherwise);
  if (text && std::ranges::find(wanted, *text) != wanted.end()) return;
  std::string names;
  for (std::string_view name : wanted)
    names += (names.empty() ? "'" : ", '") + std::string(name) + "'";
  refuse(key, names);
}

void Config::refuse(std::string_view key, std::string_view wanted) {
  if (!ok()) return;
  status_ = Error::unsupported(label(key) + got_text(get(key)) + ", wanted " + std::string(wanted));
}

void Config::fail(std::string_view key, const std::string& got, const std::string& wanted) {
  if (ok()) status_ = Error::invalid(label(key) + got + ", wanted " + wanted);
}

Result<JsonDocument> parse_json(const SourceFile& file, std::string_view name) {
  const std::string what = "[hf] " + std::string(name);
  if (file.bytes.size() > kBytesMax) {
    return Error::invalid(what + ", got " + std::to_string(file.bytes.size()) +
                          " bytes, wanted at most " + std::to_string(kBytesMax));
  }
  auto document =
      JsonDocument::parse({reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()});
  if (!document) return document.error().with_context(what);
  return document;
}

Result<std::optional<JsonDocument>> read_json_beside(Source& source, std::string_view name) {
  const auto file = source.file(name);
  if (!file && file.error().code() == ErrorCode::kNotFound) return std::optional<JsonDocument>();
  if (!file) return file.error();
  auto document = parse_json(*file, name);
  if (!document) return document.error();
  return std::optional(document.take());
}

}  // namespace polaris::hf
