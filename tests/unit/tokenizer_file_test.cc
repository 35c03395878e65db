// Tokenizer files of every kind against the ids that their own libraries give
// (tests/data/make_tokenizers.py).
#include "pipeline/tokenizer_file/tokenizer_file.h"

#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "support/shared_files.h"
#include "test_paths.h"
#include "text/tokenizer.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;
using Made = std::unique_ptr<Tokenizer>;

Result<Made> make(Source source) {
  auto settings = read_tokenizer_file(source);
  if (!settings) return settings.error();
  if (!*settings) return Error::unsupported("no tokenizer file");
  return Tokenizer::create(std::move(**settings));
}

Made open(const std::string& path) {
  auto source = Source::open(path);
  REQUIRE_MESSAGE(source.ok(), source.error().message());
  auto made = make(source.take());
  REQUIRE_MESSAGE(made.ok(), path << ": " << made.error().message());
  return made.take();
}

Result<Made> make(const std::string& text) {
  std::vector<std::byte> bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return make(Source::in_memory("a file", std::move(bytes)));
}

std::vector<TokenId> ids_of(std::string_view text) {
  std::vector<TokenId> out;
  for (std::string_view id : split(text, ' ')) {
    if (!id.empty()) out.push_back(static_cast<TokenId>(parse_i64(id).value_or(-1)));
  }
  return out;
}

void check_table(bool shared) {
  std::map<std::string, Made> made;
  int rows = 0;
  for (const auto& row : read_table("data/tokenizer_expected.tsv")) {
    REQUIRE(row.size() == 4);
    if (row[0].starts_with("shared/") != shared) continue;
    Made& tokenizer = made[row[0]];
    if (!tokenizer) {
      std::string path = std::string(kSourceDir) + "/tests/data/" + row[0];
      if (shared) {
        const auto file = shared_file("models/tokenizers/" + row[0].substr(7));
        if (!file) return;
        path = *file;
      }
      tokenizer = open(path);
    }
    const auto text = Json::parse(row[2]).get<std::string>();
    CAPTURE(row[0]);
    CAPTURE(text);
    // The library always takes special tokens that the text spells out.
    const auto got =
        tokenizer->encode(text, {.add_special = row[1] == "special", .parse_special = !shared});
    REQUIRE(got.ok());
    CHECK(*got == ids_of(row[3]));
    ++rows;
  }
  CHECK(rows > 80);
}

TEST_CASE("tokenizer.json of every kind gives the ids of its own library") { check_table(false); }

TEST_CASE("SentencePiece, tiktoken, vocabularies with and without merges") { check_table(true); }

TEST_CASE("running text comes back") {
  const std::string folder = std::string(kSourceDir) + "/tests/data/tokenizers/";
  for (const char* name : {"gpt2", "qwen2", "falcon", "starcoder", "llama"}) {
    const auto tokenizer = open(folder + name + ".json");
    for (const std::string text : {"Hello world", "  two  spaces\n\n",
                                   "caf\u00e9 \u4e2d\u6587 \U0001f43b", "it's", "a\tb"}) {
      CAPTURE(name);
      CHECK(tokenizer->decode(*tokenizer->encode(text)) == text);
    }
  }
  const auto bert = open(folder + "bert.json");
  CHECK(bert->decode(*bert->encode("The model, of the text.")) == "the model, of the text.");
  const auto t5 = open(folder + "t5.json");
  CHECK(t5->decode(*t5->encode("the text")) == "the text");
}

