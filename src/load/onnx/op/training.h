#pragma once
#include "load/onnx/importer.h"

/// Training forms that are arithmetic over plain ops.
namespace polaris::onnx {

/// Dropout whose training_mode (input 2) is true, or known when it runs: op-sets 12 and on.
Status training_dropout(NodeImport& node);

}  // namespace polaris::onnx
