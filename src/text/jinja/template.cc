#include "text/jinja/template.h"

#include <utility>

#include "text/jinja/interpreter.h"
#include "text/jinja/parser.h"

namespace polaris::jinja {

Result<Template> Template::parse(std::string_view source, const Limits& limits) {
  if (source.size() > limits.template_bytes) {
    return Error::exhausted("[chat template] length, got " + std::to_string(source.size()) +
                            " bytes, wanted at most " + std::to_string(limits.template_bytes));
  }
  auto tokens = read_tokens(source);
  if (!tokens) return tokens.error();
  auto syntax = Parser(tokens.take(), limits).parse();
  if (!syntax) return syntax.error();
  return Template(std::make_shared<const Syntax>(syntax.take()));
}

Result<std::string> Template::render(Machine& machine, const Value& names) const {
  return Interpreter(machine).run(*syntax_, names);
}

}  // namespace polaris::jinja
