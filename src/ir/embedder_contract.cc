#include "ir/embedder_contract.h"

#include "base/strings.h"
#include "ir/contract_parts.h"
#include "ir/model.h"

namespace polaris {
namespace {

constexpr Pooling kPoolings[] = {Pooling::kMean, Pooling::kFirst, Pooling::kLast};

Error wrong(const std::string& what, const std::string& got, const std::string& wanted) {
  return contract_error("embedder", what, got, wanted);
}

}  // namespace

std::string_view pooling_name(Pooling pooling) {
  switch (pooling) {
    case Pooling::kMean: return "mean";
    case Pooling::kFirst: return "cls";
    case Pooling::kLast: return "last";
  }
  return "mean";
}

std::optional<Pooling> pooling_from_name(std::string_view name) {
  for (const Pooling pooling : kPoolings) {
    if (pooling_name(pooling) == name) return pooling;
  }
  return std::nullopt;
}

Status check_embedder(const Model& model) {
  if (!model.embedder) return Status::success();
  const EmbedderContract& contract = *model.embedder;
  const Graph* graph = model.find("main");
  if (graph == nullptr) return wrong("function", "none", "'main'");
  if (!graph->states().empty()) {
    return wrong("states", "'" + printable(graph->states().front().state->name) + "'", "none");
  }
  ContractParts parts("embedder", "main", *graph);
  if (auto s = parts.take(contract.tokens, "tokens", 1); !s) return s;
  if (auto s = parts.take(contract.positions, "positions", 1); !s) return s;
  if (auto s = parts.take(contract.texts, "texts", 1); !s) return s;
  if (auto s = parts.take(contract.rows, "rows", 2); !s) return s;
  if (auto s = parts.take(contract.last, "last positions", 1); !s) return s;
  if (contract.types) {
    if (auto s = parts.take(*contract.types, "types", 1); !s) return s;
  }
  if (auto s = parts.check_rows(contract.hidden, "hidden", "float32[tokens, width]"); !s) return s;
  return parts.all_taken();
}

}  // namespace polaris
