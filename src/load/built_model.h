#pragma once
#include "arch/architecture.h"
#include "ir/model.h"

namespace polaris {

/// Gives a model of weights the functions that arch/ built of them, and how they are run.
void add_built(Model& model, ArchModel built);

}  // namespace polaris
