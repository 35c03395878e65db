#include "save/gguf/gguf_writer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "load/gguf/gguf_file.h"
#include "support/gguf_builder.h"
#include "support/process.h"

namespace polaris {
namespace {

using gguf::FileToWrite;
using gguf::GgufFile;
using gguf::GgufWriter;
using test::GgufBuilder;
using test::TemporaryFolder;

std::vector<std::byte> bytes_of(const std::string& path) {
  const std::string text = read_file(path, 1 << 24).take();
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

/// Every type of value, arrays among them.
GgufBuilder with_all_values() {
  GgufBuilder b;
  b.add_text("general.architecture", "other");
  b.add_u32("u32", 7);
  b.add_f32("f32", 0.5f);
  b.add_bool("bool", true);
  b.add_texts("texts", {"x", "", "yz"});
  b.add_raw("u8", 0, "\xff");
  b.add_raw("i8", 1, "\xff");
  b.add_raw("u16", 2, std::string_view("\xfe\xff", 2));
  b.add_raw("i16", 3, std::string_view("\xfe\xff", 2));
  b.add_raw("i32", 5, std::string(4, '\xff'));
  b.add_raw("u64", 10, std::string(8, '\xff'));
  b.add_raw("i64", 11, std::string(8, '\xff'));
  b.add_raw("f64", 12, std::string(8, '\x3f'));
  b.add_raw("bools", 9, std::string_view("\7\0\0\0\2\0\0\0\0\0\0\0\0\1", 14));
  b.add_f32s("reals", {1, 2});
  return b;
}

FileToWrite content_of(const GgufFile& file) {
  FileToWrite out;
  out.alignment = file.alignment;
  out.entries = file.entries;
  for (const gguf::TensorInfo& info : file.tensors) {
    out.tensors.push_back({info.name, info.type, info.shape});
  }
  return out;
}

TEST_CASE("what was read is written again byte for byte") {
  const TemporaryFolder folder;
  for (const std::int64_t alignment : {8, 32, 4096}) {
    CAPTURE(alignment);
    GgufBuilder b = with_all_values();
    b.alignment = alignment;
    b.add_u32("general.alignment", static_cast<std::uint32_t>(alignment));
    b.add_tensor("first", 0, {3, 2}, std::string(24, 'f'));
    b.add_tensor("none", 0, {0, 4}, "");
    b.add_tensor("scalar", 0, {}, "abcd");
    b.add_tensor("blocks", 14, {256, 2}, std::string(420, 'b'));
    b.add_tensor("not read here", 15, {256}, std::string(292, 'k'));
    b.add_tensor("last", 24, {0}, "");
    const auto file = b.file();
    const auto read = gguf::parse_gguf(file);
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error().message()));
    const std::string path = folder.file("out.gguf");
    auto writer = GgufWriter::create(path, content_of(*read));
    REQUIRE_MESSAGE(writer.ok(), (writer ? "" : writer.error().message()));
    for (const gguf::TensorInfo& info : read->tensors) {
      // In pieces of any size.
      for (auto rest = info.bytes; !rest.empty();) {
        const auto part = rest.first(std::min<std::size_t>(rest.size(), 7));
        REQUIRE(writer->append(part).ok());
        rest = rest.subspan(part.size());
      }
    }
    CHECK(path_kind(path) != PathKind::kFile);  // nobody sees half a file
    REQUIRE(writer->finish().ok());
    CHECK(bytes_of(path) == file);
    CHECK(writer->bytes() == static_cast<std::int64_t>(file.size()));
    CHECK(list_folder(folder.path(), 10)->size() == 1);
    REQUIRE(std::remove(path.c_str()) == 0);
  }
}

TEST_CASE("a key that stands there twice is one entry") {
  GgufBuilder b;
  b.add_u32("k", 7);
  b.add_f32("x", 1);
  b.add_u32("k", 7);
  const auto file = b.file();
  const auto read = gguf::parse_gguf(file);
  REQUIRE(read.ok());
  REQUIRE(read->entries.size() == 2);
  CHECK(read->entries[0].key == "k");
  CHECK(std::ranges::equal(read->entries[0].value, gguf::u32_value(7)));
  CHECK(read->entries[1].key == "x");
}

TEST_CASE("a file that lacks bytes, or is given up, leaves nothing") {
  const TemporaryFolder folder;
  const std::string path = folder.file("out.gguf");
  REQUIRE(write_file(path, "what was there").ok());
  FileToWrite content;
  content.tensors.push_back({"w", gguf::find_ggml_type("f32"), Shape{2}});
  const std::vector<std::byte> bytes(12);
  {
    auto writer = GgufWriter::create(path, content);
    REQUIRE(writer.ok());
    CHECK(writer->append(bytes).error().code() == ErrorCode::kInternal);
    REQUIRE(writer->append(std::span(bytes).first(4)).ok());
    CHECK(writer->finish().error().message().find("lacks 4 bytes") != std::string::npos);
    CHECK(list_folder(folder.path(), 10)->size() == 2);
  }
  CHECK(list_folder(folder.path(), 10)->size() == 1);
  CHECK(read_file(path, 100).take() == "what was there");
}

TEST_CASE("what cannot be written is named") {
  const TemporaryFolder folder;
  FileToWrite content;
  content.tensors.push_back({"w", gguf::find_ggml_type("q4_0"), Shape{2, 33}});
  const auto blocks = GgufWriter::create(folder.file("out.gguf"), content);
  CHECK(blocks.error().message().find(
            "tensor 'w' to write, got [2, 33], wanted rows of whole q4_0") != std::string::npos);
  content.tensors[0] = {"w", gguf::find_ggml_type("f32"), Shape{1ll << 60, 2}};
  CHECK(GgufWriter::create(folder.file("out.gguf"), content).error().code() == ErrorCode::kInvalid);
  const std::string nowhere = folder.file("missing/out.gguf");
  const auto missing = GgufWriter::create(nowhere, {});
  CHECK(missing.error().message().find("'" + nowhere + "' cannot be made") != std::string::npos);
  CHECK(list_folder(folder.path(), 10)->empty());
}

}  // namespace
}  // namespace polaris
