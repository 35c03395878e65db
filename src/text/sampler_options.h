#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/grammar/grammar.h"
#include "text/vocabulary.h"

namespace polaris {

/// What is added to a token's logit; minus infinity forbids the token.
struct LogitBias {
  TokenId id = 0;
  float bias = 0;
};

/// How tokens are picked. Steps apply in the order of docs/generation.md: grammar, bias, penalties,
/// top-k, typical, top-p, min-p, temperature, draw; or mirostat from the filters on.
struct SamplerOptions {
  float temperature = 0.8f;
  std::int32_t top_k = 40;
  float top_p = 0.95f;
  float min_p = 0.05f;
  float typical_p = 1;
  float repetition_penalty = 1;
  float frequency_penalty = 0;
  float presence_penalty = 0;
  std::int32_t penalty_window = 64;
  std::int32_t mirostat = 0;
  float mirostat_tau = 5;
  float mirostat_eta = 0.1f;
  std::uint64_t seed = 0;
  std::uint64_t sequence = 0;
  std::vector<LogitBias> logit_bias;
  std::shared_ptr<const grammar::Grammar> grammar;  // of what is picked; none: anything
};

/// One number of the options: its name in files, what it may be, what it does.
template <class T>
struct SamplerField {
  std::string_view name;
  T SamplerOptions::*member;
  T low;
  T high;
  std::string_view doc;
};

/// Calls f(SamplerField<T>) for every number: float, int32 or uint64.
template <class F>
void visit_sampler_fields(F&& f) {
  using O = SamplerOptions;
  constexpr std::int32_t kCountMax = std::numeric_limits<std::int32_t>::max();
  constexpr std::uint64_t kSeedMax = std::numeric_limits<std::uint64_t>::max();
  f(SamplerField<float>{"temperature", &O::temperature, 0, 1000, "0 is greedy"});
  f(SamplerField<std::int32_t>{"top_k", &O::top_k, 0, kCountMax,
                               "the likeliest so many, 0 keeps all"});
  f(SamplerField<float>{"top_p", &O::top_p, 0, 1,
                        "the likeliest that have this share together, 1 keeps all"});
  f(SamplerField<float>{"min_p", &O::min_p, 0, 1,
                        "those with this share of the likeliest's probability, 0 keeps all"});
  f(SamplerField<float>{"typical_p", &O::typical_p, 0, 1,
                        "the most typical that have this share together, 1 keeps all"});
  f(SamplerField<float>{"repetition_penalty", &O::repetition_penalty, 0.01f, 100,
                        "divides the logits of tokens that were there, 1 does nothing"});
  f(SamplerField<float>{"frequency_penalty", &O::frequency_penalty, -100, 100,
                        "taken off a token's logit for each time it was there"});
  f(SamplerField<float>{"presence_penalty", &O::presence_penalty, -100, 100,
                        "taken off the logits of tokens that were there"});
  f(SamplerField<std::int32_t>{"penalty_window", &O::penalty_window, 0, kCountMax,
                               "tokens that penalties look back at, 0 for all"});
  f(SamplerField<std::int32_t>{"mirostat", &O::mirostat, 0, 2,
                               "version of mirostat, in place of the filters; 0 for none"});
  f(SamplerField<float>{"mirostat_tau", &O::mirostat_tau, 0, 100,
                        "bits of surprise that mirostat aims at"});
  f(SamplerField<float>{"mirostat_eta", &O::mirostat_eta, 0, 10, "how fast mirostat learns"});
  f(SamplerField<std::uint64_t>{"seed", &O::seed, 0, kSeedMax,
                                "of the draws; without it every run differs"});
  f(SamplerField<std::uint64_t>{"sequence", &O::sequence, 0, kSeedMax,
                                "which of several texts of a seed"});
}

constexpr std::size_t kLogitBiasesMax = 1 << 16;
constexpr float kLogitBiasMax = 1e6f;  // in either direction, but for what forbids

/// Errors: invalid where a number is out of its bounds or none, where mirostat is to be greedy, or
/// where biases are too many, for one token twice, or for none of `vocabulary` tokens.
Status check_sampler(const SamplerOptions& options, std::int64_t vocabulary);

}  // namespace polaris
