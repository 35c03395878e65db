#include "sampler_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include "base/os/files.h"
#include "base/strings.h"
#include "number_option.h"
#include "pipeline/sampler_json.h"
#include "pipeline/schema/json_schema.h"
#include "text/stop_strings.h"

namespace polaris::cli {
namespace {

constexpr std::int64_t kFileBytesMax = std::int64_t{4} << 20;

std::string flag_of(std::string_view name) {
  std::string out = "--" + std::string(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

template <class T>
void declare_field(CLI::App& app, SamplerOptions& options, const SamplerField<T>& field) {
  add_number(app, flag_of(field.name), options.*field.member, {field.low, field.high},
             std::string(field.doc));
}

Result<LogitBias> read_bias(const std::string& text) {
  const std::size_t sign = text.find('=');
  if (sign != std::string::npos) {
    const auto id = parse_i64(std::string_view(text).substr(0, sign));
    const auto bias = parse_f64(std::string_view(text).substr(sign + 1));
    if (id && bias && std::in_range<TokenId>(*id)) {
      return LogitBias{static_cast<TokenId>(*id), static_cast<float>(*bias)};
    }
  }
  return Error::invalid("[cli] --logit-bias, got '" + printable(text) +
                        "', wanted ID=NUMBER or ID=-inf");
}

/// What the text must be a text of; nothing changes where no flag says.
Status read_grammar(const SamplerFlags& flags, SamplerOptions& options) {
  const bool schema = !flags.schema.empty() || !flags.schema_file.empty();
  const std::string& file = schema ? flags.schema_file : flags.grammar_file;
  std::string text = schema ? flags.schema : flags.grammar;
  if (!file.empty()) {
    auto read = read_file(file, kFileBytesMax);
    if (!read) return read.error();
    text = read.take();
  } else if (text.empty()) {
    return Status::success();
  }
  auto grammar = schema ? parse_schema(text) : grammar::Grammar::parse(text);
  if (!grammar)
    return file.empty() ? grammar.error() : grammar.error().with_context("'" + file + "'");
  options.grammar = grammar.take();
  return Status::success();
}

}  // namespace

void declare_sampler(CLI::App& app, SamplerFlags& flags) {
  app.add_option("--sampler", flags.file,
                 "JSON file with an object of the options below (top_k for --top-k); those given "
                 "here count more");
  visit_sampler_fields([&](const auto& field) { declare_field(app, flags.options, field); });
  app.get_option("--seed")->default_str("");
  app.add_option("--logit-bias", flags.biases,
                 "ID=NUMBER is added to that token's logit, ID=-inf forbids the token")
      ->allow_extra_args(false)
      ->type_name("ID=N");
  app.add_option("--stop", flags.stops, "text that ends the answer, and is no part of it")
      ->allow_extra_args(false)
      ->type_name("TEXT");
  auto* grammar = app.add_option("--grammar", flags.grammar,
                                 "GBNF: what is written is a text of its rule 'root'")
                      ->type_name("GBNF");
  auto* grammar_file = app.add_option("--grammar-file", flags.grammar_file, "the same from a file")
                           ->excludes(grammar);
  auto* schema = app.add_option("-j,--json-schema", flags.schema,
                                "JSON schema: what is written is JSON that fits it")
                     ->type_name("JSON")
                     ->excludes(grammar)
                     ->excludes(grammar_file);
  app.add_option("--json-schema-file", flags.schema_file, "the same from a file")
      ->excludes(grammar)
      ->excludes(grammar_file)
      ->excludes(schema);
}

Result<SamplerOptions> chosen_sampler(const CLI::App& app, const SamplerFlags& flags) {
  SamplerOptions options;
  std::random_device device;
  options.seed = (std::uint64_t{device()} << 32) | device();
  if (!flags.file.empty()) {
    const auto text = read_file(flags.file, kFileBytesMax);
    if (!text) return text.error();
    auto read = read_sampler_json(*text, std::move(options));
    if (!read) return read.error().with_context("'" + flags.file + "'");
    options = read.take();
  }
  visit_sampler_fields([&](const auto& field) {
    if (app.count(flag_of(field.name)) > 0) {
      options.*field.member = flags.options.*field.member;
    }
  });
  if (!flags.biases.empty()) options.logit_bias.clear();
  for (const std::string& text : flags.biases) {
    auto bias = read_bias(text);
    if (!bias) return bias.error();
    options.logit_bias.push_back(*bias);
  }
  if (auto status = read_grammar(flags, options); !status) return status.error();
  if (auto status = check_stop_strings(flags.stops); !status) return status.error();
  constexpr std::int64_t kIds = std::numeric_limits<TokenId>::max();
  if (auto status = check_sampler(options, kIds); !status) return status.error();
  return options;
}

}  // namespace polaris::cli
