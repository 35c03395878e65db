// Masks of a grammar over a model's vocabulary, and texts drawn by them at random, without the
// model.
//   bench_grammar_masks MODEL GRAMMAR.gbnf|SCHEMAS.json [texts of each] [seed]
// SCHEMAS.json is a schema, or a list of them. For each grammar a line of JSON: the times of its
// masks in microseconds of the processor, those of the second half of the texts and those of 3 and
// more (which were not known yet) by themselves, and the texts; null for one that did not end
// within kTokensMax tokens.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "base/os/files.h"
#include "base/strings.h"
#include "load/load.h"
#include "pipeline/model_tokenizer.h"
#include "pipeline/schema/json_schema.h"
#include "text/grammar/matcher.h"
#include "wire/json.h"

namespace {

using namespace polaris;

constexpr int kTokensMax = 600;
constexpr int kSoon = 60;  // tokens after which a text is led to its end

template <class T>
T must(Result<T> result) {
  if (result) return result.take();
  std::fprintf(stderr, "grammar_masks: %s\n", result.error().message().c_str());
  std::exit(1);
}

double now_us() {
  return static_cast<double>(std::clock()) * 1e6 / static_cast<double>(CLOCKS_PER_SEC);
}
double microseconds(double begin) { return now_us() - begin; }

double quantile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

class Drawer {
 public:
  Drawer(const Tokenizer& tokenizer, std::shared_ptr<const grammar::Grammar> grammar,
         std::shared_ptr<const grammar::TokenTries> tries, std::uint64_t seed)
      : tokenizer_(tokenizer),
        masks_(std::make_shared<grammar::Masks>(std::move(grammar), tries)),
        tries_(std::move(tries)),
        random_(seed) {}

  /// One text; nothing where it does not end.
  std::optional<std::string> draw() {
    grammar::Matcher matcher(masks_);
    std::string text;
    for (int step = 0; step < kTokensMax; ++step) {
      const auto begin = now_us();
      const auto allowed = must(matcher.allowed());
      times_.push_back(microseconds(begin));
      const TokenId token = pick(allowed, step, matcher.may_end());
      if (token < 0) return text;
      const auto next = now_us();
      if (auto status = matcher.prepare(token); !status) must(Result<int>(status.error()));
      matcher.commit();
      steps_.push_back(microseconds(next));
      text += tokenizer_.piece(token);
      if (matcher.may_end() && !matcher.may_go_on()) return text;
    }
    return std::nullopt;
  }
  const std::vector<double>& times() const { return times_; }
  /// Masks before the second half of the texts.
  std::size_t half() const { return half_; }
  void note_half() { half_ = times_.size(); }
  const std::vector<double>& steps() const { return steps_; }

 private:
  /// By its first byte, so that signs come as often as words; -1 ends the text.
  TokenId pick(std::span<const std::uint64_t> allowed, int step, bool may_end) {
    std::vector<std::vector<TokenId>> by_byte(256);
    std::vector<TokenId> closing;
    for (TokenId id = 0; static_cast<std::size_t>(id) < tries_->width(); ++id) {
      if (!grammar::has_token(allowed, id)) continue;
      const std::string_view text = tries_->text(id);
      by_byte[static_cast<std::uint8_t>(text[0])].push_back(id);
      if (text == "\"" || text == "}" || text == "]" || text == "0") closing.push_back(id);
    }
    std::erase_if(by_byte, [](const auto& ids) { return ids.empty(); });
    const std::size_t ways = by_byte.size() + (may_end ? 1 : 0);
    if (may_end && (by_byte.empty() || step > kSoon || random_() % ways == 0)) return -1;
    if (by_byte.empty()) return -1;
    if (step > kSoon && !closing.empty()) return closing[random_() % closing.size()];
    const auto& ids = by_byte[random_() % by_byte.size()];
    return ids[random_() % ids.size()];
  }

