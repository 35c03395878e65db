#include "wire/json.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace polaris {

class JsonParser {
 public:
  explicit JsonParser(std::string_view text) : text_(text) {}

  Result<JsonDocument> parse() {
    const auto root = value(0);
    space();
    if (root && at_ < text_.size()) fail("more after the value");
    if (!status_) return status_.error();
    return std::move(out_);
  }

 private:
  using Node = JsonDocument::Node;

  /// The node's number, or nothing after a fault.
  std::optional<std::uint32_t> value(int depth) {
    space();
    if (depth > JsonDocument::kDepthMax) return fail("values nested too deep");
    if (out_.nodes_.size() >= JsonDocument::kValuesMax) return fail("too many values");
    if (at_ >= text_.size()) return fail("the end");
    const auto index = static_cast<std::uint32_t>(out_.nodes_.size());
    out_.nodes_.emplace_back();
    switch (text_[at_]) {
      case '{': out_.nodes_[index].kind = JsonKind::kObject; break;
      case '[': out_.nodes_[index].kind = JsonKind::kArray; break;
      case '"': {
        const auto read = string();
        if (!read) return std::nullopt;
        out_.nodes_[index].kind = JsonKind::kText;
        out_.nodes_[index].text = *read;
        return index;
      }
      case 't':
      case 'f':
      case 'n': return word(index);
      default: return number(index);
    }
    if (!members(index, depth)) return std::nullopt;
    return index;
  }

  bool members(std::uint32_t parent, int depth) {
    const bool object = out_.nodes_[parent].kind == JsonKind::kObject;
    const char end = object ? '}' : ']';
    ++at_;
    space();
    if (take(end)) return true;
    std::uint32_t last = 0;
    for (std::uint32_t count = 1;; ++count) {
      std::string_view name;
      space();
      if (object) {
        if (at_ >= text_.size() || text_[at_] != '"') return fail("no name of a member"), false;
        const auto read = string();
        if (!read) return false;
        name = *read;
        space();
        if (!take(':')) return fail("no ':' after a name"), false;
      }
      const auto child = value(depth + 1);
      if (!child) return false;
      out_.nodes_[*child].name = name;
      (last == 0 ? out_.nodes_[parent].first : out_.nodes_[last].next) = *child;
      last = *child;
      out_.nodes_[parent].count = count;
      space();
      if (take(end)) return true;
      if (!take(',')) return fail("no ',' between values"), false;
    }
  }

  std::optional<std::uint32_t> word(std::uint32_t index) {
    Node& node = out_.nodes_[index];
    for (const std::string_view known : {"true", "false", "null"}) {
      if (!text_.substr(at_).starts_with(known)) continue;
      at_ += known.size();
      node.kind = known == "null" ? JsonKind::kNull : JsonKind::kBool;
      node.flag = known == "true";
      return index;
    }
    return fail("a word that is no value");
  }

