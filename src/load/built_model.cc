#include "load/built_model.h"

#include <utility>

namespace polaris {

void add_built(Model& model, ArchModel built) {
  model.hyperparameters = std::move(built.hyperparameters);
  model.decoder = std::move(built.decoder);
  model.embedder = built.embedder;
  model.functions.emplace("main", std::move(built.graph));
  for (auto& [name, graph] : built.others) model.functions.emplace(name, std::move(graph));
}

}  // namespace polaris
