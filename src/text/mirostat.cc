#include "text/mirostat.h"

#include <algorithm>
#include <cmath>

namespace polaris {
namespace {

constexpr std::size_t kLikeliest = 100;  // that version 1 looks at

}  // namespace

void Mirostat::keep(Candidates& candidates, double total, std::size_t vocabulary) const {
  std::size_t keep = 1;
  if (version_ == 1) {
    keep = top_k(candidates, vocabulary);
  } else {
    const auto surprise = [&](const Candidate& c) { return -std::log2(c.weight / total); };
    while (keep < candidates.size() && surprise(candidates[keep]) <= mu_) ++keep;
  }
  candidates.resize(std::min(keep, candidates.size()));
}

std::size_t Mirostat::top_k(const Candidates& candidates, std::size_t vocabulary) const {
  double products = 0;
  double squares = 0;
  const std::size_t end = std::min(kLikeliest, candidates.size());
  for (std::size_t i = 0; i + 1 < end && candidates[i + 1].weight > 0; ++i) {
    const double t = std::log(static_cast<double>(i + 2) / static_cast<double>(i + 1));
    products += t * std::log(candidates[i].weight / candidates[i + 1].weight);
    squares += t * t;
  }
  // Equal probabilities have exponent 0, by which nothing can be divided.
  const double s = std::max(squares > 0 ? products / squares : 0.0, 1e-6);
  const double e = s - 1;
  const auto n = static_cast<double>(vocabulary);
  // The limit where the exponent is 1.
  const double scale = std::abs(e) < 1e-9 ? 1 / std::log(n) : e / (1 - std::pow(n, -e));
  const double k = std::pow(scale * std::exp2(mu_), 1 / s);
  if (!(k < static_cast<double>(candidates.size()))) return candidates.size();
  return std::max<std::size_t>(static_cast<std::size_t>(k), 1);
}

void Mirostat::learn(const Candidates& kept, const Candidate& picked) {
  double total = 0;
  for (const Candidate& c : kept) total += c.weight;
  mu_ -= eta_ * (-std::log2(picked.weight / total) - tau_);
}

}  // namespace polaris
