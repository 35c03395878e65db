#include "pipeline/chat/chat_values.h"

#include <string>
#include <utility>
#include <vector>

namespace polaris {
namespace {

jinja::Value number_value(jinja::Machine& machine, JsonValue json) {
  if (const auto whole = json.i64()) return jinja::Value::integer(*whole);
  const auto real = json.number();
  // Digits alone are a whole number, which here has 64 bits.
  if (json.is_whole() || !real) {
    return machine.fail("a number of the conversation, wanted one of 64 bits");
  }
  return jinja::Value::real(*real);
}

}  // namespace

// As deep as a document may be.
jinja::Value chat_value(jinja::Machine& machine, JsonValue json) {
  if (!machine.step()) return {};
  switch (json.kind()) {
    case JsonKind::kNull: return jinja::Value::none();
    case JsonKind::kBool: return jinja::Value::boolean(json.boolean().value_or(false));
    case JsonKind::kNumber: return number_value(machine, json);
    case JsonKind::kText: return machine.text(std::string(json.text().value_or("")));
    case JsonKind::kArray: {
      std::vector<jinja::Value> items;
      for (JsonValue v = json.first(); v; v = v.next()) items.push_back(chat_value(machine, v));
      return machine.list(std::move(items));
    }
    case JsonKind::kObject: break;
  }
  const jinja::Value out = machine.dict();
  for (JsonValue v = json.first(); v; v = v.next()) {
    const jinja::Value name = machine.text(std::string(v.name()));
    machine.set(out.dict(), name, chat_value(machine, v));
  }
  return out;
}

}  // namespace polaris
