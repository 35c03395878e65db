#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ir/model.h"
#include "wire/json.h"

namespace polaris {

inline constexpr std::size_t kLabelsMax = std::size_t{1} << 20;

/// Names of classes: a JSON list of texts, or an object of {"0": "cat"}, {"cat": 0}, or
/// {"0": ["n02123045", "tabby"]}, whose last text is taken. Nothing where it is none of these, or
/// numbers are missing among the first.
std::optional<std::vector<std::string>> labels_of(const JsonValue& value);

/// A file of labels: JSON as above, or a name a line. Errors: invalid.
Result<std::vector<std::string>> parse_labels(std::string_view text);

/// The label of that index; "" where there is none.
std::string label_at(const std::vector<std::string>& labels, std::int64_t index);

/// What the model's own metadata names its classes, under "names" (a Python dict or list, as
/// Ultralytics writes it), "labels", "classes" or "id2label"; nothing where it does not.
std::optional<std::vector<std::string>> labels_of(const Metadata& metadata);

}  // namespace polaris
