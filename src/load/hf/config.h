#pragma once
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ir/model.h"
#include "load/source.h"
#include "wire/json.h"

namespace polaris::hf {

/// What is made of a config.json: hyperparameters under arch/'s names, and weights that follow from
/// numbers in it. The first thing that goes wrong is kept and everything after it does nothing.
class Config {
 public:
  explicit Config(JsonValue root) : root_(root) {}

  JsonValue root() const { return root_; }
  /// A member, or nothing where it is null.
  JsonValue get(std::string_view key) const { return get(root_, key); }
  static JsonValue get(JsonValue object, std::string_view key);
  /// A number of `object` that must lie in [low, high], or `otherwise`.
  double number(JsonValue object, std::string_view key, double low, double high, double otherwise);
  double number(std::string_view key, double low, double high, double otherwise) {
    return number(root_, key, low, high, otherwise);
  }
  bool flag(std::string_view key, bool otherwise);

  /// Copies a number, whole or not, to a hyperparameter. Null and nothing are `otherwise`.
  void copy(std::string_view key, std::string_view name,
            std::optional<double> otherwise = std::nullopt);
  void set(std::string_view name, MetadataValue value);
  /// A hyperparameter that was set.
  const MetadataValue* find(std::string_view name) const;
  /// The same as a number.
  std::optional<double> value_of(std::string_view name) const;
  void add_weight(std::string name, std::vector<float> values);

  /// Refuses all texts under `key` but these; nothing is `otherwise`.
  void only(std::string_view key, std::string_view otherwise,
            std::initializer_list<std::string_view> wanted);
  /// Refuses what cannot be built: `key`, got its value, wanted `wanted`.
  void refuse(std::string_view key, std::string_view wanted);
  void fail(std::string_view key, const std::string& got, const std::string& wanted);

  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  const std::map<std::string, Tensor, std::less<>>& weights() const { return weights_; }
  const Metadata& hyperparameters() const { return hyperparameters_; }

 private:
  JsonValue root_;
  Metadata hyperparameters_;
  std::map<std::string, Tensor, std::less<>> weights_;
  Status status_;
};

/// A value as messages have it.
std::string got_text(JsonValue value);

/// A file of a folder that is to be JSON; no document where there is none.
Result<std::optional<JsonDocument>> read_json_beside(Source& source, std::string_view name);
/// The text of a file that is to be JSON. Errors: invalid where it is longer than 16 MiB.
Result<JsonDocument> parse_json(const SourceFile& file, std::string_view name);

}  // namespace polaris::hf
