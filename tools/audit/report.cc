#include "report.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>

namespace polaris::audit {
namespace {

constexpr std::int64_t kLdsBytesMax = 32 * 1024;  // RADV would give 64 KiB, the Windows driver 32
constexpr double kSlack = 1.03;

// SPIR-V capabilities that an RX 580 has under every driver we support (specification, 3.31).
constexpr std::uint32_t kCapabilities[] = {
    1,     // Shader
    10,    // Float64
    11,    // Int64
    22,    // Int16
    39,    // Int8
    50,    // ImageQuery, which glslc adds for nothing used
    61,    // GroupNonUniform
    62,    // GroupNonUniformVote
    63,    // GroupNonUniformArithmetic
    64,    // GroupNonUniformBallot
    65,    // GroupNonUniformShuffle
    66,    // GroupNonUniformShuffleRelative
    67,    // GroupNonUniformClustered
    68,    // GroupNonUniformQuad
    4433,  // StorageBuffer16BitAccess
    4434,  // UniformAndStorageBuffer16BitAccess
    4448,  // StorageBuffer8BitAccess
    4449,  // UniformAndStorageBuffer8BitAccess
};

std::vector<std::uint32_t> foreign_capabilities(const std::vector<std::uint32_t>& words) {
  constexpr std::uint32_t kOpCapability = 17;
  std::vector<std::uint32_t> out;
  for (std::size_t at = 5; at + 1 < words.size();) {
    const std::uint32_t length = words[at] >> 16;
    if ((words[at] & 0xffff) != kOpCapability || length < 2) break;  // they come first
    const std::uint32_t capability = words[at + 1];
    if (std::ranges::find(kCapabilities, capability) == std::end(kCapabilities)) {
      out.push_back(capability);
    }
    at += length;
  }
  return out;
}

std::int64_t statistic(const radv::Compiled& compiled, const std::string& name, Row& row) {
  const auto found = compiled.statistics.find(name);
  if (found != compiled.statistics.end()) return found->second;
  row.faults.push_back("the driver gives no '" + name + "'");
  return 0;
}

void limit(Row& row, const std::string& what, std::int64_t got, std::int64_t most) {
  if (got <= most) return;
  row.faults.push_back(what + ": got " + std::to_string(got) + ", wanted at most " +
                       std::to_string(most));
}

}  // namespace

Row judge(const radv::Variant& variant, const std::vector<std::uint32_t>& words,
          const radv::Compiled& compiled) {
  Row row{.name = variant.name, .mesa = compiled.mesa};
  for (std::uint32_t capability : foreign_capabilities(words)) {
    row.faults.push_back("needs SPIR-V capability " + std::to_string(capability) +
                         ", which the card lacks");
  }
  if (!compiled.error.empty()) {
    row.faults.push_back(compiled.error);
    return row;
  }
  row.vgprs = statistic(compiled, "VGPRs", row);
  row.sgprs = statistic(compiled, "SGPRs", row);
  row.waves = statistic(compiled, "Subgroups per SIMD", row);
  row.lds_bytes = statistic(compiled, "LDS size", row);
  row.code_bytes = statistic(compiled, "Code size", row);
  limit(row, "spilled VGPRs", statistic(compiled, "Spilled VGPRs", row), 0);
  limit(row, "spilled SGPRs", statistic(compiled, "Spilled SGPRs", row), 0);
  limit(row, "scratch bytes", statistic(compiled, "Scratch size", row), 0);
  limit(row, "LDS bytes", row.lds_bytes, kLdsBytesMax);
  const std::vector<Instruction> program = parse_assembly(compiled.assembly);
  if (program.empty()) row.faults.push_back("no instruction in the disassembly");
  row.hot = model(program, static_cast<int>(std::max<std::int64_t>(1, row.waves)));
  // No loop: the whole program is the unit.
  row.cycles_per_unit =
      row.hot.trip_cycles / (variant.work_per_trip > 0 ? variant.work_per_trip : 1);
  return row;
}

std::string to_json(const Row& row) {
  nlohmann::ordered_json out{{"name", row.name},
                             {"mesa", row.mesa},
                             {"faults", row.faults},
                             {"vgprs", row.vgprs},
                             {"sgprs", row.sgprs},
                             {"waves", row.waves},
                             {"lds_bytes", row.lds_bytes},
                             {"code_bytes", row.code_bytes},
                             {"loop", row.hot.loop},
                             {"count", row.hot.count},
                             {"cycles", row.hot.cycles},
                             {"alone_cycles", row.hot.alone_cycles},
                             {"trip_cycles", row.hot.trip_cycles},
                             {"bound", row.hot.bound},
                             {"cycles_per_unit", row.cycles_per_unit}};
  return out.dump();
}

Row from_json(const std::string& text) {
  const nlohmann::json in = nlohmann::json::parse(text);
  Row row{.name = in["name"], .mesa = in["mesa"], .faults = in["faults"]};
  row.vgprs = in["vgprs"];
  row.sgprs = in["sgprs"];
  row.waves = in["waves"];
  row.lds_bytes = in["lds_bytes"];
  row.code_bytes = in["code_bytes"];
  row.hot.loop = in["loop"];
  row.hot.count = in["count"];
  row.hot.cycles = in["cycles"];
  row.hot.alone_cycles = in["alone_cycles"];
  row.hot.trip_cycles = in["trip_cycles"];
  row.hot.bound = in["bound"];
  row.cycles_per_unit = in["cycles_per_unit"];
  return row;
}

std::string to_table(const std::vector<Row>& rows) {
  std::size_t wide = 7;
  for (const Row& row : rows) wide = std::max(wide, row.name.size());
  const int width = static_cast<int>(wide);
  char line[512];
  std::snprintf(line, sizeof line, "%-*s %5s %5s %5s %6s %6s | %5s %5s %5s %5s %5s | %8s %9s %s\n",
                width, "variant", "vgprs", "sgprs", "waves", "lds", "code", "valu", "salu", "vmem",
                "smem", "lds", "cyc/trip", "cyc/unit", "bound");
  std::string out = line;
  for (const Row& row : rows) {
    const auto& n = row.hot.count;
    std::snprintf(line, sizeof line,
                  "%-*s %5ld %5ld %5ld %6ld %6ld | %5d %5d %5d %5d %5d | %8.1f %9.3f %s%s\n", width,
                  row.name.c_str(), row.vgprs, row.sgprs, row.waves, row.lds_bytes, row.code_bytes,
                  n[0], n[1], n[2], n[3], n[4], row.hot.trip_cycles, row.cycles_per_unit,
                  row.hot.bound.c_str(), row.hot.loop ? "" : " (no loop)");
    out += line;
  }
  return out;
}

Ratchet read_ratchet(const std::string& path) {
  std::ifstream file(path);
  if (!file) return {};
  return nlohmann::json::parse(file).get<Ratchet>();
}

void write_ratchet(const std::string& path, const Ratchet& ratchet) {
  std::ofstream(path) << nlohmann::json(ratchet).dump(1) << "\n";
}

std::vector<std::string> compare(const Ratchet& ratchet, const std::vector<Row>& rows, bool all,
                                 std::string_view unit) {
  std::vector<std::string> out;
  if (rows.empty()) return out;
  const auto known = ratchet.find(rows.front().mesa);
  if (known == ratchet.end()) return out;
  std::map<std::string, double> left = known->second;
  for (const Row& row : rows) {
    const auto mark = left.find(row.name);
    if (mark == left.end()) {
      out.push_back(row.name + ": has no mark, run with --update (make audit-update)");
      continue;
    }
    if (row.cycles_per_unit > mark->second * kSlack) {
      out.push_back(row.name + ": got " + std::to_string(row.cycles_per_unit) + " " +
                    std::string(unit) + ", wanted " + std::to_string(mark->second) + " within 3 %");
    }
    left.erase(mark);
  }
  if (!all) return out;
  for (const auto& [name, mark] : left) out.push_back(name + ": has a mark that holds nothing");
  return out;
}

std::vector<std::string> update(Ratchet& ratchet, const std::vector<Row>& rows,
                                const std::vector<std::string>& raised, bool all,
                                std::string_view unit) {
  std::vector<std::string> out;
  // Rows of what did not compile may name no Mesa.
  const auto compiled =
      std::find_if(rows.begin(), rows.end(), [](const Row& row) { return !row.mesa.empty(); });
  if (compiled == rows.end()) return out;
  std::map<std::string, double>& marks = ratchet[compiled->mesa];
  const auto is_in = [](const std::string& part, const std::string& name) {
    return name.find(part) != std::string::npos;
  };
  std::map<std::string, double> kept;
  if (!all) kept = marks;
  for (const Row& row : rows) {
    const auto mark = marks.find(row.name);
    const bool rises = std::any_of(raised.begin(), raised.end(),
                                   [&](const std::string& part) { return is_in(part, row.name); });
    // What was not compiled was not measured.
    if (!row.faults.empty()) {
      if (mark != marks.end()) kept[row.name] = mark->second;
      continue;
    }
    const bool holds = mark != marks.end() && !rises;
    kept[row.name] = holds ? std::min(mark->second, row.cycles_per_unit) : row.cycles_per_unit;
    if (holds && row.cycles_per_unit > mark->second * kSlack) {
      out.push_back(row.name + ": got " + std::to_string(row.cycles_per_unit) + " " +
                    std::string(unit) + ", wanted " + std::to_string(mark->second) +
                    " within 3 %; its mark rises with --raise '" + row.name + "' alone");
    }
  }
  for (const std::string& part : raised) {
    const bool found = std::any_of(rows.begin(), rows.end(),
                                   [&](const Row& row) { return is_in(part, row.name); });
    if (!found) out.push_back("--raise '" + part + "': no variant has that in its name");
  }
  marks = std::move(kept);
  return out;
}

void drop_simulated(std::vector<Row>& rows, const Ratchet& simulated) {
  std::erase_if(rows, [&](const Row& row) {
    const auto marks = simulated.find(row.mesa);
    if (marks == simulated.end()) return false;
    const std::string begin = row.name + " @ ";
    const auto mark = marks->second.lower_bound(begin);
    return mark != marks->second.end() && mark->first.starts_with(begin);
  });
}

}  // namespace polaris::audit
