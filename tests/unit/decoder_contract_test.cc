// A contract that its model does not keep is refused, whichever of its parts is wrong.
#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "support/cache_model.h"

namespace polaris::test {
namespace {

/// The error of the model with its contract changed; "" where it still holds.
std::string trouble(const std::function<void(DecoderContract&)>& change) {
  Model model = cache_model();
  change(*model.decoder);
  const Status status = check_decoder(model);
  CHECK(verify_model(model).ok() == status.ok());
  return status ? "" : status.error().message();
}

bool has(const std::string& text, std::string_view part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a model without a contract is no decoder, and nothing is wrong with it") {
  Model model = cache_model();
  CHECK(check_decoder(model));
  model.decoder.reset();
  CHECK(check_decoder(model));
}

TEST_CASE("every input that a contract names is one of its function, int32 and of its rank") {
  using Part = std::size_t& (*)(DecoderContract&);
  struct Row {
    const char* what;
    Part part;
    std::size_t other;  // an input of another rank
  };
  const Row rows[] = {
      {"tokens", [](DecoderContract& c) -> std::size_t& { return c.tokens; }, 4},
      {"positions", [](DecoderContract& c) -> std::size_t& { return c.positions; }, 6},
      {"sequences", [](DecoderContract& c) -> std::size_t& { return c.sequences; }, 9},
      {"logit rows", [](DecoderContract& c) -> std::size_t& { return c.logit_rows; }, 4},
      {"block table of cache group 'full'",
       [](DecoderContract& c) -> std::size_t& { return c.groups[0].block_table; }, 0},
      {"slots of cache group 'window'",
       [](DecoderContract& c) -> std::size_t& { return c.groups[1].slots; }, 4},
      {"positions of cache group 'cross'",
       [](DecoderContract& c) -> std::size_t& { return c.groups[2].positions; }, 4},
      // An input of the encoder: its source is float.
      {"slots of cache group 'cross'",
       [](DecoderContract& c) -> std::size_t& { return c.groups[2].slots; }, 0}};
  for (const Row& row : rows) {
    CAPTURE(row.what);
    for (const std::size_t input : {row.other, std::size_t{11}, ~std::size_t{0}}) {
      const std::string got = trouble([&](DecoderContract& c) { row.part(c) = input; });
      CHECK(has(got, std::string("input of ") + row.what));
    }
  }
  CHECK(has(trouble([](DecoderContract& c) { c.encoder->source = 2; }), "input of source"));
  CHECK(has(trouble([](DecoderContract& c) { c.logits = 1; }), "output of logits, got 1"));
  // Two parts for one input leave another with none.
  CHECK(has(trouble([](DecoderContract& c) { c.tokens = c.positions; }),
            "input 'tokens' of 'main', got no part"));
  CHECK(has(trouble([](DecoderContract& c) { c.encoder->source = 1; }),
            "input 'source' of 'encode', got no part"));
}

TEST_CASE("cache groups have the states' pages, and each paged state one group") {
  using C = DecoderContract;
  CHECK(has(trouble([](C& c) { c.groups[1].page_size = 4; }), "'wk' of cache group 'window'"));
  CHECK(has(trouble([](C& c) { c.groups[0].page_size = 0; }), "pages, got 0 tokens"));
  CHECK(has(trouble([](C& c) { c.groups[0].window = -1; }), "window, got -1"));
  CHECK(has(trouble([](C& c) { c.groups[0].states = {"fk"}; }), "'fv', got 0 groups"));
  CHECK(
      has(trouble([](C& c) { c.groups[0].states.push_back("wk"); }), "'wk' of cache group 'full'"));
  CHECK(has(trouble([](C& c) { c.groups[0].states.push_back("none"); }), "none of that name"));
  CHECK(has(trouble([](C& c) { c.groups.erase(c.groups.begin()); }), "got no part"));
  CHECK(has(trouble([](C& c) { c.groups.push_back(c.groups[0]); }), "got 2 groups"));
  CHECK(has(trouble([](C& c) { c.groups[0].window = 3; }), "the positions of the tokens"));
  CHECK(has(trouble([](C& c) { c.groups[2].window = 3; }), "with a window"));
  CHECK(has(trouble([](C& c) { c.encoder.reset(); }), "wanted an encoder's function"));
  CHECK(has(trouble([](C& c) { c.encoder->function = "no"; }), "encoder, got none"));
}

TEST_CASE("a contract whose function has been taken is refused") {
  Model model = cache_model();
  REQUIRE(model.take("main"));
  CHECK(has(check_decoder(model).error().message(), "function, got none"));
}

}  // namespace polaris::test
