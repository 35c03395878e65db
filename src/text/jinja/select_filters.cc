#include "base/strings.h"
#include "text/jinja/filters.h"
#include "text/jinja/operators.h"

namespace polaris::jinja {
namespace {

/// What follows `skip` arguments, for the filter or test that is named by one of them.
void pass_on(const Arguments& arguments, std::size_t skip, Arguments& out) {
  if (arguments.plain.size() > skip) {
    out.plain.assign(arguments.plain.begin() + static_cast<std::ptrdiff_t>(skip),
                     arguments.plain.end());
  }
  out.named = arguments.named;
}

Value map(Machine& machine, Value value, Arguments& arguments) {
  std::vector<Value> out;
  if (arguments.plain.empty()) {
    const AttributePath path(machine, arguments.need("attribute"));
    const Value otherwise = arguments.take("default", Value::none());
    if (!arguments.done()) return {};
    for (const Value& item : walk(machine, value)) {
      if (!machine.ok()) return {};
      out.push_back(path.of(item, otherwise));
    }
    return machine.list(std::move(out), ListStyle::kGenerator);
  }
  if (!arguments.plain[0].is(Kind::kText)) {
    return arguments.fail("got " + kind_name(arguments.plain[0]) + ", wanted a filter's name");
  }
  const std::string name = "filter '" + printable(arguments.plain[0].text(), 64) + "'";
  for (const Value& item : walk(machine, value)) {
    if (!machine.ok()) return {};
    Arguments inner(machine, name);
    pass_on(arguments, 1, inner);
    out.push_back(apply_filter(machine, arguments.plain[0].text(), item, inner));
  }
  return machine.list(std::move(out), ListStyle::kGenerator);
}

template <bool by_attribute, bool wanted>
Value choose(Machine& machine, Value value, Arguments& arguments) {
  const std::size_t at = by_attribute ? 1 : 0;
  if (arguments.plain.size() < at) return arguments.fail("got no attribute");
  const AttributePath path(machine, by_attribute ? arguments.plain[0] : Value::none());
  const bool has_test = arguments.plain.size() > at;
  if (has_test && !arguments.plain[at].is(Kind::kText)) {
    return arguments.fail("got " + kind_name(arguments.plain[at]) + ", wanted a test's name");
  }
  const std::string name =
      has_test ? "test '" + printable(arguments.plain[at].text(), 64) + "'" : std::string();
  std::vector<Value> out;
  for (const Value& item : walk(machine, value)) {
    const Value looked_at = path.of(item);
    if (!machine.ok()) return {};
    bool holds = false;
    if (has_test) {
      Arguments inner(machine, name);
      pass_on(arguments, at + 1, inner);
      holds = apply_test(machine, arguments.plain[at].text(), looked_at, inner);
    } else {
      holds = truth(machine, looked_at);
    }
    if (holds == wanted) out.push_back(item);
  }
  return machine.list(std::move(out), ListStyle::kGenerator);
}

constexpr MethodRow kRows[] = {
    {"map", map},
    {"reject", choose<false, false>},
    {"rejectattr", choose<true, false>},
    {"select", choose<false, true>},
    {"selectattr", choose<true, true>},
};

}  // namespace

std::span<const MethodRow> select_filters() { return kRows; }

}  // namespace polaris::jinja
