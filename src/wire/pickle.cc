#include "wire/pickle.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>

#include "base/strings.h"

namespace polaris {
namespace {

Error bad(std::string_view what) { return Error::invalid("[pickle] " + std::string(what)); }

struct Value {
  enum class Kind : std::uint8_t { kOther, kMark, kText, kList, kTuple, kName, kMade };
  Kind kind = Kind::kOther;
  std::string_view text;           // kText; kName and kMade: what makes it
  std::vector<std::size_t> parts;  // kList, kTuple: values; kMade: its state
};

// A few values stand around the strings of an array.
constexpr std::size_t kValuesMax = std::size_t{1} << 22;
constexpr std::size_t kTextBytesMax = std::size_t{1} << 32;

constexpr std::string_view kNames[] = {
    "numpy.core.multiarray _reconstruct",
    "numpy._core.multiarray _reconstruct",
    "numpy ndarray",
    "numpy dtype",
};

/// Interprets the opcodes over values of its own; the first fault is kept.
class Unpickler {
 public:
  explicit Unpickler(std::span<const std::byte> data)
      : data_(reinterpret_cast<const char*>(data.data()), data.size()) {}

  Result<std::vector<std::string>> run() {
    bool more = true;
    while (more && status_) {
      const std::string_view opcode = take(1);
      if (!status_) break;
      more = opcode[0] != '.';
      if (more) step(static_cast<unsigned char>(opcode[0]));
    }
    if (!status_) return status_.error();
    return strings_of(pop());
  }

 private:
  using Kind = Value::Kind;

  void fail(std::string_view what) {
    if (status_) status_ = bad(std::string(what) + " at byte " + std::to_string(at_));
  }

  std::string_view take(std::size_t bytes) {
    if (bytes > data_.size() - at_) {
      fail("data are cut short");
      return {};
    }
    const std::string_view out = data_.substr(at_, bytes);
    at_ += bytes;
    return out;
  }

  std::size_t number(std::size_t bytes) {
    std::uint64_t out = 0;
    const std::string_view text = take(bytes);
    for (std::size_t i = text.size(); i-- > 0;)
      out = out << 8 | static_cast<unsigned char>(text[i]);
    return static_cast<std::size_t>(out);
  }

  std::string_view line() {
    const std::size_t end = data_.find('\n', at_);
    const std::string_view out = take(end == data_.npos ? data_.size() + 1 : end - at_);
    take(1);
    return out;
  }

  std::size_t push(Value value) {
    if (values_.size() == kValuesMax) fail("values, got too many");
    values_.push_back(std::move(value));
    stack_.push_back(values_.size() - 1);
    return stack_.back();
  }
  void push(Kind kind, std::string_view text = {}) { push(Value{kind, text, {}}); }

  std::size_t pop() {
    if (stack_.empty()) {
      fail("stack is empty");
      return push(Value{});
    }
    const std::size_t out = stack_.back();
    stack_.pop_back();
    return out;
  }

  /// What stands above the last mark, which goes too.
  std::vector<std::size_t> pop_to_mark() {
    std::vector<std::size_t> out;
    while (!stack_.empty() && values_[stack_.back()].kind != Kind::kMark) out.push_back(pop());
    pop();
    std::reverse(out.begin(), out.end());
    return out;
  }

  void push_tuple(std::size_t count) {
    std::vector<std::size_t> parts(count);
    for (std::size_t i = count; i-- > 0;) parts[i] = pop();
    push({Kind::kTuple, {}, std::move(parts)});
  }

  void append(std::vector<std::size_t> parts) {
    if (stack_.empty() || values_[stack_.back()].kind != Kind::kList)
      return fail("appends to no list");
    auto& list = values_[stack_.back()].parts;
    list.insert(list.end(), parts.begin(), parts.end());
  }

  void name(std::string_view module, std::string_view member) {
    for (std::string_view known : kNames) {
      if (known == std::string(module) + " " + std::string(member)) return push(Kind::kName, known);
    }
    if (status_) {
      status_ = Error::unsupported("[pickle] name '" + printable(module) + "." + printable(member) +
                                   "', wanted those of arrays alone");
    }
  }

  void name_of_stack() {
    const Value member = values_[pop()];
    const Value module = values_[pop()];
    if (member.kind != Kind::kText || module.kind != Kind::kText) return fail("name is no text");
    name(module.text, member.text);
  }

