// The command line's grammars and schemas.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "support/generation.h"
#include "support/process.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

ProcessResult generate_with(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"generate",         stories_path("q8_0"), "-p",
                                        "Once upon a time", "--device",           "cpu"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_polaris(arguments);
}

Json last_with(std::vector<std::string> more) {
  more.emplace_back("--json");
  const ProcessResult result = generate_with(more);
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  const auto lines = split(trim(result.out), '\n');
  return Json::parse(lines.back());
}

const std::string kSchema = R"({"type": "object", "properties": {
  "name": {"type": "string", "minLength": 2, "maxLength": 12},
  "age": {"type": "integer", "minimum": 3, "exclusiveMaximum": 100},
  "pets": {"type": "array", "items": {"enum": ["cat", "dog"]}, "minItems": 1, "maxItems": 3},
  "likes": {"anyOf": [{"type": "null"}, {"type": "boolean"}]}},
  "required": ["name", "age", "pets"], "additionalProperties": false})";

TEST_CASE("a schema makes JSON that fits it, whatever the seed") {
  std::set<std::string> texts;
  for (int seed = 0; seed < 12; ++seed) {
    const Json last = last_with({"-n", "200", "--json-schema", kSchema, "--seed",
                                 std::to_string(seed), "--temperature", "1.5", "--top-k", "0"});
    const std::string text = last.at("text");
    CAPTURE(text);
    CHECK(last.at("finish") == "grammar");
    texts.insert(text);
    const Json value = Json::parse(text);
    const std::string name = value.at("name");
    const auto length = std::count_if(name.begin(), name.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    });
    CHECK((length >= 2 && length <= 12));
    CHECK((value.at("age") >= 3 && value.at("age") < 100));
    CHECK((value.at("pets").size() >= 1 && value.at("pets").size() <= 3));
    for (const Json& pet : value.at("pets")) CHECK((pet == "cat" || pet == "dog"));
    for (const auto& [key, member] : value.items()) {
      CHECK((key == "name" || key == "age" || key == "pets" || key == "likes"));
    }
  }
  CHECK(texts.size() > 6);
}

TEST_CASE("grammars come from flags and files, and from a sampler's") {
  const TemporaryFolder folder;
  const std::string gbnf = "root ::= \" there was a \" [a-z]{3,6} \".\"";
  const Json flag = last_with({"-n", "60", "--temperature", "0", "--grammar", gbnf});
  const std::string text = flag.at("text");
  CHECK(text.starts_with(" there was a "));
  CHECK(text.ends_with("."));
  CHECK(flag.at("finish") == "grammar");
  const std::string file = folder.file("g.gbnf");
  REQUIRE(write_file(file, gbnf));
  CHECK(last_with({"-n", "60", "--temperature", "0", "--grammar-file", file}).at("ids") ==
        flag.at("ids"));
  const std::string sampler = folder.file("s.json");
  REQUIRE(write_file(sampler, Json{{"temperature", 0}, {"grammar", gbnf}}.dump()));
  CHECK(last_with({"-n", "60", "--sampler", sampler}).at("ids") == flag.at("ids"));
  REQUIRE(write_file(sampler, Json{{"json_schema", Json::parse(kSchema)}}.dump()));
  CHECK(Json::parse(last_with({"-n", "200", "--sampler", sampler, "--seed", "1"})
                        .at("text")
                        .get<std::string>())
            .contains("age"));
  REQUIRE(write_file(file, kSchema));
  CHECK(Json::parse(last_with({"-n", "200", "--json-schema-file", file, "--seed", "2"})
                        .at("text")
                        .get<std::string>())
            .contains("pets"));
}

TEST_CASE("a grammar that may go on ends by the model's own end, or by its length") {
  const Json end =
      last_with({"-n", "50", "--temperature", "0", "--grammar", "root ::= \" x\" \"y\"*"});
  CHECK((end.at("finish") == "end" || end.at("finish") == "length"));
  CHECK(last_with({"-n", "9", "--grammar", "root ::= \"a\"{100}"}).at("finish") == "length");
  // Without an end token it goes on as long as it may.
  const Json on = last_with({"-n", "50", "--ignore-eos", "--grammar", "root ::= \"ab\"{1,7}"});
  CHECK(on.at("text") == "ababababababab");
  CHECK(on.at("finish") == "grammar");
}

TEST_CASE("chat answers by a grammar, turn after turn") {
  const ProcessResult result =
      run_polaris({"chat", stories_path("q8_0"), "--device", "cpu", "--json", "--chat-template",
                   "chatml", "--grammar", "root ::= \"yes\" | \"no\""},
                  {.input = "hello\nagain\n"});
  CAPTURE(result.err);
  CHECK(result.exit_code == 0);
  const auto lines = split(trim(result.out), '\n');
  REQUIRE(lines.size() == 2);
  for (const std::string_view line : lines) {
    const Json answer = Json::parse(line);
    CHECK((answer.at("content") == "yes" || answer.at("content") == "no"));
    CHECK(answer.at("finish") == "grammar");
  }
}

TEST_CASE("what is no grammar, or cannot be, is one line") {
  const TemporaryFolder folder;
  const auto fails = [&](const std::vector<std::string>& more, int code, std::string_view why) {
    const ProcessResult result = generate_with(more);
    CAPTURE(result.err);
    CHECK(result.exit_code == code);
    CHECK(result.err.find(why) != std::string::npos);
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  };
  fails({"--grammar", "root ::= \"a\" root"}, 1, "rule 'root' never ends");
  fails({"--grammar", "root ::= root \"a\" | \"b\""}, 1, "left recursion");
  fails({"--grammar-file", folder.file("none.gbnf")}, 1, "none.gbnf");
  fails({"--json-schema", R"({"type": "array", "uniqueItems": true})"}, 1,
        "[schema] /uniqueItems: ");
  fails({"--json-schema", R"({"items": {"$ref": "#/nowhere"}})"}, 1, "/items/$ref");
  fails({"--json-schema", "{"}, 1, "[schema]");
  fails({"--json-schema", "false"}, 1, "no value fits it");
  fails({"--grammar", "root ::= \"a\"", "--json-schema", "{}"}, 2, "--json-schema");
  const std::string ids = folder.file("ids.json");
  REQUIRE(write_file(ids, "[5]"));
  fails({"--grammar", "root ::= \"a\"", "--force-ids", ids}, 1, "grammar");
  const std::string sampler = folder.file("s.json");
  REQUIRE(write_file(sampler, R"({"grammar": "root ::= 'a'"})"));
  fails({"--sampler", sampler}, 1, "[grammar] line 1");
}

}  // namespace
}  // namespace polaris
