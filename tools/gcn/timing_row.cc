#include "gcn/timing_row.h"

#include <cstdio>
#include <cstdlib>

namespace polaris::gcn {

void print_timing(const TimingLabel& label, const Launch& launch, const Program& program,
                  const Timing& t) {
  std::printf(
      "{\"node\": \"%s\", \"kernel\": \"%s\", \"chip\": \"%s\", \"count\": %lld, "
      "\"simulated_us\": %.2f, \"bound\": \"%s\", \"share_of_limit\": %.3f, "
      "\"grid\": [%u, %u, %u], ",
      label.node.c_str(), label.kernel.c_str(), label.chip.c_str(),
      static_cast<long long>(label.count), t.us, t.bound.c_str(), t.share, launch.grid[0],
      launch.grid[1], launch.grid[2]);
  std::printf("\"waves_per_simd\": %d, \"waves_limit\": \"%s\", \"vgprs\": %d, \"lds_bytes\": %u, ",
              t.occupancy.waves_per_simd, t.occupancy.limit.c_str(), program.vgprs,
              program.lds_bytes);
  std::printf("\"busy\": {");
  for (int i = 0; i < kParts; ++i) {
    std::printf("%s\"%s\": %.3f", i == 0 ? "" : ", ", part_name(static_cast<Part>(i)),
                t.busy[static_cast<std::size_t>(i)]);
  }
  std::printf(
      "}, \"dram_bytes\": %.0f, \"l2_hits\": %.3f, \"cus\": %d, \"groups\": %lld, "
      "\"groups_simulated\": %lld, \"seconds\": %.2f}\n",
      t.dram_bytes, t.l2_hit_rate, t.cus_simulated, static_cast<long long>(t.groups),
      static_cast<long long>(t.groups_simulated), label.seconds);
}

Result<TimingArgs> parse_timing(const std::vector<std::string>& args) {
  TimingArgs out;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const bool has_value = i + 1 < args.size();
    if (args[i] == "--chip" && has_value) {
      Result<Chip> chip = find_chip(args[++i]);
      if (!chip) return chip.error();
      out.options.chip = *chip;
    } else if (args[i] == "--instructions" && has_value) {
      out.options.instructions_max = std::strtoll(args[++i].c_str(), nullptr, 10);
      if (out.options.instructions_max <= 0) return Error::invalid("");
    } else if (args[i].starts_with("--") || !out.path.empty()) {
      return Error::invalid("");
    } else {
      out.path = args[i];
    }
  }
  if (out.path.empty()) return Error::invalid("");
  return out;
}

}  // namespace polaris::gcn
