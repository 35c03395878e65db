#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "arch/adapter/adapter.h"
#include "arch/adapter/adapter_stack.h"
#include "ir/graph.h"

namespace polaris {

class ArchBuilder;

/// The adapters that a graph is built with, and what was built of them so far.
struct AdaptersInUse {
  std::shared_ptr<const AdapterSet> set;
  ValueId ids;  // int32[rows, adapters of a text] of the rows that are multiplied; 0: none
  struct Lowered {
    ValueId low;  // A x of each row and adapter, [rows, adapters of a text, rank]
    Tensor b;
  };
  /// By matrix: those that hold several linear layers, of one x, lower it once.
  std::map<std::string, Lowered, std::less<>> built;
};

/// Rows of the matrix that a linear layer is, all of them where `count` is all.
struct AdaptedRows {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// y, which is the matrix's rows times x, and what the adapters of each row of x add to it. y
/// itself where there are none for the matrix. `name`: of the layer, for its nodes.
ValueId adapted(ArchBuilder& b, const std::string& name, const AdaptedMatrix& matrix,
                const AdaptedRows& rows, ValueId x, ValueId y);

/// The builder fails where an adapter has something that the graph had no place for, or is for
/// another architecture.
void check_adapters_built(ArchBuilder& b);
void check_adapters_fit(ArchBuilder& b);

}  // namespace polaris
