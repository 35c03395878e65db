#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace polaris {

/// Messages inside messages, at most: what recurses over nested messages counts against it.
inline constexpr int kProtoDepthMax = 64;

enum class ProtoWire : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// One field of a message; `bytes` points into the message.
struct ProtoField {
  int number = 0;
  ProtoWire wire = ProtoWire::kVarint;
  std::uint64_t scalar = 0;          // kVarint, kFixed64, kFixed32
  std::span<const std::byte> bytes;  // kBytes

  std::int64_t as_i64() const { return static_cast<std::int64_t>(scalar); }
  float as_f32() const;
  double as_f64() const;
  std::string_view as_text() const;
};

/// Walks the fields of one message of the protobuf wire format, in order. Nothing outside the span
/// is read; groups, field number 0 and lengths beyond the end are errors.
///   ProtoReader reader(bytes);
///   for (ProtoField field; reader.next(field);) ...
///   if (!reader.status()) return ...
class ProtoReader {
 public:
  explicit ProtoReader(std::span<const std::byte> message)
      : rest_(message), size_(message.size()) {}
  /// False at the end and on an error; see status().
  bool next(ProtoField& field);
  /// What was wrong, in words without a prefix; the caller knows the message's name.
  Status status() const;
  /// Where the field that was read last, or that could not be read, begins in the message.
  std::size_t offset() const { return offset_; }

 private:
  bool fail(std::string what);
  bool varint(std::uint64_t& value);
  bool fixed(int bytes, std::uint64_t& value);

  std::span<const std::byte> rest_;
  std::size_t size_ = 0;
  std::size_t offset_ = 0;
  std::string failure_;
};

/// Appends the values of a repeated scalar field, packed (kBytes) or one by one. Errors: invalid
/// on a wire type that cannot hold such values.
Status append_i64(const ProtoField& field, std::vector<std::int64_t>& out);
Status append_u64(const ProtoField& field, std::vector<std::uint64_t>& out);
Status append_f32(const ProtoField& field, std::vector<float>& out);
Status append_f64(const ProtoField& field, std::vector<double>& out);

}  // namespace polaris
