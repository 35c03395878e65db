#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace polaris::gcn {

/// What the timing model takes a card to be. Every number stands here and has its source:
/// [W] AMD, "Graphics Cores Next (GCN) Architecture" (white paper, 2012);
/// [P] AMD, "Dissecting the Polaris Architecture" (white paper, 2016), and the cards' data sheets;
/// [G] AMD, "Graphics Core Next Architecture, Generation 3" (reference guide, 2016);
/// [M] Mesa 22.3: what RADV tells of POLARIS10;
/// [E] an estimate: no public figure is known to us, or figures differ.
/// None was chosen by looking at what the model says of a kernel.
struct Chip {
  std::string name = "rx580";
  int cus = 36;                // [P]
  double mhz = 1340;           // [P] boost clock
  double dram_gb_per_s = 256;  // [P] 8 GT/s on 256 bits

  static constexpr int kSimds = 4;         // of a CU [W]
  static constexpr int kWavesPerSimd = 8;  // [M]: 8 on POLARIS10, 10 before it
  static constexpr int kVgprs = 256;       // of a SIMD, a lane [W]
  static constexpr int kVgprStep = 4;      // allocated in steps of [G]
  static constexpr int kSgprs = 800;       // of a SIMD [M]
  static constexpr int kSgprStep = 16;     // [G]
  static constexpr int kLdsBytes = 65536;  // of a CU [W]
  static constexpr int kLdsStep = 512;     // [G]
  static constexpr int kGroupsPerCu = 16;  // of more than one wave: barriers [G]

  // Issue: each SIMD has its turn every 4 cycles; then one instruction of each kind may go, each
  // of another wave [W].
  static constexpr int kTurn = 4;
  static constexpr int kBranchTaken = 16;  // refetch [E]

  static constexpr int kLine = 64;        // bytes, all caches [W]
  static constexpr int kL1Bytes = 16384;  // of a CU, 4 ways; a line a cycle [W]
  static constexpr int kL1Ways = 4;
  static constexpr int kL1Latency = 120;      // cycles from issue to use [E]
  static constexpr int kScalarBytes = 16384;  // 4 ways [W]; taken as one CU's: sharers run alike
  static constexpr int kScalarBytesPerCycle = 16;  // [E]
  static constexpr int kScalarLatency = 60;        // [E]
  static constexpr int kLdsLatency = 64;           // [E]
  static constexpr int kLdsBanks = 32;             // 4 bytes a cycle each [W]
  static constexpr int kL2Bytes = 2 << 20;         // 16 ways [P] [W]
  static constexpr int kL2Ways = 16;
  static constexpr int kL2Latency = 220;   // from issue to use [E]
  static constexpr int kL2Slices = 16;     // a line a cycle each [W]
  static constexpr int kL2PortBytes = 64;  // a cycle, of a CU [W]

  static constexpr int kChannels = 8;            // 32 bits each [P]
  static constexpr int kChannelStripe = 256;     // bytes in a row on one channel [E]
  static constexpr int kBanks = 16;              // of a channel: GDDR5's
  static constexpr int kRowBytes = 2048;         // of a bank: GDDR5's
  static constexpr double kRowSwitchNs = 40;     // a bank's precharge, activate, row cycle: GDDR5's
  static constexpr double kDramLatencyNs = 160;  // beyond the second-level cache [E]
  static constexpr double kDramEfficiency = 0.93;  // refresh, bus turns [E]

  static constexpr int kEngines = 4;          // each starts a wave a cycle [P]
  static constexpr int kLaunchLatency = 200;  // cycles from a free place to the first issue [E]
};

/// "rx470", "rx480", "rx570", "rx580" or "rx590", with ":MHz" for another clock. Errors: invalid.
Result<Chip> find_chip(std::string_view name);

}  // namespace polaris::gcn
