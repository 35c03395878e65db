#include "text/jinja/functions.h"

#include "base/strings.h"
#include "text/jinja/operators.h"
#include "text/jinja/printf.h"

namespace polaris::jinja {
namespace {

// That of Jinja's sandbox.
constexpr std::int64_t kRangeMax = 100000;

/// Entries of a dict, or pairs; then what is named.
void fill(Machine& machine, Arguments& arguments, Dict& out) {
  if (arguments.plain.size() > 1) {
    arguments.fail("got " + std::to_string(arguments.plain.size()) + " values, wanted at most 1");
  }
  for (const Value& from : arguments.plain) {
    if (from.is(Kind::kDict)) {
      for (const auto& [key, value] : from.dict().entries) machine.set(out, key, value);
      continue;
    }
    for (const Value& entry : walk(machine, from)) {
      const std::vector<Value> pair = walk(machine, entry);
      if (!machine.ok()) return;
      if (pair.size() != 2) {
        arguments.fail("got an entry of " + std::to_string(pair.size()) + " values, wanted 2");
        return;
      }
      machine.set(out, pair[0], pair[1]);
    }
  }
  for (const auto& [name, value] : arguments.named) machine.set(out, Value::text(name), value);
}

Value make_dict(Machine& machine, Arguments& arguments) {
  const Value out = machine.dict();
  fill(machine, arguments, out.dict());
  return out;
}

Value make_namespace(Machine& machine, Arguments& arguments) {
  const Value out = machine.name_space();
  fill(machine, arguments, out.dict());
  return out;
}

Value range(Machine& machine, Arguments& arguments) {
  const std::int64_t one = arguments.integer("start", 0);
  const bool has_stop = arguments.plain.size() > 1;
  List out;
  out.start = has_stop ? one : 0;
  out.stop = has_stop ? arguments.integer("stop", 0) : one;
  out.step = arguments.integer("step", 1);
  if (arguments.plain.empty()) return arguments.fail("got nothing, wanted 1 to 3 numbers");
  if (!arguments.done()) return {};
  if (out.step == 0) return arguments.fail("got a step of 0");
  const Value list = machine.list({}, ListStyle::kRange);
  out.style = ListStyle::kRange;
  for (std::int64_t at = out.start; out.step > 0 ? at < out.stop : at > out.stop;) {
    if (static_cast<std::int64_t>(out.items.size()) >= kRangeMax) {
      return arguments.fail("wanted at most " + std::to_string(kRangeMax) + " numbers");
    }
    if (!machine.room_for(1)) return {};
    out.items.push_back(Value::integer(at));
    if (__builtin_add_overflow(at, out.step, &at)) break;
  }
  list.list() = std::move(out);
  return list;
}

Value raise(Machine& machine, Arguments& arguments) {
  const std::string why = text_of(machine, arguments.need("message"));
  if (!arguments.done()) return {};
  return arguments.fail(printable(why, 512));
}

Value now(Machine& machine, Arguments& arguments) {
  const std::string_view format = arguments.text("format", {});
  return arguments.done() ? time_format(machine, format) : Value();
}

constexpr FunctionRow kRows[] = {
    {"dict", make_dict}, {"namespace", make_namespace}, {"raise_exception", raise},
    {"range", range},    {"strftime_now", now},
};

}  // namespace

std::span<const FunctionRow> functions() { return kRows; }

}  // namespace polaris::jinja
