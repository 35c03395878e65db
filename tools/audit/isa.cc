#include "isa.h"

#include <array>
#include <charconv>
#include <map>
#include <span>

namespace polaris::audit {
namespace {

struct Cost {
  std::string_view prefix;
  int cycles;
};

// Cycles of a SIMD for a wave of 64. A SIMD is 16 lanes wide, so a full-rate instruction takes 4.
// Rows are tried in order; the first prefix that fits counts.
constexpr std::array kValu = {
    Cost{"v_fma_f32", 16},
    Cost{"v_mul_lo_u32", 16},
    Cost{"v_mul_lo_i32", 16},
    Cost{"v_mul_hi_u32", 16},
    Cost{"v_mul_hi_i32", 16},
    Cost{"v_mad_u64", 16},
    Cost{"v_mad_i64", 16},
    Cost{"v_rcp_f64", 128},
    Cost{"v_rsq_f64", 128},
    Cost{"v_sqrt_f64", 128},
    Cost{"v_rcp_", 16},
    Cost{"v_rsq_", 16},
    Cost{"v_sqrt_", 16},
    Cost{"v_exp_", 16},
    Cost{"v_log_", 16},
    Cost{"v_sin_", 16},
    Cost{"v_cos_", 16},
    Cost{"v_div_", 16},
    Cost{"v_cvt_f64_", 16},
    Cost{"v_cvt_f32_f64", 16},
    Cost{"v_cvt_i32_f64", 16},
    Cost{"v_cvt_u32_f64", 16},
    Cost{"v_fma_f64", 64},
    Cost{"v_mul_f64", 64},
    Cost{"v_add_f64", 64},
    Cost{"v_min_f64", 64},
    Cost{"v_max_f64", 64},
    Cost{"v_lshlrev_b64", 16},
    Cost{"v_lshrrev_b64", 16},
    Cost{"v_ashrrev_i64", 16},
    Cost{"v_", 4},
};

// Units that the four SIMDs of a compute unit share: cycles are the unit's, times four.
// L1 returns 64 bytes a cycle, LDS 128, the scalar cache is taken to return 16.
constexpr std::array kShared = {
    Cost{"buffer_atomic", 64},
    Cost{"global_atomic", 64},
    Cost{"ds_read2st64_b32", 16},
    Cost{"ds_read2st64_b64", 32},
    Cost{"ds_write2st64_b32", 16},
    Cost{"ds_write2st64_b64", 32},
    Cost{"ds_read2_b32", 16},
    Cost{"ds_read2_b64", 32},
    Cost{"ds_write2_b32", 16},
    Cost{"ds_write2_b64", 32},
    Cost{"ds_read_b128", 32},
    Cost{"ds_write_b128", 32},
    Cost{"ds_read_b96", 24},
    Cost{"ds_write_b96", 24},
    Cost{"ds_read_b64", 16},
    Cost{"ds_write_b64", 16},
    Cost{"ds_", 8},
};

int from_table(std::span<const Cost> table, std::string_view name, int otherwise) {
  for (const Cost& row : table) {
    if (name.starts_with(row.prefix)) return row.cycles;
  }
  return otherwise;
}

/// Dwords moved, from the end of a name such as buffer_load_dwordx4.
int dwords(std::string_view name) {
  const std::size_t at = name.rfind("dwordx");
  if (at == std::string_view::npos) return 1;
  int count = 1;
  const std::string_view digits = name.substr(at + 6);
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return count;
}

bool memory(std::string_view name) {
  return name.starts_with("buffer_") || name.starts_with("global_") || name.starts_with("flat_") ||
         name.starts_with("image_") || name.starts_with("scratch_") || name.starts_with("tbuffer_");
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string_view without_suffix(std::string_view name) {
  for (std::string_view suffix : {"_e32", "_e64", "_sdwa", "_dpp"}) {
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  }
  return name;
}

/// The number in `counter(N)`, or -1 where the line does not name that counter.
int counter(std::string_view line, std::string_view name) {
  const std::size_t at = line.find(name);
  if (at == std::string_view::npos) return -1;
  int value = -1;
  const std::string_view rest = line.substr(at + name.size() + 1);
  std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return value;
}

}  // namespace

Pipe pipe_of(std::string_view name) {
  if (name.starts_with("v_")) return Pipe::kValu;
  if (name.starts_with("ds_")) return Pipe::kLds;
  if (memory(name)) return Pipe::kVmem;
  if (name.starts_with("s_load") || name.starts_with("s_buffer_load")) return Pipe::kSmem;
  if (name.starts_with("s_branch") || name.starts_with("s_cbranch")) return Pipe::kBranch;
  if (name.starts_with("s_waitcnt") || name.starts_with("s_barrier") || name.starts_with("s_nop") ||
      name.starts_with("s_endpgm")) {
    return Pipe::kWait;
  }
  return Pipe::kSalu;
}

int cycles_of(std::string_view name) {
  switch (pipe_of(name)) {
    case Pipe::kValu: return from_table(kValu, name, 4);
    case Pipe::kLds: return from_table(kShared, name, 8);
    case Pipe::kVmem: return from_table(kShared, name, 16 * dwords(name));
    case Pipe::kSmem: return dwords(name) <= 4 ? 4 : dwords(name);
    default: return 4;
  }
}

std::vector<Instruction> parse_assembly(std::string_view text) {
  std::vector<Instruction> out;
  std::map<std::string, int, std::less<>> blocks;
  std::vector<std::pair<std::size_t, std::string>> branches;
  int block = -1;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    line = trim(line.substr(0, line.find(';')));
    if (line.empty()) continue;
    if (line.starts_with("BB") && line.ends_with(':')) {
      blocks.emplace(line.substr(0, line.size() - 1), ++block);
      continue;
    }
    const std::string_view name = without_suffix(line.substr(0, line.find_first_of(" \t")));
    if (!name.starts_with("v_") && !name.starts_with("s_") && !name.starts_with("ds_") &&
        !memory(name)) {
      continue;
    }
    Instruction next{.name = std::string(name), .pipe = pipe_of(name), .cycles = cycles_of(name)};
    next.block = block;
    if (next.pipe == Pipe::kBranch) {
      branches.emplace_back(out.size(), std::string(trim(line.substr(line.find_last_of(" \t")))));
    }
    if (name == "s_waitcnt") {
      next.vmem_left = counter(line, "vmcnt");
      next.lgkm_left = counter(line, "lgkmcnt");
    }
    out.push_back(std::move(next));
  }
  for (const auto& [index, label] : branches) {
    const auto found = blocks.find(label);
    if (found != blocks.end()) out[index].target = found->second;
  }
  return out;
}

}  // namespace polaris::audit
