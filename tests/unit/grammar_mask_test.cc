// Masks of whole vocabularies: the tokens that a walk over the bytes of each would allow, and texts
// that are drawn by them.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "load/load.h"
#include "pipeline/grammar_masks.h"
#include "pipeline/model_tokenizer.h"
#include "support/grammar_text.h"
#include "support/shared_files.h"
#include "test_paths.h"
#include "text/grammar/matcher.h"
#include "text/sampler.h"

namespace polaris {
namespace {

using namespace test;
using grammar::Masks;
using grammar::Matcher;
using grammar::TokenTries;

std::unique_ptr<Tokenizer> tokenizer_of(const std::string& path) {
  auto model = load_model(path, OpSet::builtin());
  REQUIRE_MESSAGE(model.ok(), model.error().message());
  auto tokenizer = make_tokenizer(*model);
  REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.error().message());
  return tokenizer.take();
}

/// Tokens of raw bytes, as byte-level files have them, with the pieces given.
std::unique_ptr<Tokenizer> tokenizer_of_pieces(const std::vector<std::string>& pieces) {
  TokenizerSettings settings;
  settings.model = TokenModelKind::kUnigram;
  settings.style = PieceStyle::kPlain;
  for (const std::string& piece : pieces) settings.tokens.push_back({piece});
  settings.tokens.push_back({"</s>", 0, TokenKind::kControl});
  settings.tokens.push_back({"<unk>", 0, TokenKind::kUnknown});
  settings.eos = static_cast<TokenId>(pieces.size());
  settings.unknown = static_cast<TokenId>(pieces.size() + 1);
  auto tokenizer = Tokenizer::create(std::move(settings));
  REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.error().message());
  return tokenizer.take();
}

/// Draws texts token by token and holds each mask to a walk over every token by itself. Later texts
/// come to places that are like those of the first.
void check_masks(const Tokenizer& tokenizer, const std::string& gbnf, std::uint64_t seed,
                 int steps_max, int texts = 1) {
  const auto grammar = grammar_of(gbnf);
  const auto width = static_cast<std::size_t>(tokenizer.vocabulary().size()) + 3;
  const std::vector<TokenId> ends = tokenizer.end_tokens();
  const auto tries = std::make_shared<TokenTries>(tokenizer, width, ends);
  const auto masks = std::make_shared<Masks>(grammar, tries);
  grammar::Places places(grammar);
  std::mt19937_64 random(seed);
  Matcher matcher(masks);
  grammar::Place place = places.start();
  std::string text;
  for (int step = 0; step < texts * steps_max; ++step) {
    if (step % steps_max == 0) {
      matcher = Matcher(masks);
      place = places.start();
      text.clear();
    }
    const auto allowed = matcher.allowed();
    REQUIRE_MESSAGE(allowed.ok(), allowed.error().message());
    CHECK(matcher.may_end() == places.may_end(place));
    std::vector<TokenId> wanted;
    std::size_t wrong = 0;
    for (TokenId id = 0; id < static_cast<TokenId>(width); ++id) {
      const std::string piece = tokenizer.vocabulary().contains(id) ? tokenizer.piece(id) : "";
      bool may = !piece.empty() && id != tokenizer.vocabulary().unknown &&
                 std::find(ends.begin(), ends.end(), id) == ends.end();
      grammar::Place to = place;
      for (std::size_t i = 0; may && i < piece.size(); ++i) {
        to = places.next(to, static_cast<std::uint8_t>(piece[i]));
        may = to != grammar::kNowhere;
      }
      if (may) wanted.push_back(id);
      wrong += may != grammar::has_token(*allowed, id) ? 1 : 0;
    }
    CAPTURE(text);
    CHECK(wrong == 0);
    if (wanted.empty()) {
      step += steps_max - 1 - step % steps_max;
      continue;
    }
    const TokenId id = wanted[random() % wanted.size()];
    const std::string piece = tokenizer.piece(id);
    REQUIRE(matcher.prepare(id).ok());
    matcher.commit();
    for (const char c : piece) place = places.next(place, static_cast<std::uint8_t>(c));
    text += piece;
  }
  REQUIRE(places.take_status().ok());
}

const std::string kJson = R"gbnf(
root   ::= value
value  ::= object | array | string | [1-9] [0-9]* | "true" | "null"
object ::= "{" ws (string ":" ws value ("," ws string ":" ws value)*)? "}"
array  ::= "[" ws (value ("," ws value)*)? "]"
string ::= "\"" ([^"\\\x00-\x1F] | "\\" ["\\/bfnrt])* "\""
ws     ::= [ \n]?
)gbnf";

