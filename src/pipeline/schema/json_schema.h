#pragma once
#include <memory>
#include <string_view>

#include "base/result.h"
#include "text/grammar/grammar.h"
#include "wire/json.h"

namespace polaris {

/// The texts of JSON that a JSON schema (draft 2020-12) takes, as a grammar; docs/grammars.md says
/// how they are written. Errors: invalid (no schema, one that nothing fits), unsupported (a keyword
/// that is not served, with its JSON pointer), exhausted (larger than grammar::Limits).
Result<std::shared_ptr<const grammar::Grammar>> compile_schema(const JsonValue& schema);
/// Of a schema's text, whose faults are errors too.
Result<std::shared_ptr<const grammar::Grammar>> parse_schema(std::string_view text);

}  // namespace polaris
