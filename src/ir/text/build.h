#pragma once
#include <vector>

#include "ir/graph.h"
#include "ir/op_set.h"
#include "ir/text/ast.h"
#include "ir/text/text.h"

namespace polaris {

/// Sets the attributes written in text. Errors: invalid on a name the op does not have, a value of
/// the wrong kind, or a variable.
Status set_attributes(Attrs& attrs, const std::vector<AttrText>& written);

/// Resolves names and builds the graph, types inferred. States that are in `declared` are those.
Result<Graph> build_graph(const GraphText& text, const OpSet& ops, const ParseOptions& options,
                          const States& declared = {});

/// The name of a node that is not given one: its first output's, without ":0".
std::string default_node_name(const std::vector<std::string>& output_names);

}  // namespace polaris
