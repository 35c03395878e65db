#include "pipeline/sampler_json.h"

#include <concepts>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/strings.h"
#include "pipeline/schema/json_schema.h"
#include "wire/json.h"

namespace polaris {
namespace {

template <class T>
std::optional<T> number_of(const JsonValue& value) {
  if constexpr (std::same_as<T, float>) {
    const auto number = value.number();
    return number ? std::optional(static_cast<float>(*number)) : std::nullopt;
  } else if constexpr (std::same_as<T, std::uint64_t>) {
    return value.u64();
  } else {
    const auto number = value.i64();
    if (!number || !std::in_range<T>(*number)) return std::nullopt;
    return static_cast<T>(*number);
  }
}

Status read_biases(const JsonValue& value, std::vector<LogitBias>& out) {
  if (!value.is(JsonKind::kObject)) {
    return Error::invalid("[sampler] logit_bias, got no object, wanted one of token ids");
  }
  if (value.size() > kLogitBiasesMax) {
    return Error::invalid("[sampler] logit_bias, got " + std::to_string(value.size()) +
                          " tokens, wanted at most " + std::to_string(kLogitBiasesMax));
  }
  out.clear();
  for (JsonValue entry = value.first(); entry; entry = entry.next()) {
    const auto id = parse_i64(entry.name());
    if (!id || !std::in_range<TokenId>(*id)) {
      return Error::invalid("[sampler] logit_bias, got '" + printable(entry.name()) +
                            "', wanted a token id");
    }
    std::optional<double> bias = entry.number();
    if (entry.boolean() == false) bias = -std::numeric_limits<double>::infinity();
    if (!bias) {
      return Error::invalid("[sampler] logit_bias of token " + std::to_string(*id) +
                            ", got neither, wanted a number or false");
    }
    out.push_back({static_cast<TokenId>(*id), static_cast<float>(*bias)});
  }
  return Status::success();
}

Status read_grammar(const JsonValue& value, SamplerOptions& options) {
  const bool schema = value.name() == "json_schema";
  const auto text = value.text();
  if (options.grammar) return Error::invalid("[sampler] got two grammars, wanted one");
  if (!schema && !text) return Error::invalid("[sampler] grammar, got no text, wanted GBNF");
  auto grammar = schema ? compile_schema(value) : grammar::Grammar::parse(*text);
  if (!grammar) return grammar.error();
  options.grammar = grammar.take();
  return Status::success();
}

Status read_member(const JsonValue& value, SamplerOptions& options) {
  if (value.name() == "logit_bias") return read_biases(value, options.logit_bias);
  if (value.name() == "grammar" || value.name() == "json_schema")
    return read_grammar(value, options);
  bool known = false;
  Status status;
  visit_sampler_fields([&]<class T>(const SamplerField<T>& field) {
    if (field.name != value.name()) return;
    known = true;
    const auto number = number_of<T>(value);
    if (number) {
      options.*field.member = *number;
    } else {
      status = Error::invalid("[sampler] " + std::string(field.name) + ", got " +
                              (value.is(JsonKind::kNumber) ? "another number" : "no number") +
                              ", wanted " + (std::integral<T> ? "a whole number" : "a number") +
                              " within its bounds");
    }
  });
  if (known) return status;
  return Error::invalid("[sampler] got '" + printable(value.name()) +
                        "', wanted the name of an option");
}

}  // namespace

Result<SamplerOptions> read_sampler_json(std::string_view text, SamplerOptions options) {
  const auto document = JsonDocument::parse(text);
  if (!document) return document.error().with_context("[sampler]");
  const JsonValue root = (*document).root();
  if (!root.is(JsonKind::kObject)) {
    return Error::invalid("[sampler] got no object, wanted {\"temperature\": ...}");
  }
  std::set<std::string_view> seen;
  for (JsonValue member = root.first(); member; member = member.next()) {
    if (!seen.insert(member.name()).second) {
      return Error::invalid("[sampler] got '" + printable(member.name()) + "' twice, wanted once");
    }
    if (auto status = read_member(member, options); !status) return status.error();
  }
  // Which ids there are is known with the model.
  constexpr std::int64_t kIds = std::numeric_limits<TokenId>::max();
  if (auto status = check_sampler(options, kIds); !status) return status.error();
  return options;
}

}  // namespace polaris
