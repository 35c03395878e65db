// Models as text: functions over states that are declared once.
#include <doctest/doctest.h>

#include <string>

#include "ir/text/model_text.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

constexpr std::string_view kModel = R"(state kv.0 : float32[?, 4, 2] paged
state memory : float32[2] = [1, 2]
graph get {
  state %m : float32[2] named "memory"
  output %m
}
graph put {
  symbol P
  input %x : float32[2]
  state %k : float32[P, 4, 2] named "kv.0"
  state %memory : float32[2]
  output %k
  update %memory = %x
}
)";

std::string error_of(std::string_view text) {
  auto model = parse_model(text, OpSet::builtin());
  return model ? "" : model.error().message();
}

}  // namespace

TEST_CASE("model text: prints and parses to the same, states shared") {
  const Model model = model_from_text(kModel);
  CHECK(print_model(model) == kModel);
  CHECK(model.format == "text");
  REQUIRE(model.states.size() == 2);
  const Graph& get = *model.find("get");
  const Graph& put = *model.find("put");
  CHECK(get.states()[0].state == put.states()[1].state);
  CHECK(get.states()[0].state == model.states.at("memory"));
  CHECK(get.value(get.states()[0].read).name == "m");
  CHECK(put.states()[0].state->paged);
  CHECK(put.states()[0].state->type.shape[0] == kUnknownDim);
  CHECK(is_symbol_dim(put.value(put.states()[0].read).type.shape[0]));
  CHECK(print_model(model_from_text(print_model(model))) == kModel);
}

TEST_CASE("model text: a graph alone is a model; the first that names a state declares it") {
  const Model one = model_from_text("graph { input %x : float32[2]\noutput %x }");
  CHECK(one.find("main") != nullptr);
  const Model model = model_from_text(
      "graph a { state %s : float32[2] = [3, 4]\noutput %s }\n"
      "graph b { state %t : float32[2] named \"s\"\noutput %t }");
  CHECK(model.find("a")->states()[0].state == model.find("b")->states()[0].state);
  CHECK(model.states.at("s")->initial);
}

TEST_CASE("model text: what does not fit is refused") {
  CHECK(error_of("") != "");
  CHECK(error_of("state s : float32[2]") == "");
  CHECK(error_of("state s : float32[2]\nstate s : float32[2]").find("declared twice") !=
        std::string::npos);
  CHECK(error_of("state s : float32[N]").find("wanted sizes or ?") != std::string::npos);
  CHECK(error_of("state s float32[2]") != "");
  CHECK(error_of("state s : float32[2] = [1]") != "");
  CHECK(error_of("graph a { }\ngraph a { }").find("two functions are named 'a'") !=
        std::string::npos);
  CHECK(error_of("graph { }\ngraph main { }") != "");
  CHECK(error_of("graph a { } what") != "");
  const std::string held = "state s : float32[2] = [1, 2]\ngraph a { ";
  CHECK(error_of(held + "state %s : float32[2] output %s }") == "");
  CHECK(error_of(held + "state %s : float32[2] = [1, 2] output %s }") == "");
  for (const char* other :
       {"float32[3]", "float16[2]", "float32[2] paged", "float32[?]", "float32[2] = [1, 3]"}) {
    CAPTURE(other);
    CHECK(error_of(held + "state %s : " + other + " output %s }").find("state 's'") !=
          std::string::npos);
  }
}

TEST_CASE("models: states that functions name alike are joined or refused") {
  const auto with_state = [](const char* type) {
    auto graph =
        parse_graph(std::string("graph f { state %s : ") + type + " output %s }", OpSet::builtin());
    REQUIRE(graph);
    return graph.take();
  };
  Model model;
  model.functions["a"] = with_state("float32[2] = [1, 2]");
  model.functions["b"] = with_state("float32[2] = [1, 2]");
  CHECK_FALSE(verify_model(model));
  REQUIRE(join_states(model));
  CHECK(verify_model(model));
  CHECK(model.find("a")->states()[0].state == model.find("b")->states()[0].state);
  model.functions["c"] = with_state("float32[2] = [1, 5]");
  const Status status = join_states(model);
  REQUIRE_FALSE(status);
  CHECK(status.error().message().find("state 's'") != std::string::npos);
  CHECK(status.error().message().find("'c'") != std::string::npos);
}

}  // namespace polaris::test
