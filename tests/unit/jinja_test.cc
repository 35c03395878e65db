// The interpreter of chat templates: constructs, errors that say where, and limits.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "base/strings.h"
#include "text/jinja/template.h"

namespace polaris::jinja {
namespace {

Result<std::string> render(std::string_view source, const Limits& limits = {}) {
  auto parsed = Template::parse(source, limits);
  if (!parsed) return parsed.error();
  Machine machine(limits, {2026, 3, 5, 14, 7, 9, 4, 63});
  const Value names = machine.dict();
  machine.set(names.dict(), Value::text("name"), Value::text("Ada"));
  machine.set(names.dict(), Value::text("list"),
              machine.list({Value::integer(1), Value::text("two"), Value::none()}));
  return parsed->render(machine, names);
}

std::string text_of(std::string_view source) {
  auto out = render(source);
  return out ? *out : "error: " + out.error().message();
}

std::string fault_of(std::string_view source, const Limits& limits = {}) {
  const auto out = render(source, limits);
  return out ? "text: " + printable(*out) : out.error().message();
}

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

TEST_CASE("white space is controlled as transformers sets it") {
  CHECK(text_of("a\n  {% if true %}\nb\n  {% endif %}\nc\n") == "a\nb\nc");
  CHECK(text_of("a  {{- name -}}  b") == "aAdab");
  CHECK(text_of("  {%+ if true +%}\n x{% endif %}") == "  \n x");
  CHECK(text_of("a {# no #}\n b\r\nc\r") == "a  b\nc");
  CHECK(text_of("{% raw %} {{ x }} {% endraw %}\ny") == " {{ x }} y");
  CHECK(text_of("x\n\n") == "x\n");
}

TEST_CASE("expressions mean what they do in Python") {
  CHECK(text_of("{{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 3 ** 2 }} {{ 1 < 2 < 3 }} {{ 7 / 2 }}") ==
        "-4 2 64 True 3.5");
  CHECK(text_of("{{ list }} {{ (1,) }} {{ {'k': 'it\\'s'} }}") ==
        "[1, 'two', None] (1,) {'k': \"it's\"}");
  CHECK(text_of("{{ 'añ✓'[::-1] }} {{ 'añ✓'[1] }} {{ 'añ✓' | length }} {{ [1, 2, 3][-2:] }}") ==
        "✓ña ñ 3 [2, 3]");
  CHECK(text_of("{{ 1e16 }} {{ 0.1 + 0.2 }} {{ 1e-5 }} {{ 3.0 }}") ==
        "1e+16 0.30000000000000004 1e-05 3.0");
  CHECK(text_of("{{ 'x' if nothing else 'y' }}{{ nothing }}{{ nothing is defined }}") == "yFalse");
  CHECK(text_of("{{ 'ß'.upper() }} {{ 'ΟΔΟΣ'.lower() }} {{ 'a b'.title() }}") == "SS οδος A B");
}

TEST_CASE("loops, macros, namespaces and blocks") {
  CHECK(text_of("{% for x in list %}{{ loop.index }}{{ loop.last }};{% endfor %}") ==
        "1False;2False;3True;");
  CHECK(text_of("{% for i in range(9) %}{% if i == 1 %}{% continue %}{% elif i == 4 %}"
                "{% break %}{% endif %}{{ i }}{% endfor %}") == "023");
  CHECK(text_of("{% macro f(a, b=2) %}{{ a }}{{ b }}{{ caller() }}{% endmacro %}"
                "{% call f(1) %}!{% endcall %}") == "12!");
  CHECK(text_of("{% set ns = namespace(n=0) %}{% for x in list %}{% set ns.n = ns.n + 1 %}"
                "{% set n = 9 %}{% endfor %}{{ ns.n }}{{ n is defined }}") == "3False");
  CHECK(text_of("{% set b | upper %}x{{ name }}{% endset %}{{ b }}") == "XADA");
  CHECK(text_of("{% generation %}g{% endgeneration %}{% filter upper %}f{% endfilter %}") == "gF");
  CHECK(text_of("{{ {'b': [1, none]} | tojson }}{{ [1] | tojson(indent=2) }}") ==
        "{\"b\": [1, null]}[\n  1\n]");
  CHECK(text_of("{{ strftime_now('%A %d %b %Y, %H:%M') }}") == "Thursday 05 Mar 2026, 14:07");
}

TEST_CASE("faults name the line and the construct") {
  CHECK(fault_of("a\n{{ 1 + }}") ==
        "[chat template] line 2, got the end of the tag, wanted an expression");
  CHECK(fault_of("{% if x %}") ==
        "[chat template] line 1, got the end of the template, wanted 'endif'");
  CHECK(fault_of("\n\n{% include 'x' %}").starts_with("[chat template] line 3, got 'include'"));
  CHECK(fault_of("{{ (1 }}") == "[chat template] line 1, got '}', wanted ')'");
  CHECK(fault_of("{{ 'x }}") == "[chat template] line 1, a text without its closing '");
  CHECK(fault_of("\n{{ name | nope }}") ==
        "[chat template] line 2, filter 'nope': there is none of that name");
  CHECK(fault_of("{{ name is nope }}").starts_with("[chat template] line 1, test 'nope'"));
  CHECK(fault_of("\n{{ none_such.x }}") ==
        "[chat template] line 2, attribute 'x': 'none_such' is undefined");
  CHECK(fault_of("{{ name() }}") ==
        "[chat template] line 1, call 'name': got a text, wanted something to call");
  CHECK(fault_of("{{ name + 1 }}") ==
        "[chat template] line 1, operator '+', got a text and a whole number");
  CHECK(fault_of("{% for x in 5 %}{% endfor %}") ==
        "[chat template] line 1, for: got a whole number, wanted something to walk over");
  CHECK(fault_of("\n{{ raise_exception('roles\\nmust alternate') }}") ==
        "[chat template] line 2, call 'raise_exception': roles\\x0amust alternate");
  CHECK(fault_of("{{ [].append(1) }}").find("changes a value") != std::string::npos);
  CHECK(fault_of("{{ 9223372036854775807 + 1 }}").find("beyond 64 bits") != std::string::npos);
}

TEST_CASE("hostile templates end in an error, soon") {
  const auto exhausts = [](const std::string& source) {
    CAPTURE(printable(source));
    const auto out = render(source);
    REQUIRE(!out.ok());
    CHECK(out.error().code() == ErrorCode::kExhausted);
    CHECK(out.error().message().starts_with("[chat template] line 1, "));
  };
  const std::string many = "range(100000)";
  exhausts("{% for i in " + many + " %}{% for j in " + many + " %}x{% endfor %}{% endfor %}");
  exhausts(
      "{% set ns = namespace(t='aaaaaaaa') %}{% for i in range(99) %}"
      "{% set ns.t = ns.t + ns.t %}{% endfor %}");
  exhausts("{{ 'a' * 999999999999 }}");
  exhausts("{{ [0] * 9999999999 }}");
  exhausts("{{ 'a'.center(9999999999) }}");
  exhausts("{{ ('a' * 1000000).replace('', 'b' * 1000000) }}");
  exhausts("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}");
  exhausts("{% for x in [[1]] recursive %}{{ loop(x if x is iterable else [x]) }}{% endfor %}");
  exhausts(
      "{% set ns = namespace(l=[]) %}{% for i in range(200) %}{% set ns.l = [ns.l] %}"
      "{% endfor %}{{ ns.l }}");
  exhausts(
      "{% set ns = namespace(l=[]) %}{% for i in range(200) %}{% set ns.l = [ns.l] %}"
      "{% endfor %}{{ ns.l == [ns.l] }}{{ ns.l | tojson }}");
  exhausts("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}");
  exhausts("{{ " + repeated("1 + ", 5000) + "1 }}");
  exhausts("{% set s = 'ab' * 500000 %}{% for i in " + many + " %}{{ s[i] }}{% endfor %}");
  // The same of what is parsed.
  for (const std::string_view open : {"(", "[", "{1:", "not ", "-", "x[", "x(", "1 if "}) {
    CHECK(fault_of("{{ " + repeated(open, 30000)).starts_with("[chat template] line 1, "));
  }
  CHECK(fault_of(repeated("{% if x %}", 20000)).find("nested too deep") != std::string::npos);
  CHECK(fault_of(std::string(std::size_t{2} << 20, 'x')).find("length") != std::string::npos);
  CHECK(text_of("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns is defined }}") == "True");
  CHECK(text_of("{{ ('a' * 500000 + 'b') in ('a' * 900000) }}") == "False");
}

TEST_CASE("limits are what they are set to") {
  Limits small;
  small.output_bytes = 8;
  CHECK(fault_of("123456789", small).find("output") != std::string::npos);
  small = {};
  small.steps = 50;
  CHECK(fault_of("{% for i in range(50) %}{% endfor %}", small).find("steps") != std::string::npos);
  small = {};
  small.template_bytes = 3;
  CHECK(fault_of("1234", small).find("at most 3") != std::string::npos);
  small = {};
  small.nesting = 4;
  CHECK(fault_of("{{ ((((1)))) }}", small).find("nested too deep") != std::string::npos);
}

}  // namespace
}  // namespace polaris::jinja
