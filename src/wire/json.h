#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace polaris {

enum class JsonKind : std::uint8_t { kNull, kBool, kNumber, kText, kArray, kObject };

class JsonDocument;

/// A value of a document, or nothing: what is looked for and not there. Cheap to copy; lives as
/// long as the document and the text that it was read from.
class JsonValue {
 public:
  JsonValue() = default;
  explicit operator bool() const { return document_ != nullptr; }
  /// kNull for nothing.
  JsonKind kind() const;
  bool is(JsonKind wanted) const { return document_ != nullptr && kind() == wanted; }
  /// Nothing where the value is of another kind (or, for i64 and u64, no whole number in range).
  std::optional<std::string_view> text() const;
  std::optional<bool> boolean() const;
  std::optional<double> number() const;
  std::optional<std::int64_t> i64() const;
  std::optional<std::uint64_t> u64() const;
  /// A number as it is written; empty for all else.
  std::string_view written() const;
  /// Whether it is a number written without fraction and exponent, of whatever size.
  bool is_whole() const;
  /// A member of an object by its name, the first of equals; takes a step a member.
  JsonValue operator[](std::string_view name) const;

  /// Members or elements in order: for (JsonValue v = parent.first(); v; v = v.next()).
  JsonValue first() const;
  JsonValue next() const;
  std::size_t size() const;
  /// The name under which an object has it.
  std::string_view name() const;

 private:
  friend class JsonDocument;
  JsonValue(const JsonDocument* document, std::uint32_t node) : document_(document), node_(node) {}
  const JsonDocument* document_ = nullptr;
  std::uint32_t node_ = 0;
};

/// JSON (RFC 8259) read whole, with bounds on depth and count.
class JsonDocument {
 public:
  /// `text` must outlive the document. Errors: invalid, with the byte where it is malformed.
  static Result<JsonDocument> parse(std::string_view text);
  JsonValue root() const { return {this, 0}; }

  static constexpr int kDepthMax = 64;
  static constexpr std::size_t kValuesMax = std::size_t{1} << 23;

 private:
  friend class JsonValue;
  friend class JsonParser;
  struct Node {
    std::string_view name;
    std::string_view text;  // of a text unescaped, of a number as written
    std::uint32_t first = 0;
    std::uint32_t next = 0;
    std::uint32_t count = 0;
    JsonKind kind = JsonKind::kNull;
    bool flag = false;
  };
  std::vector<Node> nodes_;            // 0 stands for none but as the root
  std::deque<std::string> unescaped_;  // texts that do not stand in the file as they are
};

}  // namespace polaris
