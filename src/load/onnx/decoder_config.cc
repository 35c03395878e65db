#include "load/onnx/decoder_config.h"

#include <string_view>

#include "base/strings.h"
#include "wire/json.h"

namespace polaris::onnx {
namespace {

constexpr std::size_t kFileMax = std::size_t{16} << 20;
constexpr std::size_t kEndsMax = 64;
constexpr std::size_t kNameMax = 256;

/// Reads values of one file; the first thing that is wrong stays.
class ConfigReader {
 public:
  ConfigReader(std::string_view file, JsonValue root) : file_(file), root_(root) {}

  JsonValue root() const { return root_; }
  const Status& status() const { return status_; }

  /// Where it is there and not null, a whole number from `low` to 2^31 - 1.
  void number(JsonValue parent, std::string_view name, std::int64_t low,
              std::optional<std::int64_t>& out) {
    const JsonValue value = parent[name];
    if (out || is_absent(value)) return;
    const auto read = value.i64();
    if (!read || *read < low || *read > INT32_MAX) {
      return fail(name, "a whole number from " + std::to_string(low) + " to 2^31 - 1");
    }
    out = *read;
  }
  void ends(JsonValue parent, std::string_view name, std::vector<std::int64_t>& out) {
    const JsonValue value = parent[name];
    if (!out.empty() || is_absent(value)) return;
    const bool many = value.is(JsonKind::kArray);
    if (many && value.size() > kEndsMax) return fail(name, "at most 64 ids");
    for (JsonValue v = many ? value.first() : value; v; v = many ? v.next() : JsonValue()) {
      const auto id = v.i64();
      if (!id || *id < 0 || *id > INT32_MAX) {
        return fail(name, "an id from 0 to 2^31 - 1, or a list of them");
      }
      out.push_back(*id);
    }
  }
  void text(JsonValue parent, std::string_view name, std::string& out) {
    const JsonValue value = parent[name];
    if (is_absent(value)) return;
    const auto read = value.text();
    if (!read || read->empty() || read->size() > kNameMax) {
      return fail(name, "a name of 1 to 256 bytes");
    }
    out = *read;
  }
  /// A member that is an object, or nothing.
  JsonValue object(JsonValue parent, std::string_view name) {
    const JsonValue value = parent[name];
    if (is_absent(value)) return {};
    if (value.is(JsonKind::kObject)) return value;
    fail(name, "an object");
    return {};
  }

 private:
  static bool is_absent(JsonValue value) { return !value || value.is(JsonKind::kNull); }
  void fail(std::string_view name, const std::string& wanted) {
    if (!status_) return;
    status_ = Error::invalid("[" + std::string(file_) + "] '" + std::string(name) +
                             "', got another value, wanted " + wanted);
  }

  std::string_view file_;
  JsonValue root_;
  Status status_;
};

void read_genai(ConfigReader& in, DecoderConfig& out) {
  const JsonValue model = in.object(in.root(), "model");
  if (!model) return;
  in.number(model, "context_length", 1, out.context);
  in.number(model, "vocab_size", 1, out.vocabulary);
  in.ends(model, "eos_token_id", out.end_tokens);
  const JsonValue decoder = in.object(model, "decoder");
  if (!decoder) return;
  in.number(decoder, "num_hidden_layers", 1, out.layers);
  in.number(decoder, "num_key_value_heads", 1, out.kv_heads);
  in.number(decoder, "head_size", 1, out.head_size);
  if (const JsonValue names = in.object(decoder, "inputs")) {
    in.text(names, "input_ids", out.tokens);
    in.text(names, "position_ids", out.positions);
    in.text(names, "attention_mask", out.mask);
  }
  if (const JsonValue names = in.object(decoder, "outputs")) in.text(names, "logits", out.logits);
}

void read_transformers(ConfigReader& in, DecoderConfig& out) {
  JsonValue model = in.object(in.root(), "text_config");
  if (!model) model = in.root();
  in.number(model, "max_position_embeddings", 1, out.context);
  in.number(model, "n_positions", 1, out.context);
  in.number(model, "vocab_size", 1, out.vocabulary);
  in.number(model, "num_hidden_layers", 1, out.layers);
  in.ends(model, "eos_token_id", out.end_tokens);
}

Status read_file(Source& source, const char* name, void (*read)(ConfigReader&, DecoderConfig&),
                 DecoderConfig& out) {
  const auto file = source.file(name);
  if (!file) {
    const bool absent = file.error().code() == ErrorCode::kNotFound;
    return absent ? Status::success() : Status(file.error());
  }
  const std::string label = "[" + std::string(name) + "] ";
  if (file->bytes.size() > kFileMax) {
    return Error::invalid(label + "got " + std::to_string(file->bytes.size()) +
                          " bytes, wanted at most " + std::to_string(kFileMax));
  }
  const auto document =
      JsonDocument::parse({reinterpret_cast<const char*>(file->bytes.data()), file->bytes.size()});
  if (!document) return document.error().with_context(name);
  if (!document->root().is(JsonKind::kObject)) return Error::invalid(label + "wanted an object");
  ConfigReader reader(name, document->root());
  read(reader, out);
  return reader.status();
}

}  // namespace

Result<DecoderConfig> read_decoder_config(Source& source) {
  DecoderConfig out;
  if (auto s = read_file(source, "genai_config.json", read_genai, out); !s) return s.error();
  if (auto s = read_file(source, "config.json", read_transformers, out); !s) return s.error();
  return out;
}

}  // namespace polaris::onnx
