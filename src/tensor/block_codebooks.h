#pragma once
#include <cstdint>

namespace polaris::block {

/// Codebooks of the IQ formats. An entry of iq1 and iq2 is eight numbers of 2 bits, the first
/// lowest; of iq3, four of 4 bits.
extern const std::uint16_t kCodebookIq1[2048];
extern const std::uint16_t kCodebookIq2Xxs[256];
extern const std::uint16_t kCodebookIq2Xs[512];
extern const std::uint16_t kCodebookIq2S[1024];
extern const std::uint16_t kCodebookIq3Xxs[256];
extern const std::uint16_t kCodebookIq3S[512];

}  // namespace polaris::block
