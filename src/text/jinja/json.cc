#include "text/jinja/json.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/unicode.h"
#include "text/jinja/operators.h"

namespace polaris::jinja {
namespace {

constexpr int kDepthMax = 100;

void append_escape(std::string& out, std::uint32_t unit) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += "0123456789abcdef"[unit >> shift & 0xFU];
}

void append_text(std::string& out, std::string_view text, bool ensure_ascii) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const Character c = decode_utf8(text, at);
    at += c.bytes;
    switch (c.code) {
      case '"': out += "\\\""; continue;
      case '\\': out += "\\\\"; continue;
      case '\n': out += "\\n"; continue;
      case '\r': out += "\\r"; continue;
      case '\t': out += "\\t"; continue;
      case '\f': out += "\\f"; continue;
      case '\b': out += "\\b"; continue;
      default: break;
    }
    const bool plain = !ensure_ascii || c.code < 0x7F || c.code >= 0x110000;
    if (plain && c.code >= 0x20) {
      append_utf8(out, c.code);
    } else if (c.code < 0x10000) {
      append_escape(out, c.code);
    } else {
      append_escape(out, 0xD800 + ((c.code - 0x10000) >> 10));
      append_escape(out, 0xDC00 + ((c.code - 0x10000) & 0x3FF));
    }
  }
  out += '"';
}

std::string number_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  return float_text(number);
}

class Writer {
 public:
  Writer(Machine& machine, const JsonStyle& style) : machine_(machine), style_(style) {}
  std::string out;

  void write(const Value& value, int depth) {
    if (!machine_.step()) return;
    if (depth > kDepthMax || out.size() > machine_.limits().memory_bytes) {
      machine_.exhaust("JSON, wanted a smaller value");
      return;
    }
    switch (value.kind()) {
      case Kind::kNone: out += "null"; return;
      case Kind::kBool: out += value.integer() != 0 ? "true" : "false"; return;
      case Kind::kInt: out += std::to_string(value.integer()); return;
      case Kind::kFloat: out += number_text(value.real()); return;
      case Kind::kText:
        if (machine_.look(6 * value.text().size())) {
          append_text(out, value.text(), style_.ensure_ascii);
        }
        return;
      case Kind::kDict: return dict(value.dict(), depth);
      case Kind::kList:
        if (value.list().style == ListStyle::kList || value.list().style == ListStyle::kTuple) {
          return list(value.list(), depth);
        }
        break;
      default: break;
    }
    machine_.fail("JSON holds no such value, got " + kind_name(value));
  }

 private:
  void line(int depth) {
    if (!style_.has_indent) return;
    out += '\n';
    for (int i = 0; i < depth; ++i) out += style_.indent;
  }

  void list(const List& list, int depth) {
    if (list.items.empty()) {
      out += "[]";
      return;
    }
    out += '[';
    for (std::size_t i = 0; i < list.items.size() && machine_.ok(); ++i) {
      if (i > 0) out += style_.between;
      line(depth + 1);
      write(list.items[i], depth + 1);
    }
    line(depth);
    out += ']';
  }

  void dict(const Dict& dict, int depth) {
    if (dict.entries.empty()) {
      out += "{}";
      return;
    }
    std::vector<std::pair<Value, Value>> entries = dict.entries;
    if (!machine_.room_for(2 * entries.size())) return;
    if (style_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) {
        return order(machine_, a.first, b.first) < 0;
      });
    }
    out += '{';
    for (std::size_t i = 0; i < entries.size() && machine_.ok(); ++i) {
      if (i > 0) out += style_.between;
      line(depth + 1);
      key(entries[i].first);
      out += style_.after_key;
      write(entries[i].second, depth + 1);
    }
    line(depth);
    out += '}';
  }

  void key(const Value& key) {
    if (key.is(Kind::kText)) return write(key, 0);
    if (!key.is_number() && !key.is(Kind::kNone)) {
      machine_.fail("JSON holds no such key, got " + kind_name(key));
      return;
    }
    out += '"';
    write(key, 0);
    out += '"';
  }

  Machine& machine_;
  const JsonStyle& style_;
};

}  // namespace

std::string json_of(Machine& machine, const Value& value, const JsonStyle& style) {
  Writer writer(machine, style);
  writer.write(value, 0);
  if (!machine.room(writer.out.size())) writer.out.clear();
  return std::move(writer.out);
}

}  // namespace polaris::jinja
