#pragma once
#include <cstdint>

#include "gcn/wave.h"

/// Data-parallel primitives: a source read from another lane.
namespace polaris::gcn {

/// The lane that `lane` reads, or -1 where there is none.
int dpp_source(std::uint16_t control, int lane);
/// The lanes that are read by lanes on.
std::uint64_t dpp_reads(const Instruction& in, std::uint64_t exec);
/// The lanes that may be written: those with a source, in the rows and banks asked for.
std::uint64_t dpp_writes(const Instruction& in, std::uint64_t exec);
/// `out` lane by lane; 0 where there is no source.
void apply_dpp(const Instruction& in, std::uint64_t exec, const Lanes& from, Lanes& out);

}  // namespace polaris::gcn
