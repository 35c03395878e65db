#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "load/load.h"
#include "pipeline/language_model.h"
#include "support/shared_files.h"
#include "test_paths.h"
#include "text/tokenizer.h"

namespace polaris {
namespace {

using namespace test;

std::unique_ptr<Tokenizer> tokenizer_of(const std::string& path) {
  auto model = load_model(path, OpSet::builtin());
  REQUIRE_MESSAGE(model.ok(), model.error().message());
  auto tokenizer = make_tokenizer(*model);
  REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.error().message());
  return tokenizer.take();
}

std::unique_ptr<Tokenizer> stories_tokenizer() {
  return tokenizer_of(std::string(kSourceDir) + "/models/stories/stories-q4_0.gguf");
}

TEST_CASE("special tokens come and go as asked") {
  const auto tokenizer = stories_tokenizer();
  const Vocabulary& vocabulary = tokenizer->vocabulary();
  REQUIRE(vocabulary.bos);
  const auto with = tokenizer->encode("Once upon a time").take();
  const auto without = tokenizer->encode("Once upon a time", {false, false}).take();
  REQUIRE(with.size() == without.size() + 1);
  CHECK(with.front() == *vocabulary.bos);
  CHECK(std::equal(without.begin(), without.end(), with.begin() + 1));
  CHECK(tokenizer->decode(with) == "Once upon a time");
  CHECK(tokenizer->piece(*vocabulary.bos).empty());
  // Control tokens written out are text unless asked for.
  const std::string bos = vocabulary.token(*vocabulary.bos).text;
  CHECK(*tokenizer->encode(bos, {false, true}) == std::vector<TokenId>{*vocabulary.bos});
  CHECK((*tokenizer->encode(bos, {false, false})).size() > 1);
  CHECK((*tokenizer->encode("", {false, false})).empty());
  CHECK((*tokenizer->encode("")).size() == 1);
}

TEST_CASE("any bytes come back as they were") {
  const auto tokenizer = stories_tokenizer();
  for (const std::string& text :
       {std::string("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\xBB"), std::string("tab\there\n\nnew"),
        std::string("   three spaces  two"), std::string("cut \xF0\x9F"),
        std::string("\xFF\xFE\x80"), std::string("nul\0inside", 10),
        std::string("\xE2\x96\x81 is its space")}) {
    CAPTURE(text);
    const auto ids = tokenizer->encode(text, {false, false}).take();
    for (TokenId id : ids) CHECK(tokenizer->vocabulary().contains(id));
    if (text.find("\xE2\x96\x81") == std::string::npos) CHECK(tokenizer->decode(ids) == text);
  }
  CHECK(tokenizer->decode(std::vector<TokenId>{-1, 1 << 30}).empty());
}

TEST_CASE("a long text takes time in proportion") {
  const auto tokenizer = stories_tokenizer();
  std::string text;
  while (text.size() < 400000) text += "aaaaaaaaaaaaaaa Once upon a time ";
  const auto ids = tokenizer->encode(text, {false, false}).take();
  CHECK(tokenizer->decode(ids) == text);
}

}  // namespace
}  // namespace polaris
