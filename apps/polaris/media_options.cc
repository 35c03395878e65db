#include "media_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/os/files.h"
#include "output.h"
#include "pipeline/vision/label_list.h"

namespace polaris::cli {
namespace {

constexpr std::int64_t kFileBytesMax = std::int64_t{512} << 20;
constexpr std::int64_t kLabelBytesMax = std::int64_t{64} << 20;

/// What is wrong with a key's value, or nothing.
std::string value_error(const CardKey& key, const std::string& text) {
  ModelCard card;
  const auto status = apply_option(key, text, card);
  return status ? "" : status.error().message();
}

std::string type_name_of(CardKind kind) {
  switch (kind) {
    case CardKind::kText:
    case CardKind::kFlag: break;
    case CardKind::kNumber:
    case CardKind::kWhole: return "N";
    case CardKind::kOffset: return "OFFSET";
    case CardKind::kNumbers: return "R,G,B";
    case CardKind::kSize: return "N|WxH";
  }
  return "TEXT";
}

}  // namespace

void MediaCommand::declare(CLI::App& app, std::uint8_t command, const std::string& files_doc) {
  app.add_option("model", model_, "model file; MODEL.card.json beside it may say what options do")
      ->required();
  app.add_option("file", files_, files_doc)->required();
  for (const CardKey& key : card_keys()) {
    if ((key.commands & command) == 0) continue;
    std::string name(key.name);
    std::replace(name.begin(), name.end(), '_', '-');
    std::string doc(key.doc);
    // As add_number has it for other options; the key's own check holds it to this.
    if (key.kind == CardKind::kNumber || key.kind == CardKind::kWhole) {
      doc += " (" + std::string(key.wanted) + ")";
    }
    if (key.kind == CardKind::kFlag) {
      app.add_flag_function(
          "--" + name + ",!--no-" + name,
          [this, &key](std::int64_t count) { given_[key.name] = count > 0 ? "true" : "false"; },
          doc);
      continue;
    }
    app.add_option_function<std::string>(
           "--" + name, [this, &key](const std::string& text) { given_[key.name] = text; }, doc)
        ->check([&key](const std::string& text) { return value_error(key, text); }, "")
        ->type_name(type_name_of(key.kind));
  }
}

Result<MediaCommand::Ready> MediaCommand::open(const Common& common) const {
  auto card = read_card(model_);
  if (!card) return card.error();
  for (const CardKey& key : card_keys()) {
    const auto text = given_.find(key.name);
    if (text == given_.end()) continue;
    if (auto status = apply_option(key, text->second, *card); !status) return status.error();
  }
  if (const auto labels = given_.find("labels"); labels != given_.end()) {
    const auto text = read_file(labels->second, kLabelBytesMax);
    if (!text) return text.error();
    auto list = parse_labels(*text);
    if (!list) return list.error().with_context("'" + labels->second + "'");
    card->labels = list.take();
  }
  auto opened = open_model(common, model_);
  if (!opened) return opened.error();
  MediaOptions options{card.take(), {}, opened->options};
  for (const std::string& text : common.dims) {
    if (const auto dim = split_dim(text)) options.dims.insert_or_assign(dim->first, dim->second);
  }
  return Ready{opened.take(), std::move(options)};
}

Status MediaCommand::each_file(
    const std::function<Status(const std::string&, std::span<const std::byte>)>& look) const {
  for (const std::string& name : files_) {
    const auto bytes = read_file(name, kFileBytesMax);
    if (!bytes) return bytes.error();
    const auto status = look(name, std::as_bytes(std::span(bytes->data(), bytes->size())));
    if (!status) return status.error().with_context("'" + name + "'");
    // Nobody reads on: no need to go on.
    if (auto written = output_status(); !written) return written;
  }
  return Status::success();
}

void print_settings(const Common& common, const Settings& settings) {
  if (!common.json && !common.quiet) print_line("settings: " + settings_text(settings));
}

}  // namespace polaris::cli
