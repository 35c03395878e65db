#include "pipeline/vision/label_list.h"

#include <utility>

#include "base/strings.h"

namespace polaris {
namespace {

/// Places in any order, each once and none left out.
class ByIndex {
 public:
  bool add(std::optional<std::int64_t> index, std::optional<std::string_view> name) {
    if (!index || !name || *index < 0 || std::cmp_greater_equal(*index, kLabelsMax)) return false;
    const auto at = static_cast<std::size_t>(*index);
    if (at >= names_.size()) names_.resize(at + 1);
    if (names_[at]) return false;
    names_[at] = std::string(*name);
    return true;
  }
  std::optional<std::vector<std::string>> take() {
    std::vector<std::string> out;
    for (auto& name : names_) {
      if (!name) return std::nullopt;
      out.push_back(std::move(*name));
    }
    return out;
  }

 private:
  std::vector<std::optional<std::string>> names_;
};

std::optional<std::string_view> last_text(const JsonValue& list) {
  std::optional<std::string_view> out;
  for (JsonValue v = list.first(); v; v = v.next()) out = v.text();
  return out;
}

/// {0: 'person', 1: "dog's"} or ['person', 'dog'], as Python prints them.
class PythonNames {
 public:
  explicit PythonNames(std::string_view text) : text_(text) {}

  std::optional<std::vector<std::string>> read() {
    ByIndex out;
    const bool dict = take('{');
    if (!dict && !take('[')) return std::nullopt;
    for (std::int64_t count = 0; !take(dict ? '}' : ']'); ++count) {
      if (count > 0 && !take(',')) return std::nullopt;
      if (count > 0 && take(dict ? '}' : ']')) break;
      std::optional<std::int64_t> index = count;
      if (dict) {
        index = whole();
        if (!take(':')) return std::nullopt;
      }
      const auto name = quoted();
      if (!name || !out.add(index, *name)) return std::nullopt;
    }
    return trim(text_).empty() ? out.take() : std::nullopt;
  }

 private:
  bool take(char c) {
    text_ = trim(text_);
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::optional<std::int64_t> whole() {
    text_ = trim(text_);
    const std::size_t end = text_.find_first_not_of("0123456789");
    if (end == text_.npos) return std::nullopt;
    const auto out = parse_i64(text_.substr(0, end));
    text_.remove_prefix(end);
    return out;
  }
  std::optional<std::string> quoted() {
    text_ = trim(text_);
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) return std::nullopt;
    const char mark = text_.front();
    std::string out;
    for (std::size_t i = 1; i < text_.size(); ++i) {
      if (text_[i] == mark) {
        text_.remove_prefix(i + 1);
        return out;
      }
      if (text_[i] == '\\' && i + 1 < text_.size()) ++i;
      out += text_[i];
    }
    return std::nullopt;
  }

  std::string_view text_;
};

}  // namespace

std::optional<std::vector<std::string>> labels_of(const JsonValue& value) {
  ByIndex out;
  if (value.is(JsonKind::kArray)) {
    std::int64_t index = 0;
    for (JsonValue v = value.first(); v; v = v.next()) {
      if (!out.add(index++, v.text())) return std::nullopt;
    }
    return out.take();
  }
  if (!value.is(JsonKind::kObject)) return std::nullopt;
  for (JsonValue v = value.first(); v; v = v.next()) {
    const bool added = v.is(JsonKind::kNumber)  ? out.add(v.i64(), v.name())
                       : v.is(JsonKind::kArray) ? out.add(parse_i64(v.name()), last_text(v))
                                                : out.add(parse_i64(v.name()), v.text());
    if (!added) return std::nullopt;
  }
  return out.take();
}

Result<std::vector<std::string>> parse_labels(std::string_view text) {
  if (trim(text).starts_with('[') || trim(text).starts_with('{')) {
    const auto document = JsonDocument::parse(text);
    if (!document) return document.error().with_context("[labels]");
    auto labels = labels_of(document->root());
    if (labels) return std::move(*labels);
    return Error::invalid(
        "[labels] JSON, wanted a list of texts, or an object with a text for each number from 0");
  }
  std::vector<std::string> out;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    out.emplace_back(line);
    if (out.size() > kLabelsMax) {
      return Error::invalid("[labels] lines, wanted at most " + std::to_string(kLabelsMax));
    }
  }
  while (!out.empty() && out.back().empty()) out.pop_back();
  if (out.empty()) return Error::invalid("[labels] file, got none, wanted a label a line");
  return out;
}

std::string label_at(const std::vector<std::string>& labels, std::int64_t index) {
  if (index < 0 || std::cmp_greater_equal(index, labels.size())) return {};
  return labels[static_cast<std::size_t>(index)];
}

std::optional<std::vector<std::string>> labels_of(const Metadata& metadata) {
  for (const char* key : {"names", "labels", "classes", "id2label"}) {
    const auto at = metadata.find(key);
    if (at == metadata.end()) continue;
    if (const auto* list = std::get_if<std::vector<std::string>>(&at->second)) return *list;
    const auto* text = std::get_if<std::string>(&at->second);
    if (text == nullptr) continue;
    if (const auto document = JsonDocument::parse(*text)) {
      if (auto labels = labels_of(document->root())) return labels;
    }
    if (auto labels = PythonNames(*text).read()) return labels;
  }
  return std::nullopt;
}

}  // namespace polaris
