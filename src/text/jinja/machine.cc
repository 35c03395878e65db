#include "text/jinja/machine.h"

#include "base/strings.h"
#include "text/jinja/operators.h"

namespace polaris::jinja {

Machine::Machine(const Limits& limits, const CalendarTime& now)
    : limits_(limits), now_(now), steps_left_(limits.steps), bytes_left_(limits.memory_bytes) {}

std::string Machine::place() const {
  std::string out = "[chat template] ";
  if (line_ > 0) out += "line " + std::to_string(line_) + ", ";
  if (construct_.empty()) return out;
  out += construct_;
  if (!name_.empty()) out += " '" + printable(name_, 64) + "'";
  return out + ": ";
}

Value Machine::fail(const std::string& what) {
  if (ok()) status_ = Error::invalid(place() + what);
  return {};
}

Value Machine::exhaust(const std::string& what) {
  if (ok()) status_ = Error::exhausted(place() + what);
  return {};
}

bool Machine::step(std::int64_t count) {
  if (!ok()) return false;
  if (count <= steps_left_) {
    steps_left_ -= count;
    return true;
  }
  exhaust("steps, wanted at most " + std::to_string(limits_.steps));
  return false;
}

bool Machine::room(std::size_t bytes) {
  if (!step(1 + static_cast<std::int64_t>(bytes / 64))) return false;
  if (bytes <= bytes_left_) {
    bytes_left_ -= bytes;
    return true;
  }
  exhaust("memory, wanted at most " + std::to_string(limits_.memory_bytes) + " bytes");
  return false;
}

Value Machine::text(std::string text) {
  if (!room(text.size() + sizeof(std::string))) return Value::text("");
  texts_.push_back(std::move(text));
  return Value::text(texts_.back());
}

Value Machine::list(std::vector<Value> items, ListStyle style) {
  if (!room(sizeof(List) + items.size() * sizeof(Value))) items.clear();
  lists_.emplace_back();
  lists_.back().style = style;
  lists_.back().items = std::move(items);
  return Value::list(&lists_.back());
}

Value Machine::dict() {
  (void)room(sizeof(Dict));
  return Value::dict(&dicts_.emplace_back());
}

Value Machine::name_space() { return Value::name_space(&dict().dict()); }

Value Machine::callable(const Callable& what) {
  (void)room(sizeof(Callable));
  return Value::callable(&callables_.emplace_back(what));
}

LoopState& Machine::loop() {
  (void)room(sizeof(LoopState));
  return loops_.emplace_back();
}

bool Machine::set(Dict& dict, Value key, Value value) {
  if (!room(4 * sizeof(Value))) return false;
  if (key.is(Kind::kText)) {
    if (!step(dict.find_steps()) || !look(key.text().size())) return false;
    dict.set_text(key, value);
    return true;
  }
  if (!can_be_key(key)) {
    fail("dict, got a key that is " + kind_name(key) + ", wanted a text or a number");
    return false;
  }
  for (auto& [known, there] : dict.entries) {
    if (!step()) return false;
    if (!equals(*this, known, key)) continue;
    there = value;
    return ok();
  }
  dict.entries.emplace_back(key, value);
  return ok();
}

const Value* Arguments::take(std::string_view name) {
  used_.resize(named.size(), false);
  if (next_ < plain.size()) return &plain[next_++];
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (named[i].first != name || used_[i]) continue;
    used_[i] = true;
    return &named[i].second;
  }
  return nullptr;
}

Value Arguments::take(std::string_view name, Value otherwise) {
  const Value* value = take(name);
  return value == nullptr ? otherwise : *value;
}

Value Arguments::need(std::string_view name) {
  const Value* value = take(name);
  if (value == nullptr) return fail("got no '" + std::string(name) + "'");
  return *value;
}

bool Arguments::flag(std::string_view name, bool otherwise) {
  const Value* value = take(name);
  return value == nullptr ? otherwise : truth(machine_, *value);
}

std::int64_t Arguments::integer(std::string_view name, std::int64_t otherwise) {
  const Value* value = take(name);
  if (value == nullptr) return otherwise;
  if (value->is_whole()) return value->integer();
  fail("'" + std::string(name) + "', got " + kind_name(*value) + ", wanted a whole number");
  return otherwise;
}

std::string_view Arguments::text(std::string_view name, std::string_view otherwise) {
  const Value* value = take(name);
  if (value == nullptr) return otherwise;
  if (value->is(Kind::kText)) return value->text();
  fail("'" + std::string(name) + "', got " + kind_name(*value) + ", wanted a text");
  return otherwise;
}

bool Arguments::done() {
  used_.resize(named.size(), false);
  if (next_ < plain.size()) {
    fail("got " + std::to_string(plain.size()) + " values, wanted at most " +
         std::to_string(next_));
  }
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (!used_[i]) fail("got '" + std::string(named[i].first) + "', which it does not take");
  }
  return machine_.ok();
}

Value Arguments::fail(const std::string& what) {
  return machine_.fail(callee_.empty() ? what : std::string(callee_) + ": " + what);
}

}  // namespace polaris::jinja
