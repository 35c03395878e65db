#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ir/graph.h"
#include "ir/op_set.h"

/// Graphs as readable text, and back. docs/passes.md has the grammar; an example:
///
///   graph main {
///     symbol T bucketed 512
///     input %x : float32[T, 2]
///     const %w : float32[2, 2] = [1, 0, 0, 1]
///     %h = MatMul(%x, %w) : float32[T, 2]
///     %y = Softmax(%h, axis = 1) : float32[T, 2]
///     output %y
///   }
namespace polaris {

struct PrintOptions {
  enum class Constants : std::uint8_t {
    kElide,  // larger ones as `elided "hash"`, which the parser refuses without a resolver
    kFull,   // larger ones as base64
  };
  Constants constants = Constants::kElide;
  /// Constants of up to so many elements are spelled out.
  std::int64_t inline_elements_max = 64;
  /// Types of node outputs; without them the parser infers.
  bool types = true;
};

/// Text that parses to an equal graph: same order, types, names (where names are unique),
/// attributes.
std::string print_graph(const Graph& graph, const PrintOptions& options = {});

struct ParseOptions {
  std::int64_t text_bytes_max = std::int64_t{64} << 20;
  /// Of all constants together.
  std::int64_t constant_bytes_max = std::int64_t{256} << 20;
  /// Finds an elided constant by its weight name and type; empty: elided constants are an error.
  std::function<std::shared_ptr<const Constant>(std::string_view name, const TensorType& type)>
      resolve;
};

/// The graph of one `graph NAME { ... }`. Types that are not written are inferred; types that are
/// written must be inferred to something compatible. Safe on hostile text: bounded depth, sizes
/// and time. Errors: `[text] line:column: what`, or what infer says.
Result<Graph> parse_graph(std::string_view text, const OpSet& ops,
                          const ParseOptions& options = {});

}  // namespace polaris
