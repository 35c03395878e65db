#include "gcn/trace.h"

#include <algorithm>

#include "gcn/chip.h"

namespace polaris::gcn {

void Trace::instruction(const Wave& wave, std::uint32_t index) {
  steps_[wave.id].push_back({index, kNone});
}

void Trace::memory(const Wave& wave, const std::array<std::uint64_t, kLanes>& addresses,
                   std::uint64_t mask, std::uint32_t bytes) {
  Step& step = steps_[wave.id].back();
  if (step.access == kNone) {
    step.access = static_cast<std::uint32_t>(accesses_.size());
    accesses_.push_back({static_cast<std::uint32_t>(lines_.size()), 0, 0});
  }
  Access& access = accesses_[step.access];
  switch (program_.code[step.instruction].unit) {
    case Unit::kLds: access.cycles += bank_cycles(addresses, mask, bytes); break;
    case Unit::kSmem: {
      access.cycles += std::max<std::uint32_t>(bytes / Chip::kScalarBytesPerCycle, 1);
      const std::uint64_t last = (addresses[0] + bytes - 1) / Chip::kLine;
      for (std::uint64_t line = addresses[0] / Chip::kLine; line <= last; ++line) {
        lines_.push_back(line);
        ++access.count;
      }
      break;
    }
    default: vector_lines(addresses, mask, bytes, access); break;
  }
}

void Trace::vector_lines(const std::array<std::uint64_t, kLanes>& addresses, std::uint64_t mask,
                         std::uint32_t bytes, Access& out) {
  constexpr std::size_t kQuarter = 16;
  for (std::size_t first = 0; first < kLanes; first += kQuarter) {
    const std::size_t start = lines_.size();
    for (std::size_t i = first; i < first + kQuarter; ++i) {
      if (((mask >> i) & 1) == 0) continue;
      const std::uint64_t last = (addresses[i] + bytes - 1) / Chip::kLine;
      for (std::uint64_t line = addresses[i] / Chip::kLine; line <= last; ++line) {
        const auto from = lines_.begin() + static_cast<std::ptrdiff_t>(start);
        if (std::find(from, lines_.end(), line) == lines_.end()) lines_.push_back(line);
      }
    }
    const auto added = static_cast<std::uint32_t>(lines_.size() - start);
    out.count += added;
    out.cycles += std::max(added, 1U);
  }
}

std::int64_t Trace::size() const {
  std::int64_t out = 0;
  for (const auto& wave : steps_) out += static_cast<std::int64_t>(wave.size());
  return out;
}

std::uint32_t bank_cycles(const std::array<std::uint64_t, kLanes>& addresses, std::uint64_t mask,
                          std::uint32_t bytes) {
  const std::uint32_t words = std::max(bytes / 4, 1U);
  const std::size_t at_once = Chip::kLdsBanks / words;
  std::uint32_t cycles = 0;
  std::array<std::array<std::uint64_t, Chip::kLdsBanks>, Chip::kLdsBanks> seen;
  for (std::size_t first = 0; first < kLanes; first += at_once) {
    std::array<std::uint32_t, Chip::kLdsBanks> count = {};
    std::uint32_t worst = 1;
    for (std::size_t i = first; i < first + at_once; ++i) {
      if (((mask >> i) & 1) == 0) continue;
      for (std::uint32_t w = 0; w < words; ++w) {
        const std::uint64_t word = addresses[i] / 4 + w;
        const std::size_t bank = word % Chip::kLdsBanks;
        const auto begin = seen[bank].begin();
        const auto end = begin + static_cast<std::ptrdiff_t>(count[bank]);
        if (std::find(begin, end, word) != end) continue;
        seen[bank][count[bank]++] = word;
        worst = std::max(worst, count[bank]);
      }
    }
    cycles += worst;
  }
  return cycles;
}

}  // namespace polaris::gcn
