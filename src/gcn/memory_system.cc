#include "gcn/memory_system.h"

#include <algorithm>
#include <cmath>

namespace polaris::gcn {
namespace {

/// Spreads strides over slices and channels, as the card's own address hash does in its way.
std::uint64_t folded(std::uint64_t x) { return x ^ (x >> 4) ^ (x >> 8) ^ (x >> 12); }

}  // namespace

CacheTags::CacheTags(int bytes, int ways)
    : ways_(static_cast<std::size_t>(ways)),
      table_(static_cast<std::size_t>(std::max(bytes / Chip::kLine, ways))) {}

std::uint64_t CacheTags::set_of(std::uint64_t line) const {
  return folded(line) % (table_.size() / ways_);
}

bool CacheTags::holds(std::uint64_t line) const {
  const Way* set = table_.data() + set_of(line) * ways_;
  return std::any_of(set, set + ways_, [&](const Way& way) { return way.line == line; });
}

CacheTags::Outcome CacheTags::touch(std::uint64_t line, bool writes) {
  Way* set = table_.data() + set_of(line) * ways_;
  Way* victim = set;
  ++clock_;
  for (Way* way = set; way != set + ways_; ++way) {
    if (way->line == line) {
      way->used = clock_;
      way->dirty = way->dirty || writes;
      return {true, false, 0};
    }
    if (way->used < victim->used) victim = way;
  }
  const Outcome out{false, victim->dirty, victim->line};
  *victim = {line, clock_, writes};
  return out;
}

SharedMemory::SharedMemory(const Chip& chip, double share)
    : tags_(static_cast<int>(Chip::kL2Bytes * share), Chip::kL2Ways),
      cycles_per_ns_(chip.mhz / 1000),
      slice_cycles_(1 / share),
      channel_cycles_(Chip::kLine /
                      (chip.dram_gb_per_s * Chip::kDramEfficiency * share / Chip::kChannels) *
                      cycles_per_ns_) {
  for (Channel& channel : channels_) channel.row.fill(~0ULL);
}

double SharedMemory::lookup(std::uint64_t line, double now) {
  double& free = slice_free_[folded(line) % Chip::kL2Slices];
  free = std::max(free, now) + slice_cycles_;
  slice_busy += slice_cycles_;
  return free;
}

double SharedMemory::dram(std::uint64_t line, double now) {
  ++dram_lines;
  constexpr std::uint64_t kStripe = Chip::kChannelStripe / Chip::kLine;
  constexpr std::uint64_t kRow = Chip::kRowBytes / Chip::kLine;
  Channel& channel = channels_[folded(line / kStripe) % Chip::kChannels];
  const std::uint64_t row = line / Chip::kChannels / kRow;
  const auto bank = static_cast<std::size_t>(folded(row) % Chip::kBanks);
  double start = now;
  if (channel.row[bank] != row) {
    // Other banks go on meanwhile; only this one is kept.
    start = std::max(now, channel.bank_free[bank]);
    channel.bank_free[bank] = start + Chip::kRowSwitchNs * cycles_per_ns_;
    channel.row[bank] = row;
  }
  channel.bus_free = std::max(channel.bus_free, now) + channel_cycles_;
  channel_busy += channel_cycles_;
  return std::max(channel.bus_free, start + channel_cycles_) +
         Chip::kDramLatencyNs * cycles_per_ns_;
}

double SharedMemory::read(std::uint64_t line, double now) {
  ++reads;
  const double ready = lookup(line, now);
  const CacheTags::Outcome outcome = tags_.touch(line, false);
  if (outcome.hit) {
    ++hits;
    return ready;
  }
  if (outcome.evicts_dirty) (void)dram(outcome.evicted, ready);
  return dram(line, ready);
}

void SharedMemory::write(std::uint64_t line, double now) {
  ++writes;
  const double ready = lookup(line, now);
  const CacheTags::Outcome outcome = tags_.touch(line, true);
  if (outcome.evicts_dirty) (void)dram(outcome.evicted, ready);
}

}  // namespace polaris::gcn
