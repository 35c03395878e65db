#include "base/unicode.h"

#include <doctest/doctest.h>

#include <string>

#include "text/byte_letters.h"

namespace polaris {
namespace {

TEST_CASE("characters are read and written, malformed bytes each for itself") {
  const std::string text = "a\u00e9\u20ac\U0001f43b\xFF\xC3";
  std::string out;
  int count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    const Character c = decode_utf8(text, at);
    append_utf8(out, c.code);
    at += c.bytes;
  }
  CHECK(count == 6);
  CHECK(out == text);
  CHECK(decode_utf8("\xE2\x82\xAC", 0).code == 0x20AC);
  CHECK(decode_utf8("\xED\xA0\x80", 0).code == kBadByte + 0xED);
}

TEST_CASE("normal forms") {
  const std::string e_acute = "\u00e9";
  const std::string apart = "e\u0301";
  CHECK(normalize(e_acute, NormalForm::kNfd) == apart);
  CHECK(normalize(apart, NormalForm::kNfc) == e_acute);
  CHECK(normalize("\ufb01 \u2460 \u00bd", NormalForm::kNfkc) == "fi 1 1\u20442");
  CHECK(normalize("\ufb01", NormalForm::kNfc) == "\ufb01");
  CHECK(normalize("\uac01", NormalForm::kNfd) == "\u1100\u1161\u11a8");
  CHECK(normalize("\u1100\u1161\u11a8", NormalForm::kNfc) == "\uac01");
  // Excluded from composition, and singletons.
  CHECK(normalize("\u0344 \u212b \u0958", NormalForm::kNfc) == "\u0308\u0301 \u00c5 \u0915\u093c");
  // Marks are put in order of their class.
  CHECK(normalize("e\u0307\u0323", NormalForm::kNfd) == "e\u0323\u0307");
  CHECK(normalize("e\xFF\u0301" + apart, NormalForm::kNfc) == "e\xFF\u0301" + e_acute);
}

TEST_CASE("a long run of marks in the worst order is sorted, not bubbled") {
  std::string text = "a";
  for (int i = 0; i < 100000; ++i) text += i % 2 == 0 ? "\u0301" : "\u0323";
  const std::string out = normalize(text, NormalForm::kNfd);
  CHECK(out.size() == text.size());
  CHECK(out.starts_with("a\u0323\u0323"));
  CHECK(out.ends_with("\u0301\u0301"));
}

TEST_CASE("categories and case") {
  CHECK((category_of('A') & category_mask("Lu")) != 0);
  CHECK((category_of('A') & category_mask("L")) != 0);
  CHECK((category_of(0x660) & category_mask("Nd")) != 0);
  CHECK((category_of(0xFE0F) & category_mask("Mn")) != 0);
  CHECK((category_of('_') & category_mask("Pc")) != 0);
  CHECK((category_of(0x378) & category_mask("Cn")) != 0);
  CHECK(category_mask("Xx") == 0);
  CHECK((category_of(kBadByte + 0x80) & category_mask("C")) == 0);
  CHECK(to_lower(0xC9) == 0xE9);
  CHECK(to_lower(0x10400) == 0x10428);
  CHECK(to_upper(0x17F) == 'S');
  CHECK(is_white_space(0x3000));
  CHECK_FALSE(is_white_space(0x200B));
  CHECK(is_word_punctuation('$'));
  CHECK(is_word_punctuation(0x2014));
  CHECK_FALSE(is_word_punctuation(0x20AC));
  CHECK(is_ideograph(0x4E2D));
  CHECK_FALSE(is_ideograph(0x3042));
}

TEST_CASE("GPT-2's letters stand for every byte") {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  CHECK(from_byte_letters(to_byte_letters(bytes)) == bytes);
  CHECK(to_byte_letters(" \n") == "\u0120\u010a");
  CHECK(to_byte_letters("\xAD\x7F") == "\u0143\u0121");
  CHECK(from_byte_letters("\u4e2d") == "\u4e2d");
}

}  // namespace
}  // namespace polaris
