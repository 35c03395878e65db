// Strings, sequences and optionals through the command line: .npz, .npy and .json in and out.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "support/process.h"
#include "support/value_case.h"
#include "tensor/values.h"
#include "wire/json_tensor.h"
#include "wire/npy.h"
#include "wire/value_file.h"
#include "wire/zip.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

constexpr std::string_view kModel = R"(graph main {
  input %words : string[?]
  input %s : seq(float32[?])
  input %o : opt(float32[2])
  %n = SequenceLength(%s)
  %upper = StringNormalizer(%words, case_change_action = "UPPER")
  %pair = SequenceConstruct(%words, %upper)
  %none = Optional(dtype = int64)
  output %upper
  output %pair
  output %s "copy"
  output %o "o"
  output %none
  output %n
}
)";

struct Files {
  Files() {
    const Tensor one = *Tensor::from<float>(DType::kF32, {2}, std::vector<float>{1, 2});
    const Tensor two = *Tensor::from<float>(DType::kF32, {1}, std::vector<float>{3});
    REQUIRE(write_file(folder.file("m.txt"), kModel).ok());
    REQUIRE(save_npy(folder.file("words.npy"), strings({2}, {"ab", "é"})).ok());
    REQUIRE(
        save_value(folder.file("s.npz"), ValueFormat::kNpz, *make_sequence(one.type(), {one, two}))
            .ok());
    REQUIRE(write_file(folder.file("o.json"), "null").ok());
  }
  std::vector<std::string> command() const {
    return {"run", folder.file("m.txt"),        "-i", "words=" + folder.file("words.npy"),
            "-i",  "s=" + folder.file("s.npz"), "-i", "o=" + folder.file("o.json")};
  }
  TemporaryFolder folder;
};

std::string value_of(const std::string& path, const TensorType& type) {
  const auto value = load_value(path, type);
  REQUIRE_MESSAGE(value, value.error().message());
  return format_json_value(*value);
}

TEST_CASE("run takes and gives strings, sequences and optionals in every format") {
  const Files files;
  const TensorType words{DType::kString, {}, {}};
  const TensorType numbers{DType::kF32, {}, {}};
  for (const std::string format : {"npy", "npz", "json"}) {
    for (const std::string device : {"cpu", "reference"}) {
      CAPTURE(format);
      auto command = files.command();
      command.insert(command.end(), {"-o", files.folder.path(), "--output-format", format, "--json",
                                     "--device", device});
      const auto result = run_polaris(command);
      REQUIRE_MESSAGE(result.exit_code == 0, result.err);
      const Json outputs = Json::parse(result.out).at("outputs");
      const auto file = [&](std::size_t o) { return outputs.at(o).at("file").get<std::string>(); };
      CHECK(file(0).ends_with("/upper." + format));
      CHECK(file(1).ends_with(format == "json" ? "/pair.json" : "/pair.npz"));
      CHECK(outputs.at(0).at("dtype") == "string");
      CHECK(!outputs.at(0).contains("kind"));
      CHECK(outputs.at(1).at("kind") == "sequence");
      CHECK(outputs.at(2).at("shape") == Json::parse("[null]"));
      CHECK(outputs.at(3).at("kind") == "optional");
      CHECK(value_of(file(0), words) == R"(["AB","É"])");
      CHECK(value_of(file(1), words.as(ValueKind::kSequence)) == R"([["ab","é"],["AB","É"]])");
      CHECK(value_of(file(2), numbers.as(ValueKind::kSequence)) == "[[1,2],[3]]");
      CHECK(value_of(file(3), numbers.as(ValueKind::kOptional)) == "null");
      CHECK(value_of(file(5), {DType::kI64, {}, {}}) == "2");
    }
  }
  const auto shown = run_polaris({"inspect", files.folder.file("m.txt"), "--json"});
  REQUIRE_MESSAGE(shown.exit_code == 0, shown.err);
  CHECK(Json::parse(shown.out).at("inputs").at(1).at("kind") == "sequence");
  const auto text = run_polaris({"inspect", files.folder.file("m.txt")});
  CHECK(text.out.find("seq(float32[?])") != std::string::npos);
}

TEST_CASE("run takes one .npz file for several inputs") {
  const TemporaryFolder folder;
  REQUIRE(
      write_file(folder.file("m.txt"),
                 "graph main {\ninput %a : float32[2]\ninput %b : float32[2]\n%y = Sub(%a, %b)\n"
                 "output %y\n}\n")
          .ok());
  const auto archive = [&](const std::vector<std::string>& names) {
    ZipWriter zip;
    float value = 1;
    for (const std::string& name : names) {
      const auto x = Tensor::from<float>(DType::kF32, {2}, std::vector<float>{value, value});
      value *= 3;
      REQUIRE(zip.add(name + ".npy", *format_npy(*x)).ok());
    }
    REQUIRE(write_file(folder.file("in.npz"), zip.finish()).ok());
  };
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> command = {"run", folder.file("m.txt"), "-o", folder.path()};
    command.insert(command.end(), more.begin(), more.end());
    return run_polaris(command);
  };
  const std::string in = folder.file("in.npz");
  archive({"b", "a"});
  auto result = run({"-i", in});
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  CHECK(format_json_value(*load_npy(folder.file("y.npy"))) == "[2,2]");
  archive({"a"});
  result = run({"-i", in, "-i", "b=" + in});
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  CHECK(format_json_value(*load_npy(folder.file("y.npy"))) == "[0,0]");
  CHECK(run({"-i", in, "-i", "a=" + in}).exit_code == 2);
  CHECK(run({"-i", in}).err.find("input 'b' is missing") != std::string::npos);
  archive({"a", "b", "c"});
  CHECK(run({"-i", in}).err.find("got the array 'c', wanted one of 'a' 'b'") != std::string::npos);
  REQUIRE(write_file(in, "no archive").ok());
  CHECK(run({"-i", in}).err.find("[zip]") != std::string::npos);
}

TEST_CASE("run says what a value's file cannot be") {
  const Files files;
  const auto with = [&](const std::string& input) {
    auto command = files.command();
    for (std::string& word : command) {
      if (word.starts_with(input.substr(0, input.find('=') + 1))) word = input;
    }
    const auto result = run_polaris(command);
    CHECK(result.exit_code == 1);
    return result.err;
  };
  CHECK(with("s=" + files.folder.file("words.npy")).find("wanted .npz or .json") !=
        std::string::npos);
  CHECK(with("words=" + files.folder.file("s.npz")).find("arrays, got 2, wanted one") !=
        std::string::npos);
  CHECK(with("o=" + files.folder.file("words.npy")).find("input 'o', got opt(string[2])") !=
        std::string::npos);
  const auto missing = run_polaris({"run", files.folder.file("m.txt"), "--random-inputs"});
  CHECK(missing.exit_code == 1);
  CHECK(missing.err.find("only numbers can be random") != std::string::npos);
}

}  // namespace
}  // namespace polaris