  void make() {
    pop();
    const Value callee = values_[pop()];
    if (callee.kind != Kind::kName) return fail("calls what is no name");
    push(Kind::kMade, callee.text);
  }

  void build() {
    const std::size_t state = pop();
    if (stack_.empty() || values_[stack_.back()].kind != Kind::kMade) return fail("builds nothing");
    values_[stack_.back()].parts = {state};
  }

  void remember(std::size_t index) {
    if (stack_.empty()) return fail("stack is empty");
    memo_[index] = stack_.back();
  }

  void recall(std::size_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) return fail("remembers nothing");
    stack_.push_back(found->second);
    // A recalled value takes a place too, so that no pickle piles them up.
    if (stack_.size() > kValuesMax) fail("values, got too many");
  }

  void step(unsigned char opcode) {
    switch (opcode) {
      case 0x80: take(1); return;  // the protocol
      case 0x95: take(8); return;  // a frame's length
      case '(': return push(Kind::kMark);
      case '0': pop(); return;
      case ']': return push(Kind::kList);
      case ')': return push(Kind::kTuple);
      case 't': {
        auto parts = pop_to_mark();
        push({Kind::kTuple, {}, std::move(parts)});
        return;
      }
      case 0x85: return push_tuple(1);
      case 0x86: return push_tuple(2);
      case 0x87: return push_tuple(3);
      case 'a': {
        const std::size_t part = pop();
        return append({part});
      }
      case 'e': {
        auto parts = pop_to_mark();
        return append(std::move(parts));
      }
      case 'N':
      case 0x88:
      case 0x89: return push(Kind::kOther);
      case 'J': take(4); return push(Kind::kOther);
      case 'K': take(1); return push(Kind::kOther);
      case 'M': take(2); return push(Kind::kOther);
      case 0x8A:
      case 'C': take(number(1)); return push(Kind::kOther);
      case 'B': take(number(4)); return push(Kind::kOther);
      case 'X': return push(Kind::kText, take(number(4)));
      case 0x8C: return push(Kind::kText, take(number(1)));
      case 0x8D: return push(Kind::kText, take(number(8)));
      case 'c': {
        const std::string_view module = line();
        return name(module, line());
      }
      case 0x93: return name_of_stack();
      case 'R': return make();
      case 'b': return build();
      case 'q': return remember(number(1));
      case 'r': return remember(number(4));
      case 0x94: return remember(memo_.size());
      case 'h': return recall(number(1));
      case 'j': return recall(number(4));
      default: break;
    }
    if (status_) {
      status_ = Error::unsupported("[pickle] opcode, got " + std::to_string(opcode) + " at byte " +
                                   std::to_string(at_ - 1) + ", wanted those of arrays of texts");
    }
  }

  /// The texts in the state of an array, (version, shape, dtype, order, list).
  Result<std::vector<std::string>> strings_of(std::size_t array) {
    if (!status_) return status_.error();
    const Value& made = values_[array];
    if (made.kind != Kind::kMade || !made.text.ends_with("_reconstruct") || made.parts.empty()) {
      return bad("holds no array");
    }
    const Value& state = values_[made.parts[0]];
    if (state.kind != Kind::kTuple || state.parts.size() != 5) return bad("array has no state");
    const Value& list = values_[state.parts[4]];
    if (list.kind != Kind::kList) return bad("array has no list of objects");
    std::vector<std::string> out;
    std::size_t bytes = 0;
    for (std::size_t part : list.parts) {
      if (values_[part].kind != Kind::kText) {
        return Error::unsupported("[pickle] object " + std::to_string(out.size()) +
                                  " is no text, wanted texts alone");
      }
      // One text may stand in the list again and again.
      bytes += values_[part].text.size();
      if (bytes > kTextBytesMax) return Error::exhausted("[pickle] texts are too many bytes");
      out.emplace_back(values_[part].text);
    }
    return out;
  }

  std::string_view data_;
  std::size_t at_ = 0;
  std::vector<Value> values_;
  std::vector<std::size_t> stack_;
  std::map<std::size_t, std::size_t> memo_;
  Status status_;
};

}  // namespace

Result<std::vector<std::string>> read_pickled_strings(std::span<const std::byte> data) {
  return Unpickler(data).run();
}

}  // namespace polaris
