// The command line comparing two models.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/os/files.h"
#include "support/process.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

std::string model(const std::string& bias, const std::string& input = "x",
                  const std::string& output = "y") {
  return "graph main {\n  input %" + input + " : float32[2, 3]\n  const %b : float32[3] = [1, 2, " +
         bias + "]\n  %e = Exp(%" + input + ") : float32[2, 3] as \"exp\"\n" +
         "  %a = Add(%e, %b) : float32[2, 3] as \"add\"\n  %n = Neg(%a) : float32[2, 3]\n" +
         "  output %n \"" + output + "\"\n}\n";
}

struct Pair {
  TemporaryFolder folder;
  std::string a = folder.file("a.txt");
  std::string b = folder.file("b.txt");
  Pair(const std::string& first, const std::string& second) {
    REQUIRE(write_file(a, first).ok());
    REQUIRE(write_file(b, second).ok());
  }
  ProcessResult diff(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"diff", a, b, "--device", "cpu"});
    return run_polaris(std::move(more));
  }
};

}  // namespace

TEST_CASE("diff finds nothing between a model and the ONNX file made of it") {
  const Pair pair(model("3"), "");
  const std::string file = pair.folder.file("b.onnx");
  REQUIRE(run_polaris({"convert", pair.a, "-o", file}).exit_code == 0);
  const ProcessResult done = run_polaris({"diff", pair.a, file, "--json", "--device", "cpu"});
  REQUIRE_MESSAGE(done.exit_code == 0, done.err);
  const Json json = Json::parse(done.out);
  CHECK(json.at("same") == true);
  CHECK(json.at("outputs")[0].at("name") == "y");
  CHECK(json.at("outputs")[0].at("max_abs") == 0);
  CHECK(json.at("outputs")[0].at("elements") == 6);
  CHECK(json.at("first_node").is_null());
}

TEST_CASE("diff names the first output and the first node that differ, and exits with 1") {
  const Pair pair(model("3"), model("3.5"));
  const ProcessResult done = pair.diff({"--json", "--random-inputs=5"});
  CHECK(done.exit_code == 1);
  CHECK(done.err.find("[diff] output 'y' differs: 2 of 6 elements, the first at 2") !=
        std::string::npos);
  const Json json = Json::parse(done.out);
  CHECK(json.at("same") == false);
  CHECK(json.at("outputs")[0].at("differing") == 2);
  CHECK(json.at("outputs")[0].at("max_abs").get<double>() == doctest::Approx(0.5));
  CHECK(json.at("first_node").at("name") == "add");
  CHECK(json.at("first_node").at("op") == "Add");
  const ProcessResult loose = pair.diff({"--atol", "0.6"});
  CHECK_MESSAGE(loose.exit_code == 0, loose.err);
  CHECK(loose.out.find("y: same, at most 0.5 apart") != std::string::npos);
}

TEST_CASE("diff pairs inputs and outputs by place where no name is the same") {
  const Pair renamed(model("3"), model("3", "z", "w"));
  const ProcessResult same = renamed.diff();
  CHECK_MESSAGE(same.exit_code == 0, same.err);
  const Pair other(model("3"),
                   "graph main {\n  input %x : float32[2, 4]\n  %n = Exp(%x)\n"
                   "  output %n \"y\"\n}\n");
  const ProcessResult wrong = other.diff();
  CHECK(wrong.exit_code == 1);
  CHECK_MESSAGE(wrong.err.find("b.txt") != std::string::npos, wrong.err);
  CHECK(renamed.diff({"--random-inputs=x"}).exit_code == 2);
}

}  // namespace polaris
