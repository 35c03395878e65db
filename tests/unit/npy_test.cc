#include "wire/npy.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "base/os/files.h"
#include "tensor/element.h"

namespace polaris {
namespace {

std::vector<std::byte> npy(std::string_view dict, std::string_view data, int version = 1) {
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
    file += static_cast<char>((dict.size() >> (8 * i)) & 0xFFu);
  }
  file += dict;
  file += data;
  std::vector<std::byte> out(file.size());
  std::memcpy(out.data(), file.data(), file.size());
  return out;
}

TEST_CASE("a file of numpy.save is read") {
  // numpy.save(f, numpy.arange(6, dtype='<i2').reshape(2, 3)), as NumPy 1.26 wrote it.
  std::string dict = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }";
  dict.resize(117, ' ');
  dict += '\n';
  const auto file = npy(dict, std::string_view("\0\0\1\0\2\0\3\0\4\0\5\0", 12));
  const auto tensor = read_npy(file);
  REQUIRE(tensor.ok());
  CHECK(tensor->dtype() == DType::kI16);
  CHECK(tensor->shape() == Shape{2, 3});
  CHECK(tensor->data<std::int16_t>()[5] == 5);
  // What we write of it is the same file, byte for byte.
  CHECK(*format_npy(*tensor) == file);
}

TEST_CASE("Fortran order, big endian, scalars and newer versions") {
  const auto fortran = read_npy(
      npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }", "abcdefghijkl", 2));
  REQUIRE(fortran.ok());
  // Element [i][j][k] is letter i + 2 j + 6 k.
  CHECK(std::memcmp(fortran->bytes().data(), "agciekbhdjfl", 12) == 0);
  const auto big = read_npy(npy("{\"descr\": '>f4', 'fortran_order': False, 'shape': (1,)}",
                                std::string_view("\x3F\x80\0\0", 4), 3));
  REQUIRE(big.ok());
  CHECK(big->data<float>()[0] == 1.0f);
  const auto scalar =
      read_npy(npy("{'descr':'<f8','fortran_order':False,'shape':()}", std::string(8, '\0')));
  REQUIRE(scalar.ok());
  CHECK(scalar->shape().rank() == 0);
  const auto flags =
      read_npy(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", "\x05\x01"));
  REQUIRE(flags.ok());
  CHECK(flags->data<std::uint8_t>()[0] == 1);
}

TEST_CASE("every dtype comes back as it went") {
  const std::string path = "/tmp/polaris_npy_" + std::to_string(::getpid()) + ".npy";
  for (int d = 0; d < kDTypeCount; ++d) {
    const auto dtype = static_cast<DType>(d);
    if (dtype == DType::kString) continue;  // value_file_test
    for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{5}, Shape{2, 1, 3}}) {
      auto tensor = Tensor::allocate(dtype, shape);
      REQUIRE(tensor.ok());
      for (std::int64_t i = 0; i < tensor->elements(); ++i) {
        store_f64(dtype, tensor->mutable_bytes().data(), i, static_cast<double>(i));
      }
      REQUIRE(save_npy(path, *tensor).ok());
      const auto back = load_npy(path, dtype);
      REQUIRE(back.ok());
      CHECK(back->type() == tensor->type());
      // What a byte stands for the file does not say.
      CHECK(load_npy(path).ok() == !is_small(dtype));
      CHECK(std::equal(back->bytes().begin(), back->bytes().end(), tensor->bytes().begin(),
                       tensor->bytes().end()));
    }
  }
  ::unlink(path.c_str());
}

TEST_CASE("malformed files are refused") {
  const std::string_view good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  const auto whole = npy(good, "abcdefgh");
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    CHECK_FALSE(read_npy(std::span(whole).first(cut)).ok());
  }
  for (std::string_view dict :
       {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }",
        "{'descr': '<f4', 'fortran_order': False, }",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': (2,), }",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f4', 'evil': False, 'shape': (2,), }", "{'descr': '<f4", "", "{", "[]"}) {
    CHECK(read_npy(npy(dict, "abcdefgh")).error().code() == ErrorCode::kInvalid);
  }
  for (std::string_view dict : {"{'descr': '<M8', 'fortran_order': False, 'shape': (1,), }",
                                "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }",
                                "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}",
                                "{'descr': '', 'fortran_order': False, 'shape': (2,), }"}) {
    CHECK(read_npy(npy(dict, "abcdefgh")).error().code() == ErrorCode::kUnsupported);
  }
}

}  // namespace
}  // namespace polaris
