#include "wire/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <set>
#include <string_view>

#include "base/strings.h"
#include "wire/json.h"

namespace polaris {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint64_t kHeaderBytesMax = 100'000'000;  // the format's own limit
constexpr std::size_t kNameBytesMax = 4096;
constexpr std::string_view kMetadata = "__metadata__";

struct Code {
  std::string_view code;
  DType dtype;
};
constexpr Code kCodes[] = {
    {"BOOL", DType::kBool},      {"U8", DType::kU8},
    {"I8", DType::kI8},          {"U16", DType::kU16},
    {"I16", DType::kI16},        {"F16", DType::kF16},
    {"BF16", DType::kBF16},      {"U32", DType::kU32},
    {"I32", DType::kI32},        {"F32", DType::kF32},
    {"U64", DType::kU64},        {"I64", DType::kI64},
    {"F64", DType::kF64},        {"F8_E4M3", DType::kF8E4M3FN},
    {"F8_E5M2", DType::kF8E5M2}, {"F8_E8M0", DType::kF8E8M0},
};

Error bad(const std::string& what) { return Error::invalid("[safetensors] " + what); }

std::string quoted(std::string_view name) { return "tensor '" + printable(name) + "' "; }

Result<TensorType> read_type(JsonValue entry, std::string_view name) {
  const auto code = entry["dtype"].text();
  if (!code) return bad(quoted(name) + "dtype, got no text, wanted one such as 'F32'");
  const auto* row = std::ranges::find_if(kCodes, [&](const Code& c) { return c.code == *code; });
  if (row == std::end(kCodes)) {
    return Error::unsupported("[safetensors] " + quoted(name) + "dtype, got '" + printable(*code) +
                              "', wanted BOOL, U8 to I64, F8 to F64 or BF16");
  }
  const JsonValue shape = entry["shape"];
  if (!shape.is(JsonKind::kArray)) return bad(quoted(name) + "shape, got none, wanted a list");
  if (shape.size() > kMaxRank) {
    return bad(quoted(name) + "shape, got " + std::to_string(shape.size()) +
               " dims, wanted at most " + std::to_string(kMaxRank));
  }
  TensorType out{row->dtype, {}, {}};
  for (JsonValue dim = shape.first(); dim; dim = dim.next()) {
    const auto size = dim.i64();
    if (!size || *size < 0) return bad(quoted(name) + "shape, got no size, wanted 0 or more");
    out.shape.push_back(*size);
  }
  return out;
}

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

Result<Range> read_range(JsonValue entry, std::string_view name, std::uint64_t bytes) {
  const JsonValue offsets = entry["data_offsets"];
  const auto begin = offsets.is(JsonKind::kArray) ? offsets.first().u64() : std::nullopt;
  const auto end = begin ? offsets.first().next().u64() : std::nullopt;
  if (!end || offsets.size() != 2) {
    return bad(quoted(name) + "data_offsets, got no two numbers, wanted a begin and an end");
  }
  if (*begin <= *end && *end <= bytes) return Range{*begin, *end};
  return bad(quoted(name) + "data_offsets, got " + std::to_string(*begin) + " to " +
             std::to_string(*end) + ", wanted a range of " + std::to_string(bytes) + " bytes");
}

Result<SafetensorsTensor> read_tensor(JsonValue entry, std::span<const std::byte> data) {
  const std::string_view name = entry.name();
  if (name.empty() || name.size() > kNameBytesMax) {
    return bad("a name of " + std::to_string(name.size()) + " bytes, wanted 1 to " +
               std::to_string(kNameBytesMax));
  }
  if (!entry.is(JsonKind::kObject)) return bad(quoted(name) + "is no object");
  auto type = read_type(entry, name);
  if (!type) return type.error();
  const auto range = read_range(entry, name, data.size());
  if (!range) return range.error();
  const auto size = type->bytes();
  const std::uint64_t held = range->end - range->begin;
  if (!size || std::cmp_not_equal(*size, held)) {
    return bad(quoted(name) + "bytes, got " + std::to_string(held) + ", wanted those of " +
               type->to_string());
  }
  return SafetensorsTensor{
      std::string(name), *type,
      data.subspan(static_cast<std::size_t>(range->begin), static_cast<std::size_t>(held))};
}

Status read_metadata(JsonValue object, SafetensorsFile& out) {
  if (!object.is(JsonKind::kObject)) return bad("__metadata__ is no object");
  for (JsonValue value = object.first(); value; value = value.next()) {
    const auto text = value.text();
    if (!text) return bad("__metadata__ '" + printable(value.name()) + "' is no text");
    out.metadata.emplace(value.name(), *text);
  }
  return Status::success();
}

/// One tensor's bytes begin where those of the one before end, and the last ends with the file.
Status check_filled(SafetensorsFile& file, std::span<const std::byte> data) {
  std::ranges::stable_sort(file.tensors, [](const auto& a, const auto& b) {
    return std::pair(a.bytes.data(), a.bytes.size()) < std::pair(b.bytes.data(), b.bytes.size());
  });
  const std::byte* at = data.data();
  for (const SafetensorsTensor& tensor : file.tensors) {
    if (tensor.bytes.data() != at) {
      return bad(quoted(tensor.name) + "begins at byte " +
                 std::to_string(tensor.bytes.data() - data.data()) + ", wanted " +
                 std::to_string(at - data.data()) + ", where the one before ends");
    }
    at += tensor.bytes.size();
  }
  if (at == data.data() + data.size()) return Status::success();
  return bad(std::to_string(data.data() + data.size() - at) +
             " bytes after the last tensor, wanted none");
}

}  // namespace

Result<SafetensorsFile> parse_safetensors(std::span<const std::byte> file) {
  std::uint64_t length = 0;
  if (file.size() < sizeof length) return bad("the file ends in its header's length");
  std::memcpy(&length, file.data(), sizeof length);
  const std::uint64_t most = std::min<std::uint64_t>(kHeaderBytesMax, file.size() - sizeof length);
  if (length > most) {
    return bad("header, got " + std::to_string(length) + " bytes, wanted at most " +
               std::to_string(most));
  }
  const std::string_view header(reinterpret_cast<const char*>(file.data() + sizeof length),
                                static_cast<std::size_t>(length));
  if (!header.starts_with('{')) return bad("the header begins with no '{'");
  const auto document = JsonDocument::parse(header);
  if (!document) return document.error().with_context("[safetensors] header");
  const auto data = file.subspan(sizeof length + static_cast<std::size_t>(length));
  SafetensorsFile out;
  std::set<std::string_view> names;
  for (JsonValue entry = document->root().first(); entry; entry = entry.next()) {
    if (!names.insert(entry.name()).second) return bad(quoted(entry.name()) + "is there twice");
    if (entry.name() == kMetadata) {
      if (auto s = read_metadata(entry, out); !s) return s.error();
      continue;
    }
    auto tensor = read_tensor(entry, data);
    if (!tensor) return tensor.error();
    out.tensors.push_back(tensor.take());
  }
  if (auto s = check_filled(out, data); !s) return s.error();
  return out;
}

std::optional<std::string_view> safetensors_code(DType dtype) {
  const auto* row = std::ranges::find_if(kCodes, [&](const Code& c) { return c.dtype == dtype; });
  return row == std::end(kCodes) ? std::nullopt : std::optional(row->code);
}

}  // namespace polaris
