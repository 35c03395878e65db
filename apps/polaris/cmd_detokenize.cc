#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "command.h"
#include "model_io.h"
#include "number_option.h"
#include "text/tokenizer.h"

namespace polaris::cli {
namespace {

class Detokenize final : public Action {
 public:
  void declare(CLI::App& app) override {
    app.add_option("model", path_, "model file with a tokenizer")->required();
    add_numbers(app, "ids", ids_, {0}, "token ids")->required();
  }

  Status run(const Common& common) override {
    auto tokenizer = load_tokenizer(path_, common.logger());
    if (!tokenizer) return tokenizer.error();
    const std::int64_t size = (*tokenizer)->vocabulary().size();
    for (TokenId id : ids_) {
      if ((*tokenizer)->vocabulary().contains(id)) continue;
      return Error::invalid("[tokenizer] id, got " + std::to_string(id) + ", wanted 0 to " +
                            std::to_string(size - 1));
    }
    const std::string text = (*tokenizer)->decode(ids_);
    if (common.json) {
      JsonWriter json;
      json.begin_object().field("text", text).end_object();
      print_line(json.text());
    } else {
      print_line(text);
    }
    return Status::success();
  }

 private:
  std::string path_;
  std::vector<TokenId> ids_;
};

}  // namespace

extern const Command command_detokenize;
constinit const Command command_detokenize{"detokenize", "the text of token ids",
                                           make_action<Detokenize>};

}  // namespace polaris::cli
