#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/os/calendar.h"
#include "base/result.h"
#include "text/jinja/limits.h"
#include "text/jinja/value.h"

namespace polaris::jinja {

struct Scope;
struct Statement;
class Arguments;
class Machine;

/// What can be called: one of these.
struct Callable {
  std::string_view name;
  Value (*function)(Machine&, Arguments&) = nullptr;
  Value (*method)(Machine&, Value self, Arguments&) = nullptr;
  Value self;                        // of a method
  const Statement* macro = nullptr;  // or the block of a call
  Scope* scope = nullptr;            // in which the macro stands
};

/// Where a loop stands; `loop` of the language.
struct LoopState {
  std::vector<Value> items;
  std::size_t index = 0;
  const Statement* statement = nullptr;
  Scope* scope = nullptr;  // around the loop
  int depth = 0;
  Value changed;  // the arguments of loop.changed before
};

/// What a run owns and has left: values, memory, steps, and the first thing that went wrong, after
/// which whatever is computed is of no use and everything returns.
class Machine {
 public:
  explicit Machine(const Limits& limits, const CalendarTime& now = {});
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  const Limits& limits() const { return limits_; }
  const CalendarTime& now() const { return now_; }

  /// Where messages say that things went wrong: in a filter, a call ... of that name, which must
  /// outlive the run.
  void at(int line, std::string_view construct = {}, std::string_view name = {}) {
    line_ = line;
    construct_ = construct;
    name_ = name;
  }
  /// Notes what went wrong, unless something did before. Undefined, to be returned.
  Value fail(const std::string& what);
  /// The same of something that ran out.
  Value exhaust(const std::string& what);

  /// Takes steps; false, with an error, where there are none left.
  bool step(std::int64_t count = 1);
  /// Takes the steps for looking at so many bytes.
  bool look(std::size_t bytes) { return step(1 + static_cast<std::int64_t>(bytes / 64)); }
  /// Takes memory, before it is made.
  bool room(std::size_t bytes);
  bool room_for(std::size_t count) { return room(count * sizeof(Value)); }

  // Each is an empty value after a failure.
  Value text(std::string text);
  Value list(std::vector<Value> items, ListStyle style = ListStyle::kList);
  Value dict();
  Value name_space();
  Value callable(const Callable& what);
  LoopState& loop();
  /// A key or a name with its value. False where a key cannot be one.
  bool set(Dict& dict, Value key, Value value);

 private:
  std::string place() const;

  Limits limits_;
  CalendarTime now_;
  Status status_;
  int line_ = 0;
  std::string_view construct_;
  std::string_view name_;
  std::int64_t steps_left_ = 0;
  std::size_t bytes_left_ = 0;
  std::deque<std::string> texts_;
  std::deque<List> lists_;
  std::deque<Dict> dicts_;
  std::deque<Callable> callables_;
  std::deque<LoopState> loops_;
};

/// What a call was given, and which of it was taken.
class Arguments {
 public:
  /// `callee` stands in messages, where the machine's place does not say it.
  explicit Arguments(Machine& machine, std::string_view callee = {})
      : machine_(machine), callee_(callee) {}

  std::vector<Value> plain;
  std::vector<std::pair<std::string_view, Value>> named;

  Machine& machine() const { return machine_; }
  std::string_view callee() const { return callee_; }

  /// The next one by place, else the one of that name; null where neither was given.
  const Value* take(std::string_view name);
  Value take(std::string_view name, Value otherwise);
  /// Fails where it was not given.
  Value need(std::string_view name);
  bool flag(std::string_view name, bool otherwise);
  std::int64_t integer(std::string_view name, std::int64_t otherwise);
  /// `otherwise` must outlive the call.
  std::string_view text(std::string_view name, std::string_view otherwise);
  /// Fails where something is left that nobody took.
  bool done();
  Value fail(const std::string& what);

 private:
  Machine& machine_;
  std::string_view callee_;
  std::size_t next_ = 0;
  std::vector<bool> used_;  // of `named`
};

}  // namespace polaris::jinja
