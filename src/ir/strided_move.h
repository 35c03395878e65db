#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "ir/op_def.h"

namespace polaris {

/// Where the elements of output 0 come from: in row-major order they are those of input 0 that
/// these loops reach. An op whose every output element is one of its first input's, at strides that
/// types and host-read inputs alone decide, says so in OpDef::move; its reference (move_reference),
/// its view (move_view) and the kernels of every backend follow.
struct StridedMove {
  struct Loop {
    std::int64_t size = 0;
    std::int64_t stride = 0;  // elements of the input; 0: repeats, negative: backwards
  };
  std::int64_t start = 0;   // element of the input
  std::vector<Loop> loops;  // outermost first

  void add(std::int64_t size, std::int64_t stride) { loops.push_back({size, stride}); }
};

/// What the op of these static types says, without loops of one round and with those joined that
/// continue one another; no loops for one element, one of size 0 for none. Nothing where the op
/// says nothing, or its loops do not make the output or leave the input.
std::optional<StridedMove> strided_move(const NodeTypes& n);

/// Runs the op's move.
Status move_reference(RefContext& c);
/// Output 0 as a part of input 0 where the move is one run.
std::optional<ViewOf> move_view(const NodeTypes& n, int output);

/// A move of all elements in their order.
std::optional<StridedMove> move_all(const NodeTypes& n);

/// The integers of input i, none where it is absent; nothing where they are not known.
std::optional<std::vector<std::int64_t>> host_ints(const NodeTypes& n, std::size_t i);

}  // namespace polaris
