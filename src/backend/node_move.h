#pragma once
#include <optional>

#include "backend/backend.h"
#include "ir/strided_move.h"

namespace polaris {

/// The described node's move (OpDef::move), its constants known. Nothing where the op says none, a
/// value it needs is not known, or its data is encoded.
std::optional<StridedMove> node_move(const NodeDesc& node);

}  // namespace polaris