TEST_CASE("BERT's questions") {
  const auto path = shared_file("models/tokenizers/bert-base-uncased/vocab.txt");
  if (!path) return;
  const auto tokenizer = open(*path);
  const std::string folder = path_folder(*path);
  const auto words = read_file(folder + "/basic_tokenized_questions.json", 1 << 26);
  const auto tokens = read_file(folder + "/tokenized_questions.json", 1 << 26);
  const auto ids = read_file(folder + "/question_tokens.json", 1 << 26);
  REQUIRE(words.ok());
  REQUIRE(tokens.ok());
  REQUIRE(ids.ok());
  const Json questions = Json::parse(*ids);
  const Json numbers = Json::parse(*tokens);
  REQUIRE(questions.size() > 10000);
  REQUIRE(questions.size() == numbers.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto got = tokenizer->encode(questions[i].at("original").get<std::string>(), {false});
    if (!got.ok() || *got != numbers[i].get<std::vector<TokenId>>()) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("GPT-2's tokens") {
  const auto path = shared_file("models/tokenizers/gpt2/vocab.json");
  if (!path) return;
  const auto tokenizer = open(*path);
  const auto text = read_file(path_folder(*path) + "/encoded_tokens.json", 1 << 20);
  REQUIRE(text.ok());
  const Json vector = Json::parse(*text);
  std::vector<std::string> pieces;
  const auto ids = tokenizer->encode(vector.at("text").get<std::string>(), {false});
  REQUIRE(ids.ok());
  for (TokenId id : *ids) pieces.push_back(tokenizer->vocabulary().token(id).text);
  CHECK(pieces == vector.at("bpe_tokens").get<std::vector<std::string>>());
  CHECK(*ids == vector.at("token_ids").get<std::vector<TokenId>>());
  // The other file of the pair names the same tokenizer.
  const auto again = open(path_folder(*path) + "/merges.txt");
  CHECK(*again->encode("Hello world") == *tokenizer->encode("Hello world"));
}

TEST_CASE("what tokenizer.json asks for and we do not have is named with its path") {
  struct Case {
    const char* from;
    const char* to;
    const char* wanted;
  };
  const auto base =
      read_file(std::string(kSourceDir) + "/tests/data/tokenizers/words.json", 1 << 20);
  REQUIRE(base.ok());
  REQUIRE(make(*base).ok());
  const Case cases[] = {
      {"\"type\":\"WordPiece\"", "\"type\":\"WordLevel\"", "model.type, got 'WordLevel'"},
      {"\"type\":\"NFKD\"", "\"type\":\"Nmt\"", "normalizer.normalizers[0].type, got 'Nmt'"},
      {"\"type\":\"WhitespaceSplit\"", "\"type\":\"UnicodeScripts\"",
       "pre_tokenizer.pretokenizers[0].type, got 'UnicodeScripts'"},
      {"\"decoder\":null", "\"decoder\":{\"type\":\"CTC\"}", "decoder.type, got 'CTC'"},
      {"\"post_processor\":null", "\"post_processor\":{\"type\":\"New\"}",
       "post_processor.type, got 'New'"},
      {"\"unk_token\":\"[UNK]\"", "\"unk_token\":\"none\"", "model.unk_token, got 'none'"},
      {"\"hello\":1", "\"hello\":-1", "'hello', wanted an id"},
      {"\"hello\":1", "\"hello\":4000000000", "'hello', wanted an id"},
      {"\"type\":\"WhitespaceSplit\"",
       "\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a\"},\"behavior\":\"Isolated\"",
       "pre_tokenizer.pretokenizers[0].pattern: [regex] pattern"},
      {"\"type\":\"Lowercase\"", "\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAA\"",
       "precompiled character map"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.to);
    std::string text = *base;
    const std::size_t at = text.find(c.from);
    REQUIRE(at != std::string::npos);
    text.replace(at, std::string_view(c.from).size(), c.to);
    const auto made = make(text);
    REQUIRE_FALSE(made.ok());
    CHECK_MESSAGE(made.error().message().find(c.wanted) != std::string::npos,
                  made.error().message());
  }
}

TEST_CASE("files that are none, or cut, are refused") {
  CHECK_FALSE(make("").ok());
  CHECK_FALSE(make("{}").ok());
  CHECK_FALSE(make("plain text\nof lines\n").ok());
  CHECK_FALSE(make("{\"a\":0,\"b\":1}").ok());  // merges.txt is nowhere
  const auto unknown = make("IQ== 0\nIg== 1\n");
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().message().find("[tiktoken] ranks, got 2") != std::string::npos);
  const auto gap = make("IQ== 0\nIg== 2\n");
  REQUIRE_FALSE(gap.ok());
  CHECK(gap.error().message().find("[tiktoken] line 2") != std::string::npos);
  const std::string folder = std::string(kSourceDir) + "/tests/data/tokenizers/";
  for (const char* name : {"llama", "t5", "bert", "qwen2"}) {
    const auto text = read_file(folder + name + ".json", 1 << 20);
    REQUIRE(text.ok());
    for (std::size_t bytes = 1; bytes < text->size(); bytes += 97) {
      CHECK_FALSE(make(text->substr(0, bytes)).ok());
    }
  }
}

TEST_CASE("a line of a million letters takes time in proportion") {
  const std::string folder = std::string(kSourceDir) + "/tests/data/tokenizers/";
  for (const char* name : {"qwen2", "llama", "bert", "t5"}) {
    CAPTURE(name);
    const auto tokenizer = open(folder + name + ".json");
    for (const char* letter : {"a", " ", "\xCC\x81"}) {
      std::string text;
      while (text.size() < 1000000) text += letter;
      const auto ids = tokenizer->encode(text);
      CHECK(ids.ok());
    }
  }
}

}  // namespace
}  // namespace polaris
