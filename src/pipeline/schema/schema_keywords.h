#pragma once
#include "base/result.h"
#include "pipeline/schema/schema_tree.h"

namespace polaris::schema {

/// Names that a schema may have and that are honoured, or say nothing of what fits. Errors: invalid
/// (a keyword of the wrong kind), unsupported (one that is not served).
Status check_keywords(const SchemaTree& tree, NodeId schema);

/// Whether a keyword takes all values whatever else is said, such as `uniqueItems: false`.
bool says_nothing(const JsonValue& value);

/// An error about a place of the schema.
Error error_at(const SchemaTree& tree, NodeId id, ErrorCode code, const std::string& what);

}  // namespace polaris::schema
