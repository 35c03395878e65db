#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>

#include "base/os/clock.h"
#include "base/os/files.h"
#include "command.h"
#include "generator.h"
#include "interrupt.h"
#include "model_io.h"
#include "number_option.h"
#include "output.h"
#include "pipeline/perplexity.h"
#include "progress.h"

namespace polaris::cli {
namespace {

constexpr std::int64_t kContextUsual = 512;  // what published figures are of

class Eval final : public Action {
 public:
  void declare(CLI::App& app) override {
    app.add_option("what", what_, "what is measured: perplexity")
        ->required()
        ->check(CLI::IsMember({"perplexity"}));
    declare_model(app, generator_);
    app.add_option("data", data_, "text file")->required();
    add_number(app, "-c,--ctx", context_, {0, INT32_MAX},
               "tokens of a chunk, each read alone, its second half scored; 0 for " +
                   std::to_string(kContextUsual) + ", or what the model was trained for if less");
    add_number(app, "--chunks", chunks_, {0}, "chunks to read at most, 0 for all");
  }

  Status run(const Common& common) override {
    auto text = read_file(data_, static_cast<std::int64_t>(Tokenizer::kTextBytesMax));
    if (!text) return text.error();
    GenerationOptions generation = generation_options(generator_);
    generation.context = context_ > 0 ? context_ : kContextUsual;
    auto opened = open_model(common, generator_.model, generator_arch_options(generation));
    if (!opened) return opened.error();
    if (auto status = set_context(opened->model, generation); !status) return status;
    auto scorer = Scorer::create(opened->runtime, opened->model, opened->options, generation);
    if (!scorer) return scorer.error().with_context("'" + generator_.model + "'");

    CancelOnInterrupt interrupt;
    Progress progress(common);
    const std::int64_t start = monotonic_ns();
    PerplexityOptions options;
    options.context = generation.context;
    options.chunks_max = chunks_;
    options.run.cancel = interrupt.token();
    options.progress = [&](std::int64_t done, std::int64_t all, double so_far) {
      char value[32];
      std::snprintf(value, sizeof value, ", %.4f so far", so_far);
      progress.show("chunk", std::to_string(done), std::to_string(all) + value);
    };
    const auto measured = measure_perplexity(*scorer, *text, options);
    progress.clear();
    if (!measured) return measured.error().with_context("'" + data_ + "'");
    print(common, *measured, generation.context, elapsed_ms(start), device_text(*opened->runtime));
    return Status::success();
  }

 private:
  /// The chunk that the model can read: what was asked for, or the usual one cut to its context.
  Status set_context(const Model& model, GenerationOptions& generation) const {
    const auto trained = trained_context(model);
    if (!trained || generation.context <= *trained) return Status::success();
    if (context_ > 0) {
      return Error::invalid("[perplexity] --ctx, got " + std::to_string(context_) +
                            ", wanted at most the model's context of " + std::to_string(*trained));
    }
    generation.context = *trained;
    return Status::success();
  }

  static void print(const Common& common, const Perplexity& measured, std::int64_t context,
                    double ms, const std::string& device) {
    const double rate = static_cast<double>(measured.chunks * context) * 1000 / ms;
    if (common.json) {
      JsonWriter json;
      json.begin_object().field("perplexity", measured.value);
      json.field("standard_error", measured.standard_error).field("mean_nll", measured.mean_nll);
      json.field("tokens", measured.tokens).field("chunks", measured.chunks);
      json.field("context", context).field("wall_ms", ms).field("tokens_per_s", rate);
      json.field("device", device).end_object();
      print_line(json.text());
      return;
    }
    char line[256];
    std::snprintf(line, sizeof line,
                  "perplexity %.4f +/- %.4f, of %lld tokens in %lld chunks of %lld, %.1f tokens/s",
                  measured.value, measured.standard_error, static_cast<long long>(measured.tokens),
                  static_cast<long long>(measured.chunks), static_cast<long long>(context), rate);
    print_line(line + (" on " + device));
  }

  GeneratorOptions generator_;
  std::string what_;
  std::string data_;
  std::int64_t context_ = 0;
  std::int64_t chunks_ = 0;
};

}  // namespace

extern const Command command_eval;
constinit const Command command_eval{
    "eval", "how well a model does: eval perplexity MODEL TEXT.txt", make_action<Eval>};

}  // namespace polaris::cli
