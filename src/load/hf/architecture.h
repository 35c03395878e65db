#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "load/hf/config.h"

namespace polaris::hf {

/// A number of config.json and the hyperparameter that it is in arch/.
struct NumberName {
  std::string_view key;
  std::string_view ours;
  std::optional<double> otherwise = std::nullopt;  // what Transformers takes where it is missing
};

/// What becomes of a tensor's values.
enum class WeightForm : std::uint8_t {
  kAsIs,
  kTransposed,  // stored [inputs, outputs]
  kPlusOne,     // one is added: norms that are stored as their distance from it
  kFromRow,     // rows before Names::first_row are of no use
};

/// A module of the file and what arch/ calls it, "*" being a layer's number. Behind both follows
/// ".weight" or ".bias". Modules that end in "." stand for all that begin so; without a name of
/// ours they are of no use here.
struct ModuleName {
  std::string_view theirs;
  std::string_view ours;
  WeightForm form = WeightForm::kAsIs;
};

/// How a model of Transformers becomes one of arch/: load/hf/model/<name>.cc defines
/// `extern constinit const HfArchitecture hf_model_<name>`.
struct HfArchitecture {
  std::string_view model_type;  // of config.json
  std::string_view ours;        // of arch/
  /// Beginnings that names may have before the modules' own.
  std::span<const std::string_view> prefixes;
  std::span<const NumberName> numbers;
  std::span<const ModuleName> modules;
  /// What the tables cannot say; null: nothing.
  void (*rest)(Config&) = nullptr;
};

/// Null where there is none of that type.
const HfArchitecture* find_hf_architecture(std::string_view model_type);
/// Types, joined with commas.
std::string hf_architecture_names();

/// A tensor's name in arch/ and the values it has there.
struct MappedName {
  std::string ours;  // empty: of no use
  WeightForm form = WeightForm::kAsIs;
};
/// Nothing where the architecture does not know the name.
std::optional<MappedName> map_name(const HfArchitecture& architecture, std::string_view theirs);

}  // namespace polaris::hf
