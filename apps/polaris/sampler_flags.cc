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
  if (auto status = check_stop_strings(flags.stops); !status) return status.error();
  constexpr std::int64_t kIds = std::numeric_limits<TokenId>::max();
  if (auto status = check_sampler(options, kIds); !status) return status.error();
  return options;
}

}  // namespace polaris::cli
