#pragma once
#include "text/candidates.h"

namespace polaris {

/// Mirostat (Basu et al. 2021, "Mirostat: a neural text decoding algorithm that directly controls
/// perplexity"): keeps the surprise of what is drawn near `tau` bits. Version 1 chooses a top-k by
/// the Zipf exponent of the 100 likeliest, version 2 cuts what surprises more than `mu`.
class Mirostat {
 public:
  Mirostat(int version, double tau, double eta)
      : version_(version), tau_(tau), eta_(eta), mu_(2 * tau) {}
  /// Cuts candidates, sorted and weighed, which sum to `total`. `vocabulary` is the count of
  /// tokens.
  void keep(Candidates& candidates, double total, std::size_t vocabulary) const;
  /// Learns from what was picked among those kept.
  void learn(const Candidates& kept, const Candidate& picked);
  double mu() const { return mu_; }

 private:
  std::size_t top_k(const Candidates& candidates, std::size_t vocabulary) const;
  int version_;
  double tau_;
  double eta_;
  double mu_;
};

}  // namespace polaris
