#include "wire/flatbuffer.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace polaris {
namespace {

/// Bytes written front to back, offsets filled in later.
class FlatBytes {
 public:
  template <class T>
  std::size_t put(T value) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    std::memcpy(bytes_.data() + at, &value, sizeof(T));
    return at;
  }
  /// An offset to what comes next.
  void point(std::size_t at) { set(at, static_cast<std::uint32_t>(bytes_.size() - at)); }
  template <class T>
  void set(std::size_t at, T value) {
    std::memcpy(bytes_.data() + at, &value, sizeof(T));
  }
  std::vector<std::byte> bytes_;
};

struct Places {
  std::size_t root = 0;
  std::size_t vtable = 0;
  std::size_t table = 0;
  std::size_t vector = 0;  // where field 3's offset stands
};

/// Fields: 0 int32 7, 1 absent, 2 text "abc", 3 int16 [5, -6], 4 a table whose field 0 is the byte
/// 9, 5 two times that table.
FlatBytes sample(Places& places) {
  FlatBytes f;
  places.root = f.put<std::uint32_t>(0);
  places.vtable = f.bytes_.size();
  for (const int v : {4 + 2 * 6, 24, 4, 0, 8, 12, 16, 20}) f.put(static_cast<std::uint16_t>(v));
  f.point(places.root);
  places.table = f.put(std::int32_t{0});
  f.set(places.table, static_cast<std::int32_t>(places.table - places.vtable));
  f.put(std::int32_t{7});
  const std::size_t text = f.put<std::uint32_t>(0);
  places.vector = f.put<std::uint32_t>(0);
  const std::size_t inner = f.put<std::uint32_t>(0);
  const std::size_t list = f.put<std::uint32_t>(0);
  f.point(text);
  f.put<std::uint32_t>(3);
  for (const char c : std::string_view("abc")) f.put(c);
  f.put('\0');
  f.point(places.vector);
  f.put<std::uint32_t>(2);
  f.put(std::int16_t{5});
  f.put(std::int16_t{-6});
  f.point(list);
  f.put<std::uint32_t>(2);
  const std::size_t first = f.put<std::uint32_t>(0);
  const std::size_t second = f.put<std::uint32_t>(0);
  const std::size_t inner_vtable = f.bytes_.size();
  for (const int v : {6, 5, 4}) f.put(static_cast<std::uint16_t>(v));
  for (const std::size_t entry : {inner, first, second}) f.point(entry);
  const std::size_t at = f.put(std::int32_t{0});
  f.set(at, static_cast<std::int32_t>(at - inner_vtable));
  f.put(std::int8_t{9});
  return f;
}

/// Reads all that there is.
bool read_all(std::span<const std::byte> bytes) {
  FlatBuffer buffer(bytes);
  const FlatTable root = buffer.root();
  (void)root.scalar<std::int32_t>(0, 1);
  (void)root.scalar<double>(1, 1);
  (void)root.text(2);
  (void)root.scalars<std::int16_t>(3);
  (void)root.table(4).scalar<std::int8_t>(0, 0);
  for (const FlatTable& table : root.tables(5)) (void)table.flag(0);
  return buffer.status().ok();
}

}  // namespace

TEST_CASE("fields of a flatbuffer are read by number") {
  Places places;
  const FlatBytes f = sample(places);
  FlatBuffer buffer(f.bytes_);
  const FlatTable root = buffer.root();
  REQUIRE(root);
  CHECK(root.has(0));
  CHECK_FALSE(root.has(1));
  CHECK_FALSE(root.has(40));
  CHECK(root.scalar<std::int32_t>(0, 1) == 7);
  CHECK(root.scalar<std::int32_t>(1, 11) == 11);
  CHECK(root.text(2) == "abc");
  CHECK(root.scalars<std::int16_t>(3) == std::vector<std::int16_t>{5, -6});
  CHECK(root.table(4).scalar<std::int8_t>(0, 0) == 9);
  REQUIRE(root.tables(5).size() == 2);
  CHECK(root.tables(5)[1].scalar<std::int8_t>(0, 0) == 9);
  CHECK_FALSE(root.table(1));
  CHECK(root.table(1).scalar<std::int32_t>(0, 3) == 3);
  CHECK(root.scalars<std::int32_t>(1).empty());
  CHECK(buffer.status());
}

