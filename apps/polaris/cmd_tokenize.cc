#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "chat_prompt.h"
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
    auto* text = app.add_option("text", text_, "text to split");
    app.add_option("--messages,--chat", chat_.messages_file,
                   "JSON file with a conversation, to be split as the chat template renders it")
        ->excludes(text);
    declare_chat_template(app, chat_);
    app.add_flag("--render", render_, "print the rendered conversation alone, not its ids");
    app.add_flag("--no-special", no_special_, "leave out BOS and EOS");
    app.add_flag("--parse-special", parse_special_, "take control tokens written in the text");
    app_ = &app;
  }

  Status run(const Common& common) override {
    const bool is_chat = !chat_.messages_file.empty();
    if (!is_chat && app_->count("text") == 0) {
      return common.usage_error("a text is missing, wanted TEXT or --messages FILE");
    }
    if (!is_chat && (render_ || !chat_.chat_template.empty())) {
      return common.usage_error("--render and --chat-template are of --messages FILE");
    }
    auto tokenizer = load_tokenizer(path_, common.logger());
    if (!tokenizer) return tokenizer.error();
    if (is_chat) {
      auto rendered = render_prompt(common, chat_, **tokenizer);
      if (!rendered) return rendered.error();
      text_ = rendered.take();
    }
    if (render_) return print_rendered(common);
    const auto encoded =
        is_chat
            ? encode_chat(**tokenizer, text_, !no_special_)
            : (*tokenizer)
                  ->encode(text_, {.add_special = !no_special_, .parse_special = parse_special_});
    if (!encoded) return encoded.error();
    warn_double_bos(common, **tokenizer, *encoded);
    print_ids(common, **tokenizer, *encoded, is_chat);
    return Status::success();
  }

 private:
  Status print_rendered(const Common& common) const {
    if (common.json) {
      JsonWriter json;
      json.begin_object().field("text", text_).end_object();
      print_line(json.text());
    } else {
      print_text(text_);
    }
    return Status::success();
  }

  void print_ids(const Common& common, const Tokenizer& tokenizer, const std::vector<TokenId>& ids,
                 bool is_chat) const {
    const auto piece = [&](TokenId id) { return tokenizer.vocabulary().token(id).text; };
    if (!common.json) {
      for (TokenId id : ids) print_line(std::to_string(id) + "\t" + piece(id));
      return;
    }
    JsonWriter json;
    json.begin_object().key("ids").begin_array();
    for (TokenId id : ids) json.value(id);
    json.end_array().key("pieces").begin_array();
    for (TokenId id : ids) json.value(piece(id));
    json.end_array();
    if (is_chat) json.field("text", text_);
    json.end_object();
    print_line(json.text());
  }

  CLI::App* app_ = nullptr;
  ChatPrompt chat_;
  bool render_ = false;
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
