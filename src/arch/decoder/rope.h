#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "arch/common_builder.h"
#include "arch/decoder/spec.h"

namespace polaris {

/// Positions for which tables of cosines and sines may be made: larger ones are a file's mistake or
/// an attack.
std::int64_t rope_positions_max(const RopeSpec& spec);

/// Tables [context, dims / 2], in double and rounded once, so that no device computes a sine.
struct RopeTables {
  ValueId cos;
  ValueId sin;
};
/// The tensor `name` of `count` divisors, all positive numbers.
std::vector<double> rope_divisors(ArchBuilder& b, const std::string& name, std::int64_t count);

/// `divisors` names a tensor with a divisor for each frequency, where the file has it (Llama 3).
RopeTables rope_tables(ArchBuilder& b, const RopeSpec& spec, std::int64_t context,
                       const std::string& name, const std::string& divisors);

/// Rows [tokens, heads * head_size] turned by their positions [1, tokens].
ValueId rotate(ArchBuilder& b, const RopeSpec& spec, const RopeTables& tables, ValueId positions,
               const std::string& name, ValueId x, std::int64_t heads, std::int64_t head_size);

}  // namespace polaris
