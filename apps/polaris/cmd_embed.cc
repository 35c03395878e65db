#include <CLI/CLI.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "command.h"
#include "interrupt.h"
#include "model_io.h"
#include "number_option.h"
#include "pipeline/embedder.h"
#include "pipeline/generation.h"
#include "wire/npy.h"

namespace polaris::cli {
namespace {

constexpr std::int64_t kFileBytesMax = std::int64_t{256} << 20;
/// Texts that are embedded before any of them is printed.
constexpr std::size_t kTextsAtOnce = 256;

/// The lines of a text, without what ends them; nothing behind the last end.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.pop_back();
    out.push_back(std::move(line));
    at = end + 1;
  }
  return out;
}

class Embed final : public Action {
 public:
  void declare(CLI::App& app) override {
    app.add_option("model", path_, "model file")->required();
    auto* texts = app.add_option("text", texts_, "texts to embed");
    app.add_option("-f,--file", file_, "file with a text a line, in place of texts")
        ->excludes(texts);
    app.add_option("--pooling", pooling_,
                   "what becomes of the tokens' rows: mean, cls (the first) or last; without it as "
                   "the model's file says, else mean of an encoder and last of a decoder")
        ->check(CLI::IsMember({"mean", "cls", "last"}));
    app.add_flag("--normalize,!--no-normalize", normalize_,
                 "make each embedding of length 1, as is usual, or leave it as it is");
    app.add_flag("--truncate", truncate_, "cut texts that are too long, in place of an error");
    add_number(app, "-c,--context", context_, {0, INT32_MAX},
               "tokens of the longest text, 0 for what the model was trained for, up to " +
                   std::to_string(kContextDefault));
    app.add_option("-o,--output", output_, "file for the embeddings, .npy of [texts, width]");
  }

  Status run(const Common& common) override {
    if (file_.empty() && texts_.empty()) {
      return common.usage_error("a text is missing, wanted TEXT or --file FILE");
    }
    if (!file_.empty()) {
      auto text = read_file(file_, kFileBytesMax);
      if (!text) return text.error();
      texts_ = lines_of(*text);
    }
    ArchOptions arch;
    arch.embed = true;
    arch.context_max = context_ > 0 ? context_ : kContextDefault;
    auto opened = open_model(common, path_, arch);
    if (!opened) return opened.error();
    auto embedder = Embedder::create(opened->runtime, opened->model, opened->options);
    if (!embedder) return embedder.error().with_context("'" + path_ + "'");
    for (std::size_t at = 0; at < texts_.size(); at += kTextsAtOnce) {
      const std::size_t count = std::min(kTextsAtOnce, texts_.size() - at);
      if (auto status = embed(*embedder, common, at, count); !status) return status;
    }
    return save(*embedder);
  }

 private:
  Status embed(Embedder& embedder, const Common& common, std::size_t first, std::size_t count) {
    std::vector<std::vector<TokenId>> ids;
    for (std::size_t i = first; i < first + count; ++i) {
      auto encoded = embedder.encode(texts_[i], truncate_);
      if (encoded && encoded->empty()) encoded = Error::invalid("[embed] text without a token");
      if (!encoded) return encoded.error().with_context("text " + std::to_string(i + 1));
      ids.push_back(encoded.take());
    }
    CancelOnInterrupt interrupt;
    RunOptions options;
    options.cancel = interrupt.token();
    const EmbedOptions how{pooling_from_name(pooling_), normalize_};
    auto embeddings = embedder.embed(ids, how, options);
    if (!embeddings) return embeddings.error();
    for (std::size_t i = 0; i < count; ++i) {
      const std::vector<float>& row = (*embeddings)[i];
      if (!output_.empty()) rows_.insert(rows_.end(), row.begin(), row.end());
      if (common.json || output_.empty()) print(common, first + i, ids[i].size(), row);
    }
    // Nobody reads on: no need to go on.
    return output_status();
  }

  static void print(const Common& common, std::size_t index, std::size_t tokens,
                    std::span<const float> row) {
    if (common.json) {
      JsonWriter json;
      json.begin_object().field("index", static_cast<std::int64_t>(index));
      json.field("tokens", static_cast<std::int64_t>(tokens)).key("embedding").begin_array();
      for (const float x : row) json.value(x);
      json.end_array().end_object();
      print_line(json.text());
      return;
    }
    std::string line;
    for (const float x : row) {
      if (!line.empty()) line += ' ';
      line += format_f32(x);
    }
    print_line(line);
  }

  Status save(const Embedder& embedder) const {
    if (output_.empty()) return Status::success();
    const auto texts = static_cast<std::int64_t>(texts_.size());
    const TensorType type{DType::kF32, {texts, embedder.width()}, {}};
    const auto tensor = Tensor::from_bytes(type, std::as_bytes(std::span(rows_)));
    if (!tensor) return tensor.error();
    return save_npy(output_, *tensor);
  }

  std::string path_;
  std::vector<std::string> texts_;
  std::string file_;
  std::string pooling_;
  std::string output_;
  std::int64_t context_ = 0;
  bool normalize_ = true;
  bool truncate_ = false;
  std::vector<float> rows_;  // [texts, width], where a file is wanted
};

}  // namespace

extern const Command command_embed;
constinit const Command command_embed{"embed", "numbers that stand for what a text means",
                                      make_action<Embed>};

}  // namespace polaris::cli
