#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "command.h"
#include "generator.h"
#include "model_io.h"
#include "text/tokenizer.h"

namespace polaris::cli {
namespace {

class Tokenize final : public Action {
 public:
  void declare(CLI::App& app) override {
    app.add_option("model", path_, "model file with a tokenizer")->required();
    app.add_option("text", text_, "text to split")->required();
    app.add_flag("--no-special", no_special_, "leave out BOS and EOS");
    app.add_flag("--parse-special", parse_special_, "take control tokens written in the text");
  }

  Status run(const Common& common) override {
    auto tokenizer = load_tokenizer(path_, common.logger());
    if (!tokenizer) return tokenizer.error();
    const auto encoded =
        (*tokenizer)->encode(text_, {.add_special = !no_special_, .parse_special = parse_special_});
    if (!encoded) return encoded.error();
    const std::vector<TokenId>& ids = *encoded;
    warn_double_bos(common, **tokenizer, ids);
    if (!common.json) {
      for (TokenId id : ids) {
        print_line(std::to_string(id) + "\t" + (*tokenizer)->vocabulary().token(id).text);
      }
      return Status::success();
    }
    JsonWriter json;
    json.begin_object().key("ids").begin_array();
    for (TokenId id : ids) json.value(id);
    json.end_array().key("pieces").begin_array();
    for (TokenId id : ids) json.value((*tokenizer)->vocabulary().token(id).text);
    json.end_array().end_object();
    print_line(json.text());
    return Status::success();
  }

 private:
  std::string path_;
  std::string text_;
  bool no_special_ = false;
  bool parse_special_ = false;
};

}  // namespace

extern const Command command_tokenize;
constinit const Command command_tokenize{"tokenize", "ids and pieces of a text",
                                         make_action<Tokenize>};

}  // namespace polaris::cli
