#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace polaris {

/// What a step may take.
struct StepLimits {
  std::int64_t tokens = 1;    // in all
  std::int64_t prompt = 1;    // of texts that are not yet whole in the cache
  std::int64_t sequence = 1;  // of one text
};

/// How many tokens of each text a step runs, given how many each has that are not in the cache
/// (oldest text first). Texts that lack one token get it first, oldest first: these decode. What is
/// left is for prompts, in equal parts, and what a short prompt does not need goes to the others:
/// so that a short one behind a long one is through within a few chunks.
std::vector<std::int64_t> plan_step(std::span<const std::int64_t> pending,
                                    const StepLimits& limits);

/// What steps took, and from that how many prompt tokens fit into a budget of time beside the texts
/// that decode.
class StepTimes {
 public:
  void note(std::int64_t decoding, std::int64_t prompt, double ms);
  /// What such a step will take; 0 where nothing is measured that would tell.
  double expected_ms(std::int64_t decoding, std::int64_t prompt) const;
  /// At least kChunkMin, at most `most`; without a measurement kChunkFirst. Where it can, the step
  /// fills a power of two, the sizes that steps are padded to.
  std::int64_t chunk(std::int64_t decoding, double budget_ms, std::int64_t most) const;

  static constexpr std::int64_t kChunkMin = 16;  // prompts go on, however slow
  static constexpr std::int64_t kChunkFirst = 32;

 private:
  /// Of a step that only decodes: as last measured for so many texts, else for fewer.
  double decode_ms(std::int64_t decoding) const;
  std::array<double, 24> decode_ms_{};  // by the logarithm of the count; 0: not measured
  double prompt_token_ms_ = 0;          // 0: not measured
};

}  // namespace polaris
