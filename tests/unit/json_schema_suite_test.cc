// JSON-Schema-Test-Suite's cases of draft 2020-12: a schema is refused by name, or each value that
// is valid is taken as JSON is written, tight and with spaces, and none that is not.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "pipeline/schema/json_schema.h"
#include "support/grammar_text.h"
#include "test_paths.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::ordered_json;

/// Ways to write a value: the members of each object in every order, as long as they are few.
std::vector<std::string> writings(const Json& value, const std::string& space) {
  constexpr std::size_t kMost = 800;
  std::vector<std::string> out;
  if (value.is_number_float()) {
    // As Python writes it, up to where it takes an exponent.
    const double number = value.get<double>();
    const bool whole = std::abs(number) < 1e16 && std::floor(number) == number;
    return {whole ? std::to_string(static_cast<std::int64_t>(number)) + ".0" : value.dump()};
  }
  if (!value.is_structured() || value.empty()) return {value.dump()};
  std::vector<std::vector<std::string>> parts;
  for (const auto& [name, member] : value.items()) {
    std::vector<std::string> ways = writings(member, space);
    for (std::string& way : ways) {
      if (value.is_object()) way = Json(name).dump() + ":" + space + way;
    }
    parts.push_back(std::move(ways));
  }
  std::vector<std::size_t> order(parts.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  do {
    std::vector<std::string> made{value.is_object() ? "{" : "["};
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::vector<std::string> next;
      for (const std::string& before : made) {
        for (const std::string& part : parts[order[i]]) {
          if (next.size() < kMost) next.push_back(before + (i > 0 ? "," + space : "") + part);
        }
      }
      made = std::move(next);
    }
    for (const std::string& text : made) out.push_back(text + (value.is_object() ? "}" : "]"));
  } while (value.is_object() && out.size() < kMost &&
           std::next_permutation(order.begin(), order.end()));
  return out;
}

struct Count {
  int groups = 0;
  int served = 0;
  int held = 0;
  std::map<std::string, int> refused;  // by keyword
};

/// The keyword at which a schema was refused.
std::string keyword_of(const std::string& message) {
  const std::string place = message.substr(0, message.find(": "));
  return place.substr(place.rfind('/') + 1);
}

/// Why a grammar is not held to a case, as docs/grammars.md has it; empty where it is.
std::string why_apart(const std::string& file, const Json& test) {
  if (file == "format") return "formats are asserted, not remarked";
  const std::string name = test.at(0);
  const bool leap = name.find("leap second") != std::string::npos && test.at(2).is_string();
  if (!leap || !test.at(1)) return {};
  const std::string text = test.at(2);
  const bool utc = text.ends_with("Z") || text.ends_with("z") || text.ends_with("00:00");
  return utc ? "" : "leap seconds only as UTC writes them";
}

TEST_CASE("json schema: the test suite of draft 2020-12") {
  const std::string path = std::string(kSourceDir) + "/tests/data/json_schema_suite/";
  const auto text = read_file(path + "draft2020-12.json", 16 << 20);
  REQUIRE(text.ok());
  std::map<std::string, Count> files;
  std::map<std::string, int> apart;
  int cases = 0;
  const Json groups = Json::parse(*text);
  for (const Json& group : groups) {
    const std::string file = group.at("file");
    Count& count = files[file];
    ++count.groups;
    const std::string schema = group.at("schema").dump();
    const auto grammar = parse_schema(schema);
    CAPTURE(file);
    CAPTURE(group.at("group").get<std::string>());
    CAPTURE(schema);
    bool refused = false;
    bool never = false;
    if (!grammar) {
      const Error& error = grammar.error();
      CAPTURE(error.message());
      never = error.message().find("no value fits it") != std::string::npos;
      refused = error.code() == ErrorCode::kUnsupported;
      CHECK((refused || never));
      if (refused) ++count.refused[keyword_of(error.message())];
    }
    if (refused) continue;
    ++count.served;
    for (const Json& test : group.at("tests")) {
      const bool valid = test.at(1);
      if (const std::string why = why_apart(file, test); !why.empty()) {
        ++apart[why];
        continue;
      }
      CAPTURE(test.at(0).get<std::string>());
      CAPTURE(test.at(2).dump());
      for (const std::string space : {"", " "}) {
        const auto ways = writings(test.at(2), space);
        const bool taken = !never && std::any_of(ways.begin(), ways.end(), [&](const auto& way) {
          return takes(*grammar, way);
        });
        CHECK(taken == valid);
      }
      ++count.held;
      ++cases;
    }
  }
  std::string table =
      "| Cases of | Schemas | Served | Cases held to | Refused, at which keyword "
      "|\n|---|---|---|---|---|\n";
  int served = 0;
  int all = 0;
  for (const auto& [file, count] : files) {
    std::string refused;
    for (const auto& [why, times] : count.refused) {
      refused += (refused.empty() ? "" : "; ") + why + " (" + std::to_string(times) + ")";
    }
    table += "| " + file + " | " + std::to_string(count.groups) + " | " +
             std::to_string(count.served) + " | " + std::to_string(count.held) + " | " + refused +
             " |\n";
    served += count.served;
    all += count.groups;
  }
  table += "| all | " + std::to_string(all) + " | " + std::to_string(served) + " | " +
           std::to_string(cases) + " | |\n";
  for (const auto& [why, times] : apart) {
    table += "\nNot held to: " + std::to_string(times) + " cases, " + why + ".\n";
  }
  const std::string docs_path = std::string(kSourceDir) + "/docs/grammars.md";
  const auto docs = read_file(docs_path, 1 << 20);
  if (!docs || docs->find(table) == std::string::npos) MESSAGE(table);
  REQUIRE(docs.ok());
  CHECK(docs->find(table) != std::string::npos);
}

}  // namespace
}  // namespace polaris
