#include "text/jinja/value.h"

namespace polaris::jinja {

bool Value::same(const Value& other) const {
  if (kind_ != other.kind_) return false;
  switch (kind_) {
    case Kind::kUndefined:
    case Kind::kNone: return true;
    case Kind::kBool:
    case Kind::kInt: return at_.integer == other.at_.integer;
    case Kind::kFloat: return at_.real == other.at_.real;
    case Kind::kText: return text() == other.text();
    case Kind::kList: return at_.list == other.at_.list;
    case Kind::kDict:
    case Kind::kNamespace: return at_.dict == other.at_.dict;
    case Kind::kCallable: return at_.callable == other.at_.callable;
    case Kind::kLoop: return at_.loop == other.at_.loop;
  }
  return false;
}

const Value* Dict::find_text(std::string_view name) const {
  if (!texts.empty()) {
    const auto at = texts.find(name);
    return at == texts.end() ? nullptr : &entries[at->second].second;
  }
  for (const auto& [key, value] : entries) {
    if (key.is(Kind::kText) && key.text() == name) return &value;
  }
  return nullptr;
}

void Dict::set_text(Value name, Value value) {
  if (const Value* there = find_text(name.text())) {
    *const_cast<Value*>(there) = value;
    return;
  }
  entries.emplace_back(name, value);
  if (entries.size() <= kSmall) return;
  if (!texts.empty()) {
    texts.emplace(name.text(), entries.size() - 1);
    return;
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].first.is(Kind::kText)) texts.emplace(entries[i].first.text(), i);
  }
}

}  // namespace polaris::jinja
