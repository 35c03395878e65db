#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "load/built_model.h"
#include "load/hf/architecture.h"
#include "load/hf/config.h"
#include "load/hf/hf_input.h"
#include "load/hf/sentence_config.h"
#include "load/hf/weight_files.h"
#include "load/loader.h"

namespace polaris {
namespace {

constexpr std::size_t kEndsMax = 64;

/// A config.json says what type its model is of.
bool detect(const Source& source) {
  const auto bytes = source.main().bytes;
  if (bytes.empty() || bytes.front() != std::byte{'{'}) return false;
  const auto document = hf::parse_json(source.main(), "config.json");
  return document && (document->root()["model_type"].text() ||
                      document->root()["architectures"].is(JsonKind::kArray));
}

/// Ids that end a text, of a number or a list of them. Errors: invalid.
Result<std::vector<std::int64_t>> read_ends(JsonValue value) {
  std::vector<std::int64_t> out;
  if (!value || value.is(JsonKind::kNull)) return out;
  const bool many = value.is(JsonKind::kArray);
  const bool good = !many || value.size() <= kEndsMax;
  for (JsonValue v = many ? value.first() : value; v; v = many ? v.next() : JsonValue()) {
    const auto id = v.i64();
    if (!good || !id || *id < 0 || *id > INT32_MAX) {
      return Error::invalid("[hf] 'eos_token_id', got " + hf::got_text(good ? v : value) +
                            ", wanted an id from 0 to 2^31 - 1, or a list of at most 64");
    }
    out.push_back(*id);
  }
  return out;
}

/// generation_config.json's, else config.json's.
Status add_ends(Source& source, JsonValue config, Model& model) {
  const auto generation = hf::read_json_beside(source, "generation_config.json");
  if (!generation) return generation.error();
  auto ends = read_ends(*generation ? (*generation)->root()["eos_token_id"] : JsonValue());
  if (ends && ends->empty()) ends = read_ends(config["eos_token_id"]);
  if (!ends) return ends.error();
  if (!ends->empty()) model.hyperparameters.insert_or_assign("end_tokens", ends.take());
  return Status::success();
}

/// What of config.json is one value, under its own keys.
void add_metadata(JsonValue root, Model& model) {
  for (JsonValue value = root.first(); value; value = value.next()) {
    std::string key(value.name());
    if (const auto text = value.text()) {
      model.metadata.emplace(std::move(key), std::string(*text));
    } else if (const auto flag = value.boolean()) {
      model.metadata.emplace(std::move(key), *flag);
    } else if (const auto whole = value.i64()) {
      model.metadata.emplace(std::move(key), *whole);
    } else if (const auto number = value.number()) {
      model.metadata.emplace(std::move(key), *number);
    }
  }
}

Status build(Source& source, const hf::HfArchitecture& architecture, hf::Config& config,
             Model& model, const OpSet& ops, const LoadOptions& options) {
  const Architecture* ours = find_architecture(architecture.ours);
  if (ours == nullptr) {
    return Error::internal("[hf] architecture '" + std::string(architecture.ours) +
                           "' is not built in");
  }
  for (const hf::NumberName& row : architecture.numbers) {
    config.copy(row.key, row.ours, row.otherwise);
  }
  if (config.ok() && architecture.rest != nullptr) architecture.rest(config);
  if (!config.ok()) return config.status();
  if (auto s = hf::read_sentence_config(source, config); !s) return s;
  auto input = hf::HfInput::create(architecture, config, model.weights, ops, options.arch);
  if (!input) return input.error();
  auto built = ours->build(*input);
  if (!built) return built.error();
  if (const std::string left = input->left_over(); !left.empty()) {
    return Error::unsupported("[" + model.architecture + "] " + left);
  }
  add_built(model, built.take());
  return Status::success();
}

Result<Model> load(Source& source, const OpSet& ops, const LoadOptions& options) {
  const auto document = hf::parse_json(source.main(), "config.json");
  if (!document) return document.error();
  hf::Config config(document->root());
  Model model;
  add_metadata(config.root(), model);
  model.architecture = std::string(config.get("model_type").text().value_or(""));
  const hf::HfArchitecture* architecture = hf::find_hf_architecture(model.architecture);
  if (config.get("quantization_config")) {
    model.no_function_reason = "config.json names a 'quantization_config', wanted float weights";
  } else if (architecture == nullptr) {
    model.no_function_reason = "config.json 'model_type', got '" + printable(model.architecture) +
                               "', wanted one of: " + hf::hf_architecture_names();
  }
  auto weights = hf::read_folder_weights(source);
  if (!weights) return weights.error();
  if (auto s = hf::add_weights(model, weights.take()); !s) return s.error();
  if (!model.no_function_reason.empty()) return model;
  const Status status = build(source, *architecture, config, model, ops, options);
  if (!status && status.error().code() == ErrorCode::kUnsupported) {
    // The folder is sound and can be looked at, only not run.
    model.no_function_reason = status.error().message();
    return model;
  }
  if (!status) return status.error();
  if (auto s = add_ends(source, config.root(), model); !s) return s.error();
  return model;
}

}  // namespace

extern constinit const Loader loader_hf{
    .name = "hf",
    .detect = detect,
    .load = load,
};

}  // namespace polaris
