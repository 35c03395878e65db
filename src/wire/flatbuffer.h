#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

/// Bounded reading of FlatBuffers without generated code
/// (flatbuffers.dev, "FlatBuffer internals"). A table is found by offsets, and its fields by the
/// numbers that the schema gives them. Whatever leads outside of the bytes is an error of the
/// buffer, kept until somebody asks for status(); what was read then is absent, empty or zero.
namespace polaris {

class FlatTable;

/// Tables inside tables, at most.
inline constexpr int kFlatDepthMax = 16;

/// Bytes that hold a FlatBuffer; outlives its tables and never moves.
class FlatBuffer {
 public:
  explicit FlatBuffer(std::span<const std::byte> bytes);
  FlatBuffer(const FlatBuffer&) = delete;
  FlatBuffer& operator=(const FlatBuffer&) = delete;

  FlatTable root();
  std::span<const std::byte> bytes() const { return bytes_; }
  /// The first thing that was wrong, in words without a prefix. Errors: invalid; exhausted where
  /// parts are read so often that they come to many times the file.
  const Status& status() const { return status_; }

 private:
  friend class FlatTable;
  void fail(std::string what);
  /// Whether that many bytes lie at `at`; if not, that is an error.
  bool holds(std::size_t at, std::size_t size, std::string_view what);
  /// Counts what is read; many tables may point to one part.
  bool take(std::size_t bytes);
  template <class T>
  T load(std::size_t at) const {
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof(T));
    return value;
  }
  /// Where the offset at `at` leads, or 0 (no place that an offset can lead to).
  std::size_t follow(std::size_t at, std::string_view what);

  std::span<const std::byte> bytes_;
  std::size_t left_;
  Status status_;
};

/// One table, or none: a table that is not there has no fields.
class FlatTable {
 public:
  FlatTable() = default;

  explicit operator bool() const { return at_ != 0; }
  bool has(int field) const { return place(field, 0) != 0; }
  template <class T>
  T scalar(int field, T otherwise) const {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
    const std::size_t at = place(field, sizeof(T));
    return at != 0 ? buffer_->load<T>(at) : otherwise;
  }
  bool flag(int field, bool otherwise = false) const {
    return scalar<std::uint8_t>(field, otherwise ? 1 : 0) != 0;
  }
  std::string_view text(int field) const;
  FlatTable table(int field) const;
  /// A vector of scalars or of structs, as its bytes; `width` is an element's.
  std::span<const std::byte> bytes(int field, std::size_t width = 1) const;
  template <class T>
  std::vector<T> scalars(int field) const {
    const auto from = bytes(field, sizeof(T));
    std::vector<T> out(from.size() / sizeof(T));
    copy_bytes(out.data(), from.data(), from.size());
    return out;
  }
  std::vector<FlatTable> tables(int field) const;

 private:
  friend class FlatBuffer;
  FlatTable(FlatBuffer* buffer, std::size_t at, int depth)
      : buffer_(buffer), at_(at), depth_(depth) {}
  static FlatTable open(FlatBuffer& buffer, std::size_t at, int depth);
  /// Where a field of `width` bytes stands, or 0 where it is absent.
  std::size_t place(int field, std::size_t width) const;
  /// Where its elements begin, and their number; 0 where it is absent.
  std::size_t vector(int field, std::size_t width, std::size_t& count) const;

  FlatBuffer* buffer_ = nullptr;
  std::size_t at_ = 0;
  std::size_t fields_at_ = 0;    // in the vtable
  std::size_t fields_size_ = 0;  // bytes
  std::size_t size_ = 0;
  int depth_ = 0;
};

}  // namespace polaris
