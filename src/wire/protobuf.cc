#include "wire/protobuf.h"

#include <bit>
#include <cstring>

#include "base/bytes.h"

namespace polaris {
namespace {

// Values of a packed run of little-endian words.
template <class T>
Status append_fixed(const ProtoField& field, ProtoWire single, std::vector<T>& out) {
  if (field.wire == single) {
    T value;
    std::memcpy(&value, &field.scalar, sizeof(T));
    out.push_back(value);
    return Status::success();
  }
  if (field.wire != ProtoWire::kBytes || field.bytes.size() % sizeof(T) != 0) {
    return Error::invalid("a packed field holds no whole values");
  }
  const std::size_t count = field.bytes.size() / sizeof(T);
  if (count == 0) return Status::success();
  const std::size_t before = out.size();
  out.resize(before + count);
  copy_bytes(out.data() + before, field.bytes.data(), field.bytes.size());
  return Status::success();
}

// 1 to 10 bytes, seven bits each, low first; the bytes taken, or 0 where malformed or cut.
std::size_t read_varint(std::span<const std::byte> bytes, std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto part = std::to_integer<std::uint64_t>(bytes[i]);
    if (i == 9 && part > 1) return 0;
    value |= (part & 0x7Fu) << (7 * i);
    if (part < 0x80) return i + 1;
  }
  return 0;
}

template <class T>
Status append_varints(const ProtoField& field, std::vector<T>& out) {
  if (field.wire == ProtoWire::kVarint) {
    out.push_back(static_cast<T>(field.scalar));
    return Status::success();
  }
  if (field.wire != ProtoWire::kBytes) return Error::invalid("a varint field has another type");
  for (std::span<const std::byte> rest = field.bytes; !rest.empty();) {
    std::uint64_t value = 0;
    const std::size_t used = read_varint(rest, value);
    if (used == 0) return Error::invalid("a packed varint is malformed");
    out.push_back(static_cast<T>(value));
    rest = rest.subspan(used);
  }
  return Status::success();
}

}  // namespace

float ProtoField::as_f32() const {
  return std::bit_cast<float>(static_cast<std::uint32_t>(scalar));
}
double ProtoField::as_f64() const { return std::bit_cast<double>(scalar); }
std::string_view ProtoField::as_text() const {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool ProtoReader::fail(std::string what) {
  failure_ = std::move(what);
  return false;
}

bool ProtoReader::varint(std::uint64_t& value) {
  const std::size_t used = read_varint(rest_, value);
  if (used == 0) return fail("a varint is malformed or cut");
  rest_ = rest_.subspan(used);
  return true;
}

bool ProtoReader::fixed(int bytes, std::uint64_t& value) {
  const auto size = static_cast<std::size_t>(bytes);
  if (rest_.size() < size) return fail("a fixed-width value is cut");
  value = 0;
  copy_bytes(&value, rest_.data(), size);
  rest_ = rest_.subspan(size);
  return true;
}

bool ProtoReader::next(ProtoField& field) {
  if (!failure_.empty() || rest_.empty()) return false;
  offset_ = size_ - rest_.size();
  std::uint64_t key = 0;
  if (!varint(key)) return false;
  if (key >> 3 == 0 || key >> 3 > 0x1FFFFFFFu) return fail("a field number is out of range");
  field.number = static_cast<int>(key >> 3);
  field.bytes = {};
  field.scalar = 0;
  switch (key & 7u) {
    case 0: field.wire = ProtoWire::kVarint; return varint(field.scalar);
    case 1: field.wire = ProtoWire::kFixed64; return fixed(8, field.scalar);
    case 5: field.wire = ProtoWire::kFixed32; return fixed(4, field.scalar);
    case 2: break;
    default: return fail("a field has an unknown wire type");
  }
  field.wire = ProtoWire::kBytes;
  std::uint64_t length = 0;
  if (!varint(length)) return false;
  if (length > rest_.size()) {
    return fail("a length of " + std::to_string(length) + " leads past the end");
  }
  field.bytes = rest_.first(static_cast<std::size_t>(length));
  rest_ = rest_.subspan(static_cast<std::size_t>(length));
  return true;
}

Status ProtoReader::status() const {
  if (!failure_.empty()) return Error::invalid(failure_);
  return Status::success();
}

Status append_i64(const ProtoField& field, std::vector<std::int64_t>& out) {
  return append_varints(field, out);
}
Status append_u64(const ProtoField& field, std::vector<std::uint64_t>& out) {
  return append_varints(field, out);
}
Status append_f32(const ProtoField& field, std::vector<float>& out) {
  return append_fixed(field, ProtoWire::kFixed32, out);
}
Status append_f64(const ProtoField& field, std::vector<double>& out) {
  return append_fixed(field, ProtoWire::kFixed64, out);
}

}  // namespace polaris
