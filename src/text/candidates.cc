#include "text/candidates.h"

#include <algorithm>
#include <cmath>

namespace polaris {
namespace {

bool likelier(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

}  // namespace

void sort_likeliest(Candidates& candidates, std::size_t k) {
  if (k == 0 || k >= candidates.size()) {
    std::sort(candidates.begin(), candidates.end(), likelier);
    return;
  }
  const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(k);
  std::partial_sort(candidates.begin(), end, candidates.end(), likelier);
  candidates.resize(k);
}

double weigh(Candidates& candidates, double temperature) {
  const double top = candidates.front().logit;
  double total = 0;
  for (Candidate& c : candidates) {
    // Equal infinities have no difference.
    c.weight = c.logit == top ? 1.0 : std::exp((c.logit - top) / temperature);
    total += c.weight;
  }
  return total;
}

void keep_top_p(Candidates& candidates, double p) {
  if (p >= 1) return;
  const double wanted = p * weigh(candidates, 1);
  double mass = 0;
  std::size_t keep = 0;
  while (keep < candidates.size() && (keep == 0 || mass < wanted)) {
    mass += candidates[keep++].weight;
  }
  candidates.resize(keep);
}

void keep_min_p(Candidates& candidates, double p) {
  if (p <= 0) return;
  weigh(candidates, 1);
  std::size_t keep = 1;
  while (keep < candidates.size() && candidates[keep].weight >= p) ++keep;
  candidates.resize(keep);
}

void keep_typical(Candidates& candidates, double p) {
  if (p >= 1) return;
  const double total = weigh(candidates, 1);
  double entropy = 0;
  for (const Candidate& c : candidates) {
    if (c.weight > 0) entropy -= c.weight / total * std::log(c.weight / total);
  }
  const auto distance = [&](const Candidate& c) {
    return std::abs(-std::log(c.weight / total) - entropy);
  };
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
  double mass = 0;
  std::size_t keep = 0;
  while (keep < candidates.size() && (keep == 0 || mass < p * total)) {
    mass += candidates[keep++].weight;
  }
  candidates.resize(keep);
  std::sort(candidates.begin(), candidates.end(), likelier);
}

const Candidate& pick(const Candidates& candidates, double share) {
  double total = 0;
  for (const Candidate& c : candidates) total += c.weight;
  double target = share * total;
  for (const Candidate& c : candidates) {
    target -= c.weight;
    if (target < 0) return c;
  }
  return candidates.back();
}

}  // namespace polaris
