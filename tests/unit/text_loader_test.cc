// Model files in text form.
#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "load/load.h"

namespace polaris::test {
namespace {

Result<Model> load_text(std::string_view text) {
  std::vector<std::byte> bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  Source source = Source::in_memory("model", std::move(bytes));
  return load_model(source, OpSet::builtin());
}

}  // namespace

TEST_CASE("text files: functions, states and parameters") {
  auto model = load_text(
      "# two functions\n\n  state s : float32[2]\ngraph a {\n  const %w : float32[2, 3] = 1\n"
      "  output %w\n}\ngraph b { state %s : float32[2] output %s }\n");
  REQUIRE_MESSAGE(model, model.error().message());
  CHECK(model->format == "text");
  CHECK(model->functions.size() == 2);
  CHECK(model->states.size() == 1);
  CHECK(model->parameter_count == 6);
  CHECK(take_function(*model, "").error().code() == ErrorCode::kNotFound);
  CHECK(take_function(*model, "b"));
  CHECK(take_function(*model, "b").error().code() == ErrorCode::kNotFound);
}

TEST_CASE("text files: what is none is told from what is a broken one") {
  for (const char* other : {" ", "#", "# graph {", "graphs {}", "graph", "stately"}) {
    INFO(other);
    auto model = load_text(other);
    REQUIRE_FALSE(model);
    CHECK(model.error().message().find("no format known here") != std::string::npos);
  }
  for (const char* broken : {"graph {", "state {", "graph { output %x }", "graph \xff {}",
                             "graph { input %x : float32[2] output %x output %x }"}) {
    INFO(broken);
    auto model = load_text(broken);
    REQUIRE_FALSE(model);
    CHECK(model.error().message().find("no format known here") == std::string::npos);
    CHECK(model.error().message().find("'model'") != std::string::npos);
  }
  auto nothing = load_text("state s : float32[2]");
  REQUIRE(nothing);
  CHECK(take_function(*nothing, "").error().message().find("states only") != std::string::npos);
}

}  // namespace polaris::test
