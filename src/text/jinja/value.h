#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace polaris::jinja {

enum class Kind : std::uint8_t {
  kUndefined,
  kNone,
  kBool,
  kInt,
  kFloat,
  kText,
  kList,  // everything that is a row of values, by its ListStyle
  kDict,
  kNamespace,
  kCallable,
  kLoop,
};

struct List;
struct Dict;
struct Callable;
struct LoopState;

/// A value of the language; those of a run live as long as its Machine. Cheap to copy: what is
/// large belongs to the machine, and nothing but namespaces and generators ever changes.
class Value {
 public:
  Value() = default;
  static Value none() { return of(Kind::kNone); }
  static Value boolean(bool flag) {
    Value out = of(Kind::kBool);
    out.at_.integer = flag ? 1 : 0;
    return out;
  }
  static Value integer(std::int64_t number) {
    Value out = of(Kind::kInt);
    out.at_.integer = number;
    return out;
  }
  static Value real(double number) {
    Value out = of(Kind::kFloat);
    out.at_.real = number;
    return out;
  }
  /// The bytes must outlive the value.
  static Value text(std::string_view text) {
    Value out = of(Kind::kText);
    out.at_.chars = text.data();
    out.size_ = text.size();
    return out;
  }
  /// Undefined, of that name: the text stands in messages.
  static Value undefined(std::string_view name) {
    Value out = text(name);
    out.kind_ = Kind::kUndefined;
    return out;
  }
  static Value list(List* items) {
    Value out = of(Kind::kList);
    out.at_.list = items;
    return out;
  }
  static Value dict(Dict* entries) {
    Value out = of(Kind::kDict);
    out.at_.dict = entries;
    return out;
  }
  static Value name_space(Dict* entries) {
    Value out = of(Kind::kNamespace);
    out.at_.dict = entries;
    return out;
  }
  static Value callable(const Callable* what) {
    Value out = of(Kind::kCallable);
    out.at_.callable = what;
    return out;
  }
  static Value loop(LoopState* state) {
    Value out = of(Kind::kLoop);
    out.at_.loop = state;
    return out;
  }

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_number() const {
    return kind_ == Kind::kBool || kind_ == Kind::kInt || kind_ == Kind::kFloat;
  }
  bool is_whole() const { return kind_ == Kind::kBool || kind_ == Kind::kInt; }

  // Each only of its own kind.
  std::int64_t integer() const { return at_.integer; }  // of a bool, too
  double real() const { return at_.real; }
  /// Of a text; the name of what is undefined.
  std::string_view text() const { return {at_.chars == nullptr ? "" : at_.chars, size_}; }
  List& list() const { return *at_.list; }
  Dict& dict() const { return *at_.dict; }  // of a namespace, too
  const Callable& callable() const { return *at_.callable; }
  LoopState& loop() const { return *at_.loop; }

  /// Of a number of any kind.
  double as_double() const {
    return kind_ == Kind::kFloat ? at_.real : static_cast<double>(at_.integer);
  }
  /// Whether both are one thing, not only alike.
  bool same(const Value& other) const;

 private:
  static Value of(Kind kind) {
    Value out;
    out.kind_ = kind;
    return out;
  }

  Kind kind_ = Kind::kUndefined;
  union {
    std::int64_t integer;
    double real;
    const char* chars;
    List* list;
    Dict* dict;
    const Callable* callable;
    LoopState* loop;
  } at_{.integer = 0};
  std::size_t size_ = 0;
};

/// As what a row of values shows itself; all but generators may be walked again and again.
enum class ListStyle : std::uint8_t { kList, kTuple, kRange, kGenerator, kItems, kKeys, kValues };

struct List {
  ListStyle style = ListStyle::kList;
  std::vector<Value> items;
  std::size_t taken = 0;                       // of a generator: what was walked
  std::int64_t start = 0, stop = 0, step = 1;  // of a range, as it shows itself
};

/// Names and values in the order that they came in.
struct Dict {
  std::vector<std::pair<Value, Value>> entries;
  std::map<std::string_view, std::size_t> texts;  // entries under a text, where there are many

  static constexpr std::size_t kSmall = 8;
  const Value* find_text(std::string_view name) const;
  /// Steps that it takes.
  std::int64_t find_steps() const {
    return 2 + (texts.empty() ? static_cast<std::int64_t>(entries.size() / 4) : 0);
  }
  /// Puts a text's value in, in place of one that is there.
  void set_text(Value name, Value value);
};

}  // namespace polaris::jinja
