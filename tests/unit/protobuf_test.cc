#include "wire/protobuf.h"

#include <doctest/doctest.h>

#include <initializer_list>

namespace polaris {
namespace {

std::vector<std::byte> message(std::initializer_list<int> bytes) {
  std::vector<std::byte> out;
  for (int b : bytes) out.push_back(static_cast<std::byte>(b));
  return out;
}

TEST_CASE("fields come in order with their values") {
  // The encodings of protobuf's own documentation: 150, "testing", packed 3, 270, 86942.
  const auto bytes =
      message({0x08, 0x96, 0x01, 0x12, 0x07, 't',  'e',  's',  't',  'i',  'n',  'g', 0x32,
               0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05, 0x3D, 0x00, 0x00, 0x80, 0x3F});
  ProtoReader reader(bytes);
  ProtoField field;
  REQUIRE(reader.next(field));
  CHECK(field.number == 1);
  CHECK(field.as_i64() == 150);
  REQUIRE(reader.next(field));
  CHECK(field.as_text() == "testing");
  REQUIRE(reader.next(field));
  std::vector<std::int64_t> values;
  CHECK(append_i64(field, values).ok());
  CHECK(values == std::vector<std::int64_t>{3, 270, 86942});
  REQUIRE(reader.next(field));
  CHECK(field.number == 7);
  CHECK(field.as_f32() == 1.0f);
  std::vector<float> floats;
  CHECK(append_f32(field, floats).ok());
  CHECK(floats == std::vector<float>{1.0f});
  CHECK_FALSE(reader.next(field));
  CHECK(reader.status().ok());
}

TEST_CASE("a negative int64 is ten bytes") {
  const auto bytes = message({0x08, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01});
  ProtoReader reader(bytes);
  ProtoField field;
  REQUIRE(reader.next(field));
  CHECK(field.as_i64() == -2);
}

TEST_CASE("malformed messages end with an error") {
  for (const auto& bytes : {
           message({0x08}),             // no value
           message({0x08, 0x80}),       // cut varint
           message({0x00, 0x01}),       // field 0
           message({0x12, 0x05, 'a'}),  // length past the end
           message({0x0B}),             // group
           message({0x0F, 0x01}),       // wire type 7
           message({0x09, 1, 2, 3}),    // cut fixed64
           message({0x0D, 1, 2, 3}),    // cut fixed32
           message({0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02}),  // 65 bits
           message({0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}),  // 2^64 - 1
       }) {
    ProtoReader reader(bytes);
    ProtoField field;
    while (reader.next(field)) {
    }
    CHECK_FALSE(reader.status().ok());
    CHECK_FALSE(reader.next(field));
  }
  std::vector<float> floats;
  std::vector<std::int64_t> ints;
  ProtoField packed;
  packed.wire = ProtoWire::kBytes;
  const auto three = message({0x80, 0x80, 0x80});
  packed.bytes = three;
  CHECK_FALSE(append_f32(packed, floats).ok());
  CHECK_FALSE(append_i64(packed, ints).ok());
  packed.wire = ProtoWire::kFixed64;
  CHECK_FALSE(append_i64(packed, ints).ok());
  CHECK_FALSE(append_f32(packed, floats).ok());
}

}  // namespace
}  // namespace polaris
