// What the test suite of JSON schema does not ask: how values are written, what is refused, and
// schemas that mean harm.
#include <doctest/doctest.h>

#include <ctime>
#include <string>
#include <vector>

#include "pipeline/schema/json_schema.h"
#include "support/grammar_text.h"

namespace polaris {
namespace {

using namespace test;

struct Case {
  std::string schema;
  std::vector<std::string> taken;
  std::vector<std::string> refused;
};

void check(const Case& c) {
  CAPTURE(c.schema);
  const auto grammar = parse_schema(c.schema);
  REQUIRE_MESSAGE(grammar.ok(), grammar.error().message());
  for (const std::string& text : c.taken) {
    CAPTURE(text);
    CHECK(takes(*grammar, text));
  }
  for (const std::string& text : c.refused) {
    CAPTURE(text);
    CHECK_FALSE(takes(*grammar, text));
  }
}

TEST_CASE("json schema keywords: numbers") {
  check({R"({"multipleOf": 7, "type": "integer", "minimum": 10, "maximum": 100})",
         {"14", "98", "21.0"},
         {"7", "10", "105", "-14", "14.5", "1.4e1", "014"}});
  check({R"({"type": "number", "multipleOf": 0.01})",
         {"0.01", "-3.1400", "5", "0", "99.9"},
         {"0.001", "0.015", "1e-2", "."}});
  check({R"({"type": "number", "multipleOf": 2.5, "not": {"const": 5}})",
         {"2.5", "0", "7.50", "-5"},
         {"5", "5.0", "5.000", "1", "2.55"}});
  check(
      {R"({"type": "integer", "not": {"multipleOf": 2}})", {"1", "-3", "7.0"}, {"0", "-0", "10"}});
  check({R"({"type": "number", "not": {"type": "integer"}})",
         {"1.5", "-0.25"},
         {"1", "1.0", "1.000", "15e-1"}});
  check({R"({"type": "integer", "not": {"enum": [0, 1, "a"]}})", {"2", "-1"}, {"0", "-0", "1.0"}});
  check({R"({"not": {"minimum": 5}, "type": "number"})", {"4.9", "-7"}, {"5", "5.1"}});
}

TEST_CASE("json schema keywords: texts") {
  check({R"({"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 3})",
         {R"("ab")", R"("abc")"},
         {R"("a")", R"("abcd")", R"("ab1")"}});
  check({R"({"type": "string", "allOf": [{"pattern": "a"}, {"pattern": "b"}], "maxLength": 3})",
         {R"("ab")", R"("bxa")"},
         {R"("aa")", R"("axxb")"}});
  check({R"({"type": "string", "not": {"pattern": "^x"}, "maxLength": 2})",
         {R"("")", R"("ax")", R"("\n日")"},
         {R"("x")", R"("xa")", R"("abc")"}});
  check({R"({"type": "string", "not": {"enum": ["yes", "q\"é"]}})",
         {R"("ye")", R"("yess")", R"("q\"")"},
         {R"("yes")", R"("q\"é")", R"("\u0079es")"}});
  check({R"({"type": "string", "format": "date", "pattern": "^2024"})",
         {R"("2024-02-29")"},
         {R"("2023-01-01")", R"("2024-02-30")"}});
}

TEST_CASE("json schema keywords: lists") {
  check({R"({"type": "array", "items": {"type": "integer"}, "contains": {"minimum": 5},
             "minContains": 2, "maxContains": 3, "maxItems": 4})",
         {"[5,6]", "[1,5,2,9]", "[7,8,9]"},
         {"[5]", "[]", "[5,6,7,8]", "[5,1,6,2,3]"}});
  check({R"({"uniqueItems": true, "items": {"enum": ["a", "b", 1, null]}, "minItems": 2})",
         {R"(["b","a"])", R"([1.0,null,"a","b"])"},
         {R"(["a"])", R"(["a","b","a"])", R"([1,1.0])"}});
  // Of many values the schema's order is kept.
  check({R"({"type": "array", "uniqueItems": true, "items": {"enum": [1,2,3,4,5,6,7,8,9,10]}})",
         {"[]", "[1,2,10]", "[3,9]"},
         {"[1,1]", "[2,1]"}});
  check({R"({"uniqueItems": true, "type": "array", "prefixItems": [{"type": "string"},
             {"type": "integer"}], "items": false})",
         {R"(["a",1])", "[]"},
         {R"(["a","b"])"}});
  check({R"({"type": "array", "maxItems": 1, "uniqueItems": true})", {"[[]]"}, {"[1,1]"}});
  check({R"({"type": "array", "not": {"items": {"type": "integer"}}})",
         {"[null]", "[1,2,true,3]"},
         {"[]", "[1,2]"}});
  check({R"({"type": "array", "items": {"type": "integer"}, "not": {"const": [1, 2]}})",
         {"[1]", "[1,3]", "[1,2,3]", "[]"},
         {"[1,2]", "[1.0,2]"}});
}

