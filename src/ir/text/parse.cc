#include "ir/text/build.h"
#include "ir/text/syntax.h"
#include "ir/text/text.h"

namespace polaris {

Result<Graph> parse_graph(std::string_view text, const OpSet& ops, const ParseOptions& options) {
  TextSyntax syntax(text, options);
  auto tree = syntax.graph();
  if (!tree) return tree.error();
  if (!syntax.at_end() || !syntax.status()) return syntax.unexpected("the end of the text");
  return build_graph(*tree, ops, options);
}

}  // namespace polaris
