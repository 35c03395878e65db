#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model.h"
#include "sim/null_device.h"

namespace polaris::audit {

/// What the audit says of one variant.
struct Row {
  std::string name;
  std::string mesa;
  std::vector<std::string> faults;  // hard limits that it breaks
  std::int64_t vgprs = 0;
  std::int64_t sgprs = 0;
  std::int64_t waves = 0;  // per SIMD
  std::int64_t lds_bytes = 0;
  std::int64_t code_bytes = 0;
  Modelled hot;
  double cycles_per_unit = 0;  // of one SIMD, for a wave: trip cycles / work per trip
};

/// Hard limits and the model, over what the driver said.
Row judge(const radv::Variant& variant, const std::vector<std::uint32_t>& words,
          const radv::Compiled& compiled);

std::string to_json(const Row& row);
Row from_json(const std::string& text);
std::string to_table(const std::vector<Row>& rows);

/// Modelled cycles per unit by Mesa version and variant name (tools/audit/ratchet.json), or
/// simulated microseconds by variant and node (tools/gcn/marks.json).
using Ratchet = std::map<std::string, std::map<std::string, double>>;
Ratchet read_ratchet(const std::string& path);
void write_ratchet(const std::string& path, const Ratchet& ratchet);

inline constexpr std::string_view kCycles = "cycles a unit";

/// One line for each variant slower than its mark by more than 3 %, or without a mark, and, where
/// `rows` are all that is shipped, for each mark without a variant. Marks are a compiler's: a Mesa
/// version without any gives no line.
std::vector<std::string> compare(const Ratchet& ratchet, const std::vector<Row>& rows,
                                 bool all = true, std::string_view unit = kCycles);

/// Adds marks of new variants, lowers those that are beaten and, where `rows` are all that is
/// shipped, drops those of variants that are gone. A mark rises only where a name in `raised` is in
/// the variant's. One line for each variant that is slower than 3 % above the mark it kept, and for
/// each name in `raised` that no variant has in its.
std::vector<std::string> update(Ratchet& ratchet, const std::vector<Row>& rows,
                                const std::vector<std::string>& raised, bool all = true,
                                std::string_view unit = kCycles);

/// Takes out the rows of variants that simulated marks hold ("VARIANT @ NODE", of the rows' Mesa).
void drop_simulated(std::vector<Row>& rows, const Ratchet& simulated);

}  // namespace polaris::audit