  std::optional<std::uint32_t> number(std::uint32_t index) {
    const std::size_t begin = at_;
    const auto digits = [&] {
      const std::size_t from = at_;
      while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
      return at_ - from;
    };
    take('-');
    const bool zero = at_ < text_.size() && text_[at_] == '0';
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return fail("a value that is none");
    if (take('.') && digits() == 0) return fail("a number without digits after '.'");
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (digits() == 0) return fail("a number without an exponent");
    }
    Node& node = out_.nodes_[index];
    node.kind = JsonKind::kNumber;
    node.text = text_.substr(begin, at_ - begin);
    return index;
  }

  /// At a '"'.
  std::optional<std::string_view> string() {
    const std::size_t begin = ++at_;
    std::string* out = nullptr;  // once it differs from the file
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        if (out == nullptr) {
          out_.unescaped_.emplace_back(text_.substr(begin, at_ - begin));
          out = &out_.unescaped_.back();
        }
        if (!escape(*out)) return std::nullopt;
        continue;
      }
      const std::size_t bytes = utf8_length(text_.substr(at_, 4));
      if (bytes == 0 || static_cast<unsigned char>(text_[at_]) < 0x20) {
        fail("a byte that no text holds");
        return std::nullopt;
      }
      if (out != nullptr) *out += text_.substr(at_, bytes);
      at_ += bytes;
    }
    if (at_ >= text_.size()) {
      fail("a text that does not end");
      return std::nullopt;
    }
    const std::string_view plain = text_.substr(begin, at_ - begin);
    ++at_;
    return out != nullptr ? std::string_view(*out) : plain;
  }

  bool escape(std::string& out) {
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    at_ += 2;
    if (letter != 'u') {
      const std::size_t which = kLetters.find(letter);
      if (which == std::string_view::npos) return fail("an escape that is none"), false;
      out += kMeanings[which];
      return true;
    }
    auto code = hex();
    if (code && *code >= 0xD800 && *code < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
      at_ += 2;
      const auto low = hex();
      const bool pair = low && *low >= 0xDC00 && *low < 0xE000;
      code =
          pair ? std::optional(0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00)) : std::nullopt;
    }
    if (!code || (*code >= 0xD800 && *code < 0xE000)) {
      return fail("an escape that is no character"), false;
    }
    append(out, *code);
    return true;
  }

  static void append(std::string& out, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte & 0xFF); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
      put(0xC0 | code >> 6);
    } else {
      if (code < 0x10000) {
        put(0xE0 | code >> 12);
      } else {
        put(0xF0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3F));
      }
      put(0x80 | (code >> 6 & 0x3F));
    }
    put(0x80 | (code & 0x3F));
  }

  std::optional<std::uint32_t> hex() {
    if (text_.size() - std::min(at_, text_.size()) < 4) return std::nullopt;
    std::uint32_t out = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = text_[at_++];
      const auto in = [&](char low, char high) { return c >= low && c <= high; };
      if (!in('0', '9') && !in('a', 'f') && !in('A', 'F')) return std::nullopt;
      const int digit = in('0', '9') ? c - '0' : (c | 0x20) - 'a' + 10;
      out = out * 16 + static_cast<std::uint32_t>(digit);
    }
    return out;
  }

  void space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::nullopt_t fail(std::string_view what) {
    if (status_) {
      status_ = Error::invalid("[json] at byte " + std::to_string(std::min(at_, text_.size())) +
                               ", got " + std::string(what));
    }
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  JsonDocument out_;
  Status status_;
};

Result<JsonDocument> JsonDocument::parse(std::string_view text) { return JsonParser(text).parse(); }

JsonKind JsonValue::kind() const {
  return document_ == nullptr ? JsonKind::kNull : document_->nodes_[node_].kind;
}

std::optional<std::string_view> JsonValue::text() const {
  if (!is(JsonKind::kText)) return std::nullopt;
  return document_->nodes_[node_].text;
}

std::optional<bool> JsonValue::boolean() const {
  if (!is(JsonKind::kBool)) return std::nullopt;
  return document_->nodes_[node_].flag;
}

std::string_view JsonValue::written() const {
  return is(JsonKind::kNumber) ? document_->nodes_[node_].text : std::string_view();
}

std::optional<double> JsonValue::number() const {
  if (!is(JsonKind::kNumber)) return std::nullopt;
  return parse_f64(document_->nodes_[node_].text);
}

std::optional<std::int64_t> JsonValue::i64() const {
  if (!is(JsonKind::kNumber)) return std::nullopt;
  return parse_i64(document_->nodes_[node_].text);
}

std::optional<std::uint64_t> JsonValue::u64() const {
  if (!is(JsonKind::kNumber)) return std::nullopt;
  return parse_u64(document_->nodes_[node_].text);
}

bool JsonValue::is_whole() const {
  return is(JsonKind::kNumber) &&
         document_->nodes_[node_].text.find_first_of(".eE") == std::string_view::npos;
}

JsonValue JsonValue::operator[](std::string_view name) const {
  if (!is(JsonKind::kObject)) return {};
  for (JsonValue v = first(); v; v = v.next()) {
    if (v.name() == name) return v;
  }
  return {};
}

JsonValue JsonValue::first() const {
  const std::uint32_t child = document_ == nullptr ? 0 : document_->nodes_[node_].first;
  return child == 0 ? JsonValue() : JsonValue(document_, child);
}

JsonValue JsonValue::next() const {
  const std::uint32_t after = document_ == nullptr ? 0 : document_->nodes_[node_].next;
  return after == 0 ? JsonValue() : JsonValue(document_, after);
}

std::size_t JsonValue::size() const {
  return document_ == nullptr ? 0 : document_->nodes_[node_].count;
}

std::string_view JsonValue::name() const {
  return document_ == nullptr ? std::string_view() : document_->nodes_[node_].name;
}

}  // namespace polaris
