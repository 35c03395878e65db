#include "text/grammar/json_text.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/unicode.h"

namespace polaris::grammar {
namespace {

constexpr char32_t kLast = 0x10FFFF;

/// How JSON writes what it does not let stand as it is; empty where it does.
std::string escape_of(char32_t code) {
  switch (code) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: break;
  }
  if (code >= 0x20) return {};
  char text[8];
  std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(code));
  return text;
}

constexpr CharRange kRaw[] = {{0x20, 0x21}, {0x23, 0x5B}, {0x5D, kLast}};

std::u32string code_points(std::string_view utf8) {
  std::u32string out;
  for (std::size_t at = 0; at < utf8.size();) {
    const Character c = decode_utf8(utf8, at);
    out += c.code;
    at += c.bytes;
  }
  return out;
}

}  // namespace

ExprId JsonText::made_once(std::optional<RuleId>& rule, const char* name,
                           ExprId (JsonText::*make)()) {
  if (!rule) {
    rule = rules_.declare(name);
    rules_.define(*rule, (this->*make)());
  }
  return rules_.rule(*rule);
}

ExprId JsonText::space() { return made_once(space_, "space", &JsonText::make_space); }
ExprId JsonText::comma() { return made_once(comma_, "comma", &JsonText::make_comma); }
ExprId JsonText::any_character() {
  return made_once(any_, "character", &JsonText::make_any_character);
}

ExprId JsonText::make_space() {
  constexpr std::uint32_t kIndentMax = 64;
  const ExprId indent = rules_.repeat(rules_.set({{' ', ' '}, {'\t', '\t'}}), 0, kIndentMax);
  return rules_.choice(
      {rules_.empty(), rules_.text(" "),
       rules_.sequence({rules_.repeat(rules_.text("\r"), 0, 1), rules_.text("\n"), indent})});
}

ExprId JsonText::make_comma() { return rules_.sequence({rules_.text(","), space()}); }

ExprId JsonText::make_any_character() {
  const ExprId hex = rules_.set({{'0', '9'}, {'a', 'f'}, {'A', 'F'}});
  const auto of = [&](CharRanges ranges) { return rules_.set(std::move(ranges)); };
  const ExprId d = of({{'d', 'd'}, {'D', 'D'}});
  const ExprId two = rules_.repeat(hex, 2, 2);
  const ExprId plain = rules_.choice(
      {rules_.sequence(
           {of({{'0', '9'}, {'a', 'c'}, {'A', 'C'}, {'e', 'f'}, {'E', 'F'}}), hex, two}),
       rules_.sequence({d, of({{'0', '7'}}), two})});
  const ExprId pair = rules_.sequence({d, of({{'8', '9'}, {'a', 'b'}, {'A', 'B'}}), two,
                                       rules_.text("\\u"), d, of({{'c', 'f'}, {'C', 'F'}}), two});
  const ExprId unicode = rules_.sequence({rules_.text("u"), rules_.choice({plain, pair})});
  const ExprId letter = of({{'"', '"'},
                            {'\\', '\\'},
                            {'/', '/'},
                            {'b', 'b'},
                            {'f', 'f'},
                            {'n', 'n'},
                            {'r', 'r'},
                            {'t', 't'}});
  return rules_.choice({rules_.set(CharRanges(std::begin(kRaw), std::end(kRaw))),
                        rules_.sequence({rules_.text("\\"), rules_.choice({letter, unicode})})});
}

ExprId JsonText::make_written() {
  std::vector<ExprId> parts{rules_.set(CharRanges(std::begin(kRaw), std::end(kRaw)))};
  std::vector<std::string> escapes;
  for (char32_t code = 0; code <= '\\'; ++code) {
    if (auto escape = escape_of(code); !escape.empty()) escapes.push_back(std::move(escape));
  }
  parts.push_back(one_of(std::move(escapes)));
  return rules_.choice(parts);
}