void check_grammars(const Tokenizer& tokenizer, int steps) {
  check_masks(tokenizer, kJson, 1, steps);
  check_masks(tokenizer, "root ::= \"\\\"\" [^\"\\\\\\x00-\\x1F]{3,40} \"\\\"\"", 2, steps);
  check_masks(tokenizer, "root ::= ([a-z]+ \" \")* | .*", 3, steps / 2);
  check_masks(tokenizer, "root ::= [^a-zA-Z]{0,9} [\\u0400-\\U0001F64F]{1,30} \"x\"", 4, steps);
  check_masks(tokenizer, "root ::= (\"a\" | \"aa\" | \" \"){0,9} .{0,5}", 5, steps);
  // Counts: near their bounds and far from them, in one another, of what may be empty, and behind
  // ways of any depth.
  for (const char* gbnf : {
           "root ::= [a-zA-Z ]{20,90}",
           "root ::= \"\\\"\" ([^\"\\\\\\x00-\\x1F] | \"\\\\\" [nrt]){3,40} \"\\\"\" (\",\" "
           "[a-z]{0,20}){0,4}",
           "root ::= (\"[\" [a-zA-Z ]{2,12} \"]\"){1,5} .{1,3}",
           "root ::= x\nx ::= \"(\" [a-z ]{0,9} x? \")\" | [0-9]{1,3} x?",
           "root ::= ([a-z]{0,3} y?){0,7} \"\\n\"\ny ::= \" \" [A-Z]{0,2}",
           "root ::= (.{2,5} | [a-z]{1,30} \"x\")",
       }) {
    CAPTURE(gbnf);
    check_masks(tokenizer, gbnf, 6, steps / 2, 3);
  }
}

TEST_CASE("grammar masks: alike a walk over each token") {
  SUBCASE("pieces that cut characters, stand twice, are nothing") {
    std::vector<std::string> pieces = {"a",
                                       "aa",
                                       "\"",
                                       "\"a",
                                       "a\"",
                                       "{",
                                       "}",
                                       "{\"",
                                       "\":",
                                       "a",
                                       "",
                                       "é",
                                       "日本",
                                       "\xE6",
                                       "\xE6\x97",
                                       "\xA5",
                                       "\x97\xA5"
                                       "a",
                                       "😀",
                                       "\xF0\x9F",
                                       "\x98\x80\"",
                                       "\\",
                                       "\\\"",
                                       "\n",
                                       " ",
                                       "12",
                                       "1",
                                       "x",
                                       ",",
                                       "[",
                                       "]",
                                       "aaaaaaaaaaaaaaaaaaaaaaaaa"};
    const auto tokenizer = tokenizer_of_pieces(pieces);
    for (int i = 0; i < 20; ++i) check_grammars(*tokenizer, 60);
  }
  SUBCASE("SentencePiece") {
    check_grammars(*tokenizer_of(std::string(kSourceDir) + "/models/stories/stories-q4_0.gguf"),
                   60);
  }
  SUBCASE("byte-level BPE") {
    const auto path = shared_file("models/gguf/ggml-vocab-gpt-2.gguf");
    if (path) check_grammars(*tokenizer_of(*path), 16);
  }
  SUBCASE("WordPiece") {
    const auto path = shared_file("models/gguf/ggml-vocab-bert-bge.gguf");
    if (path) check_grammars(*tokenizer_of(*path), 16);
  }
}

TEST_CASE("grammar masks: texts of one grammar share them, and forget together") {
  const auto tokenizer = tokenizer_of_pieces({"(", ")", "((", "))", "x", "()"});
  const auto grammar = grammar_of("root ::= \"(\" root? \")\"");
  const auto tries = std::make_shared<TokenTries>(*tokenizer, 8, tokenizer->end_tokens());
  const auto masks = std::make_shared<Masks>(grammar, tries);
  Matcher deep(masks);
  Matcher flat(masks);
  REQUIRE(flat.prepare(0).ok());
  flat.commit();
  const auto go = [](Matcher& matcher, TokenId id) {
    REQUIRE(matcher.prepare(id).ok());
    matcher.commit();
  };
  // Deep enough that places fill what is kept of them, many times over.
  constexpr int kDepth = 300000;
  for (int i = 0; i < kDepth; ++i) go(deep, 2);
  {
    Matcher gone(masks);
    go(gone, 0);
  }
  for (int i = 0; i < kDepth; ++i) {
    if (i % 50000 == 0) {
      const auto allowed = deep.allowed();
      REQUIRE(allowed.ok());
      CHECK((*allowed)[0] == (i == 0 ? 0b101111 : 0b001010));
      CHECK_FALSE(deep.may_end());
    }
    go(deep, 3);
  }
  CHECK(deep.may_end());
  CHECK_FALSE(deep.may_go_on());
  const auto refused = flat.prepare(3);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message().find("does not admit it") != std::string::npos);
  CHECK_FALSE(flat.prepare(4).ok());
  go(flat, 1);
  CHECK(flat.may_end());
}

