#pragma once
#include <cstddef>
#include <vector>

#include "text/vocabulary.h"

namespace polaris {

struct Candidate {
  TokenId id = 0;
  double logit = 0;
  double weight = 0;  // as weigh() leaves it
};

/// Tokens that may be picked. Filters keep at least one.
using Candidates = std::vector<Candidate>;

/// Likeliest first, the lowest id of equals; the first `k` alone where k > 0.
void sort_likeliest(Candidates& candidates, std::size_t k);
/// Sets weights to exp((logit - largest) / temperature) and gives their sum. Sorted, not empty.
double weigh(Candidates& candidates, double temperature);
/// The likeliest whose probabilities reach `p` together (Holtzman et al. 2019). Sorted.
void keep_top_p(Candidates& candidates, double p);
/// Those at least `p` times as likely as the likeliest (Nguyen et al. 2024). Sorted.
void keep_min_p(Candidates& candidates, double p);
/// Those whose surprise is nearest to the entropy until their probabilities reach `p` together
/// (Meister et al. 2022). Sorted, and stays so.
void keep_typical(Candidates& candidates, double p);
/// The candidate at `share`, in [0, 1), of the sum of weights. Weighed.
const Candidate& pick(const Candidates& candidates, double share);

}  // namespace polaris
