// Values in files: strings in .npy, .npz archives, JSON; and what is no such file.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/os/files.h"
#include "support/process.h"
#include "support/value_case.h"
#include "tensor/values.h"
#include "wire/json_tensor.h"
#include "wire/npy.h"
#include "wire/pickle.h"
#include "wire/value_file.h"
#include "wire/zip.h"

namespace polaris::test {
namespace {

// np.save of arrays of objects, behind the header.
const std::string kTexts(
    "\200\004\225\232\000\000\000\000\000\000\000\214\026numpy._core.multiarray\224\214\014"
    "_reconstruct\224\223\224\214\005numpy\224\214\007ndarray\224\223\224K\000\205\224C\001"
    "b\224\207\224R\224(K\001K\002K\002\206\224h\003\214\005dtype\224\223\224\214\002O8\224"
    "\211\210\207\224R\224(K\003\214\001|\224NNNJ\377\377\377\377J\377\377\377\377K\077t"
    "\224b\211]\224(\214\001a\224\214\002\303\251\224\214\000\224h\023et\224b.",
    165);
const std::string kMixed(
    "\200\004\225\220\000\000\000\000\000\000\000\214\026numpy._core.multiarray\224\214\014"
    "_reconstruct\224\223\224\214\005numpy\224\214\007ndarray\224\223\224K\000\205\224C\001"
    "b\224\207\224R\224(K\001K\002\205\224h\003\214\005dtype\224\223\224\214\002O8\224\211"
    "\210\207\224R\224(K\003\214\001|\224NNNJ\377\377\377\377J\377\377\377\377K\077t\224b"
    "\211]\224(\214\001a\224K\001et\224b.",
    155);
const std::string kCalls(
    "\200\004\225\247\000\000\000\000\000\000\000\214\026numpy._core.multiarray\224\214\014"
    "_reconstruct\224\223\224\214\005numpy\224\214\007ndarray\224\223\224K\000\205\224C\001"
    "b\224\207\224R\224(K\001K\001\205\224h\003\214\005dtype\224\223\224\214\002O8\224\211"
    "\210\207\224R\224(K\003\214\001|\224NNNJ\377\377\377\377J\377\377\377\377K\077t\224b"
    "\211]\224\214\005posix\224\214\006system\224\223\224\214\004true\224\205\224R\224at"
    "\224b.",
    178);
// np.savez_compressed(file, np.array([1.5, 2], np.float32), np.array([3], np.float32)).
const std::string kDeflated(
    "PK\003\004\024\000\000\000\010\000\000\000!\000\366\300\363\350L\000\000\000\210\000"
    "\000\000\011\000\024\000arr_0.npy\001\000\020\000\210\000\000\000\000\000\000\000L\000"
    "\000\000\000\000\000\000\233\354\027\352\033\020\311\310P\306P\255\236\222Z\234\134"
    "\244n\245\240n\223f\242\256\243\240\236\226_TR\224\230\027\237_\224\222\012\022wK\314)"
    "N\005\212\027g$\026\244\002\371\032F:\232:\012\265\012\024\000.\006\206\003\366\014"
    "\014\014\016\000PK\003\004\024\000\000\000\010\000\000\000!\000\262\215\027xH\000\000"
    "\000\204\000\000\000\011\000\024\000arr_1.npy\001\000\020\000\204\000\000\000\000\000"
    "\000\000H\000\000\000\000\000\000\000\233\354\027\352\033\020\311\310P\306P\255\236"
    "\222Z\234\134\244n\245\240n\223f\242\256\243\240\236\226_TR\224\230\027\237_\224\222"
    "\012\022wK\314)N\005\212\027g$\026\244\002\371\032\206:\232:\012\265\012\024\000.\006"
    "\006\007\007\000PK\001\002\024\003\024\000\000\000\010\000\000\000!\000\366\300\363"
    "\350L\000\000\000\210\000\000\000\011\000\000\000\000\000\000\000\000\000\000\000\200"
    "\001\000\000\000\000arr_0.npyPK\001\002\024\003\024\000\000\000\010\000\000\000!\000"
    "\262\215\027xH\000\000\000\204\000\000\000\011\000\000\000\000\000\000\000\000\000\000"
    "\000\200\001\207\000\000\000arr_1.npyPK\005\006\000\000\000\000\002\000\002\000n\000"
    "\000\000\012\001\000\000\000\000",
    398);

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string npy(const std::string& dict, const std::string& data) {
  std::string out = "\x93NUMPY";
  out += '\x01';
  out += '\0';
  out += static_cast<char>(dict.size());
  out += '\0';
  return out + dict + data;
}

std::string header(const std::string& descr, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") +
         ", 'shape': " + shape + "}";
}

std::string utf32(const std::u32string& text, bool big = false) {
  std::string out;
  for (char32_t c : text) {
    for (int b = 0; b < 4; ++b) {
      out += static_cast<char>(static_cast<std::uint32_t>(c) >> (8 * (big ? 3 - b : b)) & 0xFFu);
    }
  }
  return out;
}

void check_read(const std::string& file, const std::string& wanted) {
  const auto got = read_npy(bytes_of(file));
  REQUIRE_MESSAGE(got, got.error().message());
  CHECK(format_json_value(*got) == wanted);
}

void check_refused(const std::string& file, std::string_view message) {
  const auto got = read_npy(bytes_of(file));
  REQUIRE_FALSE(got.ok());
  CHECK_MESSAGE(got.error().message().find(message) != std::string::npos, got.error().message());
}

TEST_CASE("npy: strings of each kind, either byte order and either order of dims") {
  const std::u32string text(U"a\0é\0\U0001F600b\0\0", 8);
  check_read(npy(header("<U2", "(4,)"), utf32(text)), R"(["a","é","😀b",""])");
  check_read(npy(header(">U2", "(2, 2)"), utf32(text, true)), R"([["a","é"],["😀b",""]])");
  check_read(npy(header("<U2", "(2, 2)", true), utf32(text)), R"([["a","😀b"],["é",""]])");
  check_read(npy(header("|S2", "(2,)"), std::string("ab\0\0", 4)), R"(["ab",""])");
  check_read(npy(header("|O", "(2, 2)"), kTexts), R"([["a","é"],["","a"]])");
  check_read(npy(header("|O", "(2, 2)", true), kTexts), R"([["a","é"],["","a"]])");
  check_read(npy(header("<U0", "(2,)"), ""), R"(["",""])");
  check_refused(npy(header("<U2", "(4,)"), utf32(text).substr(1)), "strings, got 31 bytes");
  check_refused(npy(header("<U9223372036854775807", "(4,)"), ""), "wanted more than fit");
  check_refused(npy(header("<U0", "(9223372036854775807,)"), ""), "too many empty strings");
  check_refused(npy(header("<U-1", "(1,)"), ""), "descr");
  check_refused(npy(header("<U1", "(1,)"), utf32(U"\x110000")), "wanted characters");
  check_refused(npy(header("|O", "(3,)"), kTexts), "objects, got 4, wanted 3");
}

TEST_CASE("npy: strings come back as they went, as NumPy's kind U") {
  for (const Tensor& x : {strings({2, 2}, {"a", "é", "", "😀b"}), strings({0}, {}),
                          strings({}, {"word"}), strings({1}, {""})}) {
    const auto file = format_npy(x);
    REQUIRE(file.ok());
    const auto back = read_npy(*file);
    REQUIRE(back.ok());
    CHECK(back->type() == x.type());
    CHECK(format_json_value(*back) == format_json_value(x));
    const auto json = read_json_tensor(format_json_value(x), DType::kString);
    REQUIRE(json.ok());
    CHECK(format_json_value(*json) == format_json_value(x));
  }
  CHECK_FALSE(format_npy(strings({1}, {"\xff"})).ok());
}

TEST_CASE("pickle: texts of arrays alone are read, nothing is called, and cuts are refused") {
  const auto refused = [](const std::string& data, std::string_view message) {
    const auto got = read_pickled_strings(bytes_of(data));
    REQUIRE_FALSE(got.ok());
    CHECK_MESSAGE(got.error().message().find(message) != std::string::npos, got.error().message());
  };
  refused(kMixed, "object 1 is no text");
  refused(kCalls, "name 'posix.system'");
  for (std::size_t cut = 0; cut < kTexts.size(); ++cut) {
    CHECK_FALSE(read_pickled_strings(bytes_of(kTexts.substr(0, cut))).ok());
  }
  for (std::size_t at = 0; at < kTexts.size(); ++at) {
    for (int byte : {0x00, 0x28, 0x52, 0x65, 0x94, 0xFF}) {
      std::string changed = kTexts;
      changed[at] = static_cast<char>(byte);
      (void)read_pickled_strings(bytes_of(changed)).ok();
    }
  }
}

TEST_CASE("zip: deflated and stored entries, proven by their check sums") {
  const auto entries = list_zip(bytes_of(kDeflated));
  REQUIRE_MESSAGE(entries, entries.error().message());
  REQUIRE(entries->size() == 2);
  CHECK((*entries)[1].name == "arr_1.npy");
  const auto data = read_zip(bytes_of(kDeflated), (*entries)[0]);
  REQUIRE_MESSAGE(data, data.error().message());
  CHECK(format_json_value(*read_npy(*data)) == "[1.5,2]");
  ZipWriter writer;
  REQUIRE(writer.add("a", bytes_of(kTexts)).ok());
  REQUIRE(writer.add("b", {}).ok());
  const auto file = writer.finish();
  const auto own = list_zip(file);
  REQUIRE(own.ok());
  const auto first = read_zip(file, (*own)[0]);
  REQUIRE(first.ok());
  CHECK(std::string(reinterpret_cast<const char*>(first->data()), first->size()) == kTexts);
  CHECK(read_zip(file, (*own)[1])->empty());
}

TEST_CASE("zip: what is cut, damaged or promises too much is refused") {
  for (std::size_t cut = 0; cut < kDeflated.size(); ++cut) {
    CHECK_FALSE(list_zip(bytes_of(kDeflated.substr(0, cut))).ok());
  }
  int refused = 0;
  for (std::size_t at = 0; at < kDeflated.size(); ++at) {
    for (int flip : {0x01, 0x80, 0xFF}) {
      std::string changed = kDeflated;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      const auto entries = list_zip(bytes_of(changed));
      bool whole = entries.ok();
      for (std::size_t e = 0; whole && e < entries->size(); ++e) {
        whole = read_zip(bytes_of(changed), (*entries)[e]).ok();
      }
      refused += whole ? 0 : 1;
    }
  }
  CHECK(refused > 500);
  // The second entry's place in the directory, changed to that of the first.
  std::string twice = kDeflated;
  twice.replace(twice.rfind("arr_1.npy") - 4, 4, 4, '\0');
  CHECK(list_zip(bytes_of(twice)).error().message().find("upon each other") != std::string::npos);
  auto entries = list_zip(bytes_of(kDeflated));
  REQUIRE(entries.ok());
  ZipEntry huge = (*entries)[0];
  huge.size = std::uint64_t{1} << 60;
  CHECK_FALSE(read_zip(bytes_of(kDeflated), huge).ok());
}

TEST_CASE("files of values: sequences and optionals come back from .npz and .json") {
  const TemporaryFolder folder;
  const Tensor one = *Tensor::from<float>(DType::kF32, {2}, std::vector<float>{1, 2});
  const Tensor two = *Tensor::from<float>(DType::kF32, {1, 1}, std::vector<float>{3});
  const Tensor words = strings({2}, {"a", "é"});
  const Tensor sequence = *make_sequence(one.type(), {one, two});
  const Tensor none = *make_sequence(one.type(), {});
  const Tensor texts = *make_sequence(words.type(), {words});
  const Tensor cases[] = {one,
                          words,
                          sequence,
                          none,
                          texts,
                          *make_optional(one.type(), one),
                          *make_optional(words.type(), std::nullopt),
                          *make_optional(sequence.type(), sequence),
                          *make_optional(sequence.type(), none),
                          *make_optional(sequence.type(), std::nullopt)};
  for (const Tensor& value : cases) {
    for (const std::string ending : {".npz", ".json"}) {
      const std::string path = folder.file("value" + ending);
      CAPTURE(path);
      const auto saved = save_value(path, value_format_of(path), value);
      REQUIRE_MESSAGE(saved, saved.error().message());
      const auto back = load_value(path, value.type());
      REQUIRE_MESSAGE(back, back.error().message());
      CHECK(back->type().kind == value.type().kind);
      CHECK(back->items().size() == value.items().size());
      CHECK(format_json_value(*back) == format_json_value(value));
    }
  }
  CHECK_FALSE(save_value(folder.file("s.npy"), ValueFormat::kNpy, sequence).ok());
  REQUIRE(write_file(folder.file("n.npz"), kDeflated).ok());
  const auto read = load_value(folder.file("n.npz"), sequence.type());
  REQUIRE_MESSAGE(read, read.error().message());
  CHECK(format_json_value(*read) == "[[1.5,2],[3]]");
  CHECK_FALSE(load_value(folder.file("n.npz"), one.type()).ok());
  CHECK(*list_npz(folder.file("n.npz")) == std::vector<std::string>{"arr_0", "arr_1"});
  const auto arrays = load_npz(folder.file("n.npz"),
                               [](const std::string&) -> Result<DType> { return DType::kF32; });
  REQUIRE_MESSAGE(arrays, arrays.error().message());
  REQUIRE(arrays->size() == 2);
  CHECK((*arrays)[1].first == "arr_1");
  CHECK(format_json_value((*arrays)[1].second) == "[3]");
  const auto unwanted = load_npz(folder.file("n.npz"), [](const std::string& name) {
    return name == "arr_0" ? Result<DType>(DType::kF32) : Result<DType>(Error::invalid("not it"));
  });
  CHECK(unwanted.error().message() == "'" + folder.file("n.npz") + "': not it");
  REQUIRE(write_file(folder.file("bad.json"), "[[1],[\"x\"]]").ok());
  CHECK_FALSE(load_value(folder.file("bad.json"), sequence.type()).ok());
  REQUIRE(write_file(folder.file("bad.json"), "3").ok());
  CHECK_FALSE(load_value(folder.file("bad.json"), sequence.type()).ok());
}

}  // namespace
}  // namespace polaris::test