TEST_CASE("what leads out of a flatbuffer is an error") {
  Places places;
  const FlatBytes whole = sample(places);
  const auto fails = [&](std::size_t at, auto value, std::string_view what) {
    FlatBytes f = whole;
    f.set(at, value);
    FlatBuffer buffer(f.bytes_);
    const FlatTable root = buffer.root();
    (void)root.scalar<std::int32_t>(0, 1);
    (void)root.scalars<std::int16_t>(3);
    REQUIRE_FALSE(buffer.status());
    CHECK(buffer.status().error().message().find(what) != std::string::npos);
  };
  fails(places.root, std::uint32_t{0}, "offset of the root table");
  fails(places.root, std::uint32_t{0xFFFFFFFF}, "offset of the root table");
  fails(places.table, std::int32_t{1 << 20}, "leads before the start");
  fails(places.table, std::int32_t{-(1 << 20)}, "a vtable");
  fails(places.vtable, std::uint16_t{3}, "legal sizes");
  fails(places.vtable, std::uint16_t{0xFFFE}, "a vtable");
  fails(places.vtable + 2, std::uint16_t{0xFFFF}, "a table");
  fails(places.vtable + 4, std::uint16_t{22}, "outside of its table");
  fails(places.vector, std::uint32_t{0xFFFFFF}, "a vector");
}

TEST_CASE("cut and changed flatbuffers are read without harm") {
  Places places;
  const FlatBytes whole = sample(places);
  CHECK(read_all(whole.bytes_));
  for (std::size_t size = 0; size < whole.bytes_.size(); ++size) {
    // Copies of their own, so that a sanitizer sees the end.
    const std::vector<std::byte> part(whole.bytes_.begin(),
                                      whole.bytes_.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK((size > 0 || !read_all(part)));
    (void)read_all(part);
  }
  for (std::size_t at = 0; at < whole.bytes_.size(); ++at) {
    for (const int value : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
      std::vector<std::byte> changed = whole.bytes_;
      changed[at] = static_cast<std::byte>(value);
      (void)read_all(changed);
    }
  }
}

TEST_CASE("tables that share their parts are not read for ever") {
  // A vector of offsets that all lead to one table with a long list.
  FlatBytes f;
  const std::size_t root = f.put<std::uint32_t>(0);
  const std::size_t vtable = f.bytes_.size();
  for (const int v : {6, 8, 4}) f.put(static_cast<std::uint16_t>(v));
  f.point(root);
  const std::size_t table = f.put(std::int32_t{0});
  f.set(table, static_cast<std::int32_t>(table - vtable));
  const std::size_t list = f.put<std::uint32_t>(0);
  f.point(list);
  constexpr std::uint32_t kCount = 20000;
  f.put(kCount);
  const std::size_t first = f.bytes_.size();
  for (std::uint32_t i = 0; i < kCount; ++i) f.put<std::uint32_t>(0);
  const std::size_t inner = f.put(std::int32_t{0});
  f.set(inner, static_cast<std::int32_t>(inner - vtable));
  const std::size_t numbers = f.put<std::uint32_t>(0);
  f.point(numbers);
  f.put(kCount);
  for (std::uint32_t i = 0; i < kCount; ++i) f.put<std::uint32_t>(i);
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const std::size_t at = first + 4 * i;
    f.set(at, static_cast<std::uint32_t>(inner - at));
  }
  FlatBuffer buffer(f.bytes_);
  for (const FlatTable& each : buffer.root().tables(0)) (void)each.scalars<std::int32_t>(0);
  REQUIRE_FALSE(buffer.status());
  CHECK(buffer.status().error().code() == ErrorCode::kExhausted);
}

}  // namespace polaris
