#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "gcn/chip.h"

namespace polaris::gcn {

/// Which lines a set-associative cache holds; the least recently used of a set goes.
class CacheTags {
 public:
  CacheTags(int bytes, int ways);
  struct Outcome {
    bool hit = false;
    bool evicts_dirty = false;
    std::uint64_t evicted = 0;
  };
  Outcome touch(std::uint64_t line, bool writes);
  bool holds(std::uint64_t line) const;

 private:
  struct Way {
    std::uint64_t line = ~0ULL;
    std::uint64_t used = 0;
    bool dirty = false;
  };
  std::uint64_t set_of(std::uint64_t line) const;
  std::size_t ways_;
  std::vector<Way> table_;
  std::uint64_t clock_ = 0;
};

/// What all CUs share: the second-level cache and the memory behind it. Times are core cycles.
class SharedMemory {
 public:
  /// `share`: the part of the card that is simulated; capacity and bandwidth are cut to it.
  SharedMemory(const Chip& chip, double share);
  /// When a line asked for at `now` is there.
  double read(std::uint64_t line, double now);
  void write(std::uint64_t line, double now);

  std::int64_t reads = 0;
  std::int64_t hits = 0;
  std::int64_t writes = 0;
  std::int64_t dram_lines = 0;
  double slice_busy = 0;    // cycles of all slices
  double channel_busy = 0;  // cycles of all channels
  double slice_cycles() const { return slice_cycles_; }

 private:
  struct Channel {
    double bus_free = 0;
    std::array<std::uint64_t, Chip::kBanks> row;
    std::array<double, Chip::kBanks> bank_free = {};
  };
  double lookup(std::uint64_t line, double now);
  double dram(std::uint64_t line, double now);

  CacheTags tags_;
  double cycles_per_ns_;
  double slice_cycles_;    // a line, of a slice
  double channel_cycles_;  // a line, of a channel
  std::array<double, Chip::kL2Slices> slice_free_ = {};
  std::array<Channel, Chip::kChannels> channels_;
};

}  // namespace polaris::gcn
