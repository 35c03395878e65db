#pragma once
#include <cstdint>
#include <vector>

#include "ir/model.h"
#include "pipeline/batcher.h"

namespace polaris::test {

/// A small encoder and decoder over three cache groups: "full" in pages of 4 tokens, "window" of 5
/// positions in pages of 2, "cross" in pages of 8, filled by the function "encode".
Model cache_model();
inline constexpr std::int64_t kCacheModelWidth = 8;
inline constexpr std::int64_t kCacheModelWindow = 5;
inline constexpr std::int64_t kCacheModelContext = 48;
inline constexpr std::int64_t kCacheModelVocabulary = 12;

/// The logits after each of `ids`, computed in double over the whole sequence with no cache.
std::vector<std::vector<double>> cache_model_logits(const Model& model,
                                                    const std::vector<TokenId>& ids,
                                                    const Tensor& source);

}  // namespace polaris::test