ExprId JsonText::characters(const CharRanges& ranges) {
  const CharRanges wanted = normalized(ranges);
  if (wanted == normalized({{0, kLast}})) {
    return made_once(written_, "written", &JsonText::make_written);
  }
  std::vector<ExprId> parts;
  const CharRanges raw = common(wanted, normalized(CharRanges(std::begin(kRaw), std::end(kRaw))));
  if (!raw.empty()) parts.push_back(rules_.set(raw));
  std::vector<std::string> escapes;
  for (const CharRange& range : wanted) {
    for (char32_t code = range.first; code <= std::min<char32_t>(range.last, '\\'); ++code) {
      if (auto escape = escape_of(code); !escape.empty()) escapes.push_back(std::move(escape));
    }
  }
  if (!escapes.empty()) parts.push_back(one_of(std::move(escapes)));
  return rules_.choice(parts);
}

ExprId JsonText::quoted(ExprId inside) {
  return rules_.sequence({rules_.text("\""), inside, rules_.text("\"")});
}

std::string JsonText::escaped(std::string_view utf8) {
  std::string out = "\"";
  for (const char c : utf8) {
    const auto byte = static_cast<std::uint8_t>(c);
    const std::string escape = byte < 0x80 ? escape_of(byte) : std::string();
    out += escape.empty() ? std::string(1, c) : escape;
  }
  return out + "\"";
}

ExprId JsonText::one_of(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return factored(texts, 0, 0);
}

/// Sorted, alike up to `at`.
ExprId JsonText::factored(std::span<const std::string> texts, std::size_t at, int depth) {
  constexpr int kDepthMax = 200;
  if (texts.size() == 1 || depth == kDepthMax) {
    std::vector<ExprId> parts;
    for (const std::string& text : texts) parts.push_back(rules_.text(text.substr(at)));
    return rules_.choice(parts);
  }
  std::size_t same = at;
  const std::string& first = texts.front();
  const std::string& last = texts.back();
  while (same < first.size() && first[same] == last[same]) ++same;
  std::vector<ExprId> parts;
  for (std::size_t begin = 0; begin < texts.size();) {
    if (texts[begin].size() == same) {
      parts.push_back(rules_.empty());
      ++begin;
      continue;
    }
    std::size_t end = begin + 1;
    while (end < texts.size() && texts[end][same] == texts[begin][same]) ++end;
    parts.push_back(factored(texts.subspan(begin, end - begin), same, depth + 1));
    begin = end;
  }
  return rules_.sequence({rules_.text(first.substr(at, same - at)), rules_.choice(parts)});
}

ExprId JsonText::other_name(std::span<const std::string> names) {
  if (names.empty()) return quoted(rules_.repeat(written_character(), 0, kMany));
  std::vector<std::u32string> sorted;
  for (const std::string& name : names) sorted.push_back(code_points(name));
  std::sort(sorted.begin(), sorted.end());
  return rules_.sequence({rules_.text("\""), rules_.rule(unlike(sorted, 0))});
}

/// What follows `at` characters that these, sorted, have alike, if it is to be none of them; with
/// the quote at the end.
RuleId JsonText::unlike(std::span<const std::u32string> names, std::size_t at) {
  const RuleId rule = rules_.declare("other name");
  // Where one name alone is left, its characters one after another need no depth of calls here.
  std::vector<ExprId> parts;
  CharRanges taken;
  if (names.front().size() > at) parts.push_back(rules_.text("\""));
  for (std::size_t begin = 0; begin < names.size();) {
    if (names[begin].size() == at) {
      ++begin;
      continue;
    }
    const char32_t code = names[begin][at];
    std::size_t end = begin + 1;
    while (end < names.size() && names[end][at] == code) ++end;
    taken.push_back({code, code});
    parts.push_back(
        rules_.sequence({characters({{code, code}}),
                         rules_.rule(unlike(names.subspan(begin, end - begin), at + 1))}));
    begin = end;
  }
  const CharRanges rest = complement(normalized(taken));
  parts.push_back(rules_.sequence(
      {characters(rest), rules_.repeat(written_character(), 0, kMany), rules_.text("\"")}));
  rules_.define(rule, rules_.choice(parts));
  return rule;
}

ExprId JsonText::list(ExprId part, std::uint32_t min, std::uint32_t max) {
  if (max == 0) return rules_.empty();
  const ExprId more = rules_.sequence({comma(), part});
  const ExprId some = rules_.sequence(
      {part, rules_.repeat(more, min == 0 ? 0 : min - 1, max == kMany ? kMany : max - 1)});
  return min == 0 ? rules_.repeat(some, 0, 1) : some;
}

}  // namespace polaris::grammar
