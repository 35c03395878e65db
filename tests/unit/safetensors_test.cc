#include "wire/safetensors.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "base/os/mapped_file.h"
#include "test_paths.h"

namespace polaris {
namespace {

/// A file of that header and so many bytes of data, each its number.
std::vector<std::byte> file_of(const std::string& header, std::size_t data,
                               std::uint64_t length = UINT64_MAX) {
  if (length == UINT64_MAX) length = header.size();
  std::vector<std::byte> out(sizeof length);
  std::memcpy(out.data(), &length, sizeof length);
  for (const char c : header) out.push_back(static_cast<std::byte>(c));
  for (std::size_t i = 0; i < data; ++i) out.push_back(static_cast<std::byte>(i));
  return out;
}

std::string message_of(const std::vector<std::byte>& file) {
  const auto parsed = parse_safetensors(file);
  return parsed ? "" : parsed.error().message();
}

TEST_CASE("tensors lie where the header says, in the order of their bytes") {
  const auto file = file_of(
      R"({"__metadata__": {"format": "pt"},
          "late": {"dtype": "F16", "shape": [2, 1, 2], "data_offsets": [4, 12]},
          "none": {"dtype": "I64", "shape": [3, 0], "data_offsets": [4, 4]},
          "first": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]},
          "one": {"dtype": "BOOL", "shape": [], "data_offsets": [12, 13]}}   )",
      13);
  const auto parsed = parse_safetensors(file);
  REQUIRE_MESSAGE(parsed, parsed.error().message());
  REQUIRE(parsed->tensors.size() == 4);
  CHECK(parsed->metadata.at("format") == "pt");
  const auto& tensors = parsed->tensors;
  CHECK(tensors[0].name == "first");
  CHECK(tensors[0].type.to_string() == "bfloat16[2]");
  CHECK(tensors[1].name == "none");
  CHECK(tensors[1].bytes.empty());
  CHECK(tensors[2].type.to_string() == "float16[2, 1, 2]");
  REQUIRE(tensors[2].bytes.size() == 8);
  CHECK(tensors[2].bytes[0] == std::byte{4});
  CHECK(tensors[3].type.to_string() == "bool[]");
  CHECK(tensors[3].bytes[0] == std::byte{12});
}

TEST_CASE("a file that the safetensors package wrote is read") {
  const auto file =
      MappedFile::open(std::string(test::kSourceDir) +
                       "/tests/data/adapters/llama-divisors.peft/adapter_model.safetensors");
  REQUIRE(file);
  const auto parsed = parse_safetensors((*file)->bytes());
  REQUIRE_MESSAGE(parsed, parsed.error().message());
  CHECK(parsed->tensors.size() == 28);
  CHECK(parsed->metadata.at("format") == "pt");
  for (const SafetensorsTensor& tensor : parsed->tensors) {
    CHECK(tensor.type.dtype == DType::kF32);
    CHECK(tensor.type.shape.rank() == 2);
  }
}

TEST_CASE("what is no safetensors file is refused by what is wrong with it") {
  const auto tensor = [](const std::string& entry, std::size_t data = 8) {
    return message_of(file_of("{\"x\": {" + entry + "}}", data));
  };
  const std::string f32 = R"("dtype": "F32", "shape": [2], )";
  CHECK(tensor(f32 + R"("data_offsets": [0, 8])").empty());
  CHECK(message_of({}) == "[safetensors] the file ends in its header's length");
  CHECK(message_of(file_of("{}", 0, 3)) == "[safetensors] header, got 3 bytes, wanted at most 2");
  CHECK(message_of(file_of("{}", 0, UINT64_MAX - 1)).find("wanted at most 2") != std::string::npos);
  CHECK(message_of(file_of(" {}", 0)) == "[safetensors] the header begins with no '{'");
  CHECK_FALSE(message_of(file_of("{\"x\"", 0)).empty());
  CHECK(message_of(file_of("{}", 1)) == "[safetensors] 1 bytes after the last tensor, wanted none");
  CHECK(message_of(file_of(R"({"x": 1})", 0)) == "[safetensors] tensor 'x' is no object");
  CHECK(tensor(R"("shape": [2], "data_offsets": [0, 8])").find("dtype, got no text") !=
        std::string::npos);
  CHECK(tensor(R"("dtype": "F6_E2M3", "shape": [2], "data_offsets": [0, 8])")
            .find("dtype, got 'F6_E2M3'") != std::string::npos);
  CHECK(tensor(R"("dtype": "F32", "data_offsets": [0, 8])").find("shape, got none") !=
        std::string::npos);
  for (const char* shape : {"[-2]", "[1.5]", "[\"2\"]", "[1e30]", "[9223372036854775808]"}) {
    CAPTURE(shape);
    CHECK(tensor(R"("dtype": "F32", "data_offsets": [0, 8], "shape": )" + std::string(shape))
              .find("shape, got no size") != std::string::npos);
  }
  CHECK(tensor(R"("dtype": "F32", "data_offsets": [0, 8], "shape": [1,1,1,1,1,1,1,1,2])")
            .find("got 9 dims") != std::string::npos);
  // Sizes that leave 64 bits, or meet them again.
  for (const char* shape : {"[4611686018427387905, 4]", "[4294967296, 4294967296]", "[3]"}) {
    CAPTURE(shape);
    CHECK(tensor(R"("dtype": "F32", "data_offsets": [0, 8], "shape": )" + std::string(shape))
              .find("bytes, got 8, wanted those of float32[") != std::string::npos);
  }
  for (const char* range : {"[8, 0]", "[0, 9]", "[1, 18446744073709551615]"}) {
    CAPTURE(range);
    CHECK(tensor(f32 + R"("data_offsets": )" + range).find("wanted a range of 8 bytes") !=
          std::string::npos);
  }
  for (const char* range : {"[0]", "[0, 8, 8]", "[-1, 7]", "8", "[0.5, 8]"}) {
    CAPTURE(range);
    CHECK(tensor(f32 + R"("data_offsets": )" + range).find("got no two numbers") !=
          std::string::npos);
  }
  CHECK(tensor(f32 + R"("data_offsets": [0, 8])", 9).find("1 bytes after") != std::string::npos);
  CHECK(tensor(f32 + R"("data_offsets": [1, 9])", 9).find("begins at byte 1, wanted 0") !=
        std::string::npos);
  const std::string entry = R"({"dtype": "U8", "shape": [2], "data_offsets": )";
  CHECK(message_of(file_of(R"({"a": )" + entry + R"([0, 2]}, "b": )" + entry + "[1, 3]}}", 3))
            .find("tensor 'b' begins at byte 1, wanted 2") != std::string::npos);
  CHECK(message_of(file_of(R"({"a": )" + entry + R"([0, 2]}, "a": )" + entry + "[2, 4]}}", 4)) ==
        "[safetensors] tensor 'a' is there twice");
  CHECK(message_of(file_of(R"({"__metadata__": {"a": 1}})", 0)) ==
        "[safetensors] __metadata__ 'a' is no text");
}

}  // namespace
}  // namespace polaris