TEST_CASE("grammar masks: samplers pick what is allowed, whatever the logits are") {
  const std::vector<float> logits = {
      9,   1, 2, std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(),
      1.5f};
  const std::uint64_t bits[] = {0b101010};
  const std::vector<TokenId> ends = {2};
  const grammar::TokenMask some{bits, {}};
  const grammar::TokenMask more{bits, ends};
  for (const std::int32_t mirostat : {0, 1, 2}) {
    std::map<TokenId, int> drawn;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      SamplerOptions options;
      options.temperature = 2;
      options.min_p = 0;
      options.top_p = 1;
      options.mirostat = mirostat;
      options.seed = seed;
      options.repetition_penalty = seed % 2 == 0 ? 1.0f : 1.5f;
      Sampler sampler(options);
      const std::vector<TokenId> text = {1, 0, 2};
      ++drawn[sampler.sample(logits, text, 0, &some)];
      const TokenId other = Sampler(options).sample(logits, text, 0, &more);
      CHECK((other == 1 || other == 2 || other == 5));
    }
    CHECK(drawn.size() == 2);
    CHECK(drawn[1] > 30);
    CHECK(drawn[5] > 30);
  }
  SamplerOptions greedy;
  greedy.temperature = 0;
  CHECK(Sampler(greedy).sample(logits, {}, 0, &some) == 5);
  CHECK(Sampler(greedy).sample(logits, {}, 0, &more) == 2);
  greedy.logit_bias = {{1, 1}};
  CHECK(Sampler(greedy).sample(logits, {}, 0, &some) == 1);
  const std::uint64_t no_number[] = {0b001000};
  CHECK(Sampler({}).sample(
            logits, {}, 0,
            std::make_unique<grammar::TokenMask>(grammar::TokenMask{no_number, {}}).get()) == 3);
}

TEST_CASE("grammar masks: a model without a token for what must come says so") {
  LanguageModel model;
  model.tokenizer = tokenizer_of_pieces({"a", "b", "ab"});
  model.vocabulary = 5;
  model.end_tokens = {3};
  GrammarMasks masks;
  const auto refused = masks.begin(grammar_of("root ::= \"q\" | \"x\""), model);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message().find("no token that may come next, wanted one that begins with "
                                       "one of 'qx'") != std::string::npos);
  // Later it is the end of the text, or an error beside it.
  const std::vector<float> logits = {1, 2, 3, 4, 5};
  Sampler sampler({.temperature = 0});
  auto matcher = masks.begin(grammar_of("root ::= \"a\" (\"q\" | \"ab\" \"c\"?)"), model);
  REQUIRE(matcher.ok());
  const auto pick_of = [&](Matcher& of, std::span<const TokenId> ends) {
    auto picked = pick_by_grammar(
        of,
        [&](const grammar::TokenMask& mask) {
          return Result<TokenId>(sampler.sample(logits, {}, 0, &mask));
        },
        ends);
    REQUIRE(picked.ok());
    return picked.take();
  };
  GrammarPick pick = pick_of(*matcher, model.end_tokens);
  CHECK(pick.token == 0);
  matcher->commit();
  pick = pick_of(*matcher, model.end_tokens);
  CHECK(pick.token == 2);
  matcher->commit();
  // "c" cannot be written, so the text ends: by its token, or without one.
  CHECK(pick_of(*matcher, model.end_tokens).token == 3);
  pick = pick_of(*matcher, {});
  CHECK(pick.token == -1);
  CHECK(pick.error.empty());
  auto stuck = masks.begin(grammar_of("root ::= \"b\" \"z\""), model);
  REQUIRE(stuck.ok());
  CHECK(pick_of(*stuck, model.end_tokens).token == 1);
  stuck->commit();
  pick = pick_of(*stuck, model.end_tokens);
  CHECK(pick.token == -1);
  CHECK(pick.error.find("one of 'z'") != std::string::npos);
}

}  // namespace
}  // namespace polaris