TEST_CASE("json schema keywords: objects") {
  check({R"({"type": "object", "patternProperties": {"^i_": {"type": "integer"},
             "x$": {"maximum": 9}},
             "additionalProperties": {"type": "string"}, "properties": {"i_a": {"minimum": 1}}})",
         {R"({"i_a":1,"i_b":2,"i_x":9,"name":"n"})", R"({"ax":"t"})"},
         {R"({"i_a":0})", R"({"i_b":"s"})", R"({"i_x":10})", R"({"name":1})"}});
  check({R"({"type": "object", "propertyNames": {"pattern": "^[a-z]+$", "maxLength": 3},
             "additionalProperties": {"type": "integer"}})",
         {R"({"abc":1,"d":2})"},
         {R"({"abcd":1})", R"({"A":1})"}});
  check(
      {R"({"type": "object", "properties": {"card": {"type": "string"}, "bill": {"type": "string"}},
             "dependentRequired": {"card": ["bill"]}, "additionalProperties": false})",
       {"{}", R"({"card":"1","bill":"2"})", R"({"bill":"2"})"},
       {R"({"card":"1"})"}});
  check(
      {R"({"type": "object", "properties": {"kind": {"enum": ["a", "b"]}, "n": {"type": "integer"}},
             "required": ["kind"], "if": {"properties": {"kind": {"const": "a"}}},
             "then": {"required": ["n"]}, "else": {"properties": {"n": false}}})",
       {R"({"kind":"a","n":1})", R"({"kind":"b"})", R"({"kind":"b","m":1})"},
       {R"({"kind":"a"})", R"({"kind":"b","n":1})"}});
  check({R"({"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "minProperties": 2,
             "maxProperties": 2, "additionalProperties": false})",
         {R"({"a":1,"c":2})", R"({"b":1,"c":2})"},
         {R"({"a":1})", R"({"a":1,"b":1,"c":1})", "{}"}});
  check({R"({"allOf": [{"properties": {"a": {"type": "integer"}}}], "properties": {"b": true},
             "unevaluatedProperties": false, "type": "object"})",
         {R"({"b":null,"a":1})", "{}"},
         {R"({"c":1})"}});
  // A name that is written twice has its last value, so the one that fails comes last.
  check({R"({"type": "object", "not": {"additionalProperties": {"type": "integer"}}})",
         {R"({"a":1,"b":true})", R"({"b":null})"},
         {"{}", R"({"a":1})", R"({"b":true,"b":1})"}});
  check({R"({"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"})",
         {R"({"a":1})", R"({"b":1,"c":2})"},
         {"{}", R"({"a":1,"b":1})"}});
}

TEST_CASE("json schema keywords: what is refused says where") {
  const auto why = [](const std::string& schema) {
    const auto grammar = parse_schema(schema);
    return grammar ? std::string() : grammar.error().message();
  };
  CHECK(holds(why(R"({"type": "array", "uniqueItems": true})"), "/uniqueItems: elements that are"));
  CHECK(holds(why(R"({"multipleOf": 99991})"), "/multipleOf: got a number that takes too many"));
  CHECK(
      holds(why(R"({"multipleOf": 0})"), "/multipleOf: got another value, wanted a number above"));
  CHECK(holds(why(R"({"dependentRequired": {"a": "b"}})"), "an object of lists of texts"));
  CHECK(holds(why(R"({"not": {}})"), "no value fits it"));
  CHECK(holds(why(R"({"type": "string", "pattern": "^a$", "minLength": 2})"), "no value fits it"));
  CHECK(holds(why(R"({"minProperties": 3, "type": "object"})"), "minProperties of more than"));
}

TEST_CASE("json schema keywords: schemas that mean harm are refused soon") {
  std::vector<std::string> schemas;
  const auto repeated = [](int count, const auto& part) {
    std::string out;
    for (int i = 0; i < count; ++i) out += (i > 0 ? "," : "") + part(std::to_string(i));
    return out;
  };
  schemas.push_back(R"({"type": "string", "pattern": "(a|b)*a(a|b){40}", "maxLength": 900})");
  schemas.push_back(R"({"type": "string", "not": {"pattern": "(a|b)*a(a|b){40}$"}})");
  schemas.push_back(R"({"oneOf": [)" +
                    repeated(40,
                             [](const std::string& i) {
                               return R"({"required": ["a)" + i + R"("], "properties": {"b)" + i +
                                      R"(": {"type": "integer"}}})";
                             }) +
                    "]}");
  schemas.push_back(R"({"allOf": [)" +
                    repeated(30,
                             [](const std::string& i) {
                               return R"({"anyOf": [{"required": ["a)" + i +
                                      R"("]}, {"minimum": )" + i + "}]}";
                             }) +
                    "]}");
  schemas.push_back(R"({"dependentRequired": {)" +
                    repeated(40, [](const std::string& i) { return "\"a" + i + R"(": ["b"])"; }) +
                    "}}");
  schemas.push_back(R"({"patternProperties": {)" +
                    repeated(20, [](const std::string& i) { return "\"^a{" + i + R"(}": {})"; }) +
                    "}}");
  schemas.push_back(R"({"type": "array", "items": {"enum": [)" +
                    repeated(2000, [](const std::string& i) { return i; }) +
                    R"(]}, "uniqueItems": true})");
  schemas.push_back(R"({"type": "array", "contains": {"const": 1}, "minContains": 60000,
                        "maxItems": 65000})");
  schemas.push_back(R"({"$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"})");
  schemas.push_back(R"({"type": "object", "minProperties": 500, "properties": {)" +
                    repeated(1000, [](const std::string& i) { return "\"a" + i + "\": {}"; }) +
                    "}}");
  for (const std::string& schema : schemas) {
    CAPTURE(schema.substr(0, 200));
    const std::clock_t begin = std::clock();
    CHECK_FALSE(parse_schema(schema).ok());
    CHECK(std::clock() - begin < 30 * CLOCKS_PER_SEC);
  }
}

}  // namespace
}  // namespace polaris