  const Tokenizer& tokenizer_;
  std::shared_ptr<grammar::Masks> masks_;
  std::shared_ptr<const grammar::TokenTries> tries_;
  std::mt19937_64 random_;
  std::vector<double> times_;
  std::vector<double> steps_;
  std::size_t half_ = 0;
};

void report(const Tokenizer& tokenizer, Result<std::shared_ptr<const grammar::Grammar>> compiled,
            double compile_us, const std::shared_ptr<const grammar::TokenTries>& tries, int texts,
            std::uint64_t seed) {
  JsonWriter json;
  json.begin_object();
  if (!compiled) {
    json.field("error", compiled.error().message());
  } else {
    Drawer drawer(tokenizer, compiled.take(), tries, seed);
    std::vector<std::optional<std::string>> drawn;
    for (int i = 0; i < texts; ++i) {
      if (i == texts / 2) drawer.note_half();
      drawn.push_back(drawer.draw());
    }
    const std::vector<double>& times = drawer.times();
    const auto half = static_cast<std::ptrdiff_t>(drawer.half());
    const std::vector<double> settled(times.begin() + half, times.end());
    std::vector<double> fresh = times;
    std::erase_if(fresh, [](double us) { return us < 3; });
    json.field("masks", static_cast<std::int64_t>(drawer.times().size()));
    json.field("compile_us", compile_us);
    json.field("median_us", quantile(drawer.times(), 0.5));
    json.field("p99_us", quantile(drawer.times(), 0.99));
    json.field("worst_us", quantile(drawer.times(), 1));
    json.field("settled_p99_us", quantile(settled, 0.99));
    json.field("settled_worst_us", quantile(settled, 1));
    json.field("fresh", static_cast<std::int64_t>(fresh.size()));
    json.field("fresh_median_us", quantile(fresh, 0.5));
    json.field("step_median_us", quantile(drawer.steps(), 0.5));
    json.key("texts").begin_array();
    for (const auto& text : drawn) {
      if (text) {
        json.value(*text);
      } else {
        json.null();
      }
    }
    json.end_array();
  }
  std::printf("%s\n", json.end_object().text().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "grammar_masks: wanted MODEL GRAMMAR.gbnf|SCHEMAS.json [texts] [seed]\n");
    return 2;
  }
  const auto number = [&](int at, std::int64_t otherwise) {
    return argc > at ? parse_i64(argv[at]).value_or(otherwise) : otherwise;
  };
  const auto texts = static_cast<int>(number(3, 20));
  const auto seed = static_cast<std::uint64_t>(number(4, 1));
  const Model model = must(load_model(argv[1], OpSet::builtin()));
  const auto tokenizer = must(make_tokenizer(model));
  auto begin = now_us();
  const auto tries = std::make_shared<grammar::TokenTries>(
      *tokenizer, static_cast<std::size_t>(tokenizer->vocabulary().size()),
      tokenizer->end_tokens());
  std::fprintf(stderr, "%lld tokens, trees made in %.1f ms\n",
               static_cast<long long>(tokenizer->vocabulary().size()), microseconds(begin) / 1000);
  const std::string path = argv[2];
  const std::string text = must(read_file(path, std::int64_t{64} << 20));
  if (path.ends_with(".gbnf")) {
    begin = now_us();
    auto compiled = grammar::Grammar::parse(text);
    report(*tokenizer, std::move(compiled), microseconds(begin), tries, texts, seed);
    return 0;
  }
  const auto document = must(JsonDocument::parse(text));
  const JsonValue root = document.root();
  const bool list = root.is(JsonKind::kArray);
  for (JsonValue schema = list ? root.first() : root; schema; schema = schema.next()) {
    begin = now_us();
    auto compiled = compile_schema(schema);
    report(*tokenizer, std::move(compiled), microseconds(begin), tries, texts, seed);
    if (!list) break;
  }
  return 0;
}
