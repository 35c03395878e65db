#include "support/peer_story.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "tensor/element.h"
#include "test_paths.h"
#include "wire/npy.h"

namespace polaris::test {
namespace {

PeerStory read_story(const nlohmann::json& json) {
  PeerStory out;
  out.prompt = json.at("prompt");
  out.text = json.at("text");
  out.ids = json.at("ids").get<std::vector<TokenId>>();
  out.margins = json.at("margins").get<std::vector<double>>();
  if (!json.contains("top_ids")) return out;
  out.prompt_ids = json.at("prompt_ids").get<std::vector<TokenId>>();
  out.top_ids = json.at("top_ids").get<std::vector<std::vector<TokenId>>>();
  out.top_logits = json.at("top_logits").get<std::vector<std::vector<double>>>();
  out.log_totals = json.at("log_total").get<std::vector<double>>();
  return out;
}

/// ln of the sum of exp(logit).
double log_sum_exp(const std::vector<float>& logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return largest + std::log(sum);
}

/// Divergence of our distribution from the peer's; what the peer's list leaves out is one event.
double divergence(const std::vector<TokenId>& ids, const std::vector<double>& peer_logits,
                  double log_total, const std::vector<float>& ours) {
  const double peer_sum = peer_logits[0] + log_total;
  const double our_sum = log_sum_exp(ours);
  double peer_rest = 1;
  double our_rest = 1;
  double kl = 0;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    const double log_p = peer_logits[t] - peer_sum;
    const double log_q = static_cast<double>(ours[static_cast<std::size_t>(ids[t])]) - our_sum;
    kl += std::exp(log_p) * (log_p - log_q);
    peer_rest -= std::exp(log_p);
    our_rest -= std::exp(log_q);
  }
  // Logits are stored with five decimals: a rest below that is nothing.
  if (peer_rest > 1e-4 && our_rest > 1e-12) kl += peer_rest * std::log(peer_rest / our_rest);
  return std::max(kl, 0.0);
}

}  // namespace

std::vector<PeerStory> read_peer_stories(const std::string& storage) {
  const std::string path =
      std::string(kSourceDir) + "/models/stories/stories-" + storage + ".llamacpp.json";
  std::ifstream file(path);
  REQUIRE_MESSAGE(file.good(), path);
  const nlohmann::json json = nlohmann::json::parse(file);
  std::vector<PeerStory> out = {read_story(json)};
  for (const auto& more : json.at("more")) out.push_back(read_story(more));
  return out;
}

PeerStory read_peer_rows(const std::string& path, std::size_t prompt) {
  constexpr TokenId kFirst = 3;
  const auto rows = load_npy(path);
  REQUIRE_MESSAGE(rows, rows.error().message());
  const auto width = static_cast<std::size_t>(rows->shape()[1]);
  PeerStory out;
  for (std::size_t r = prompt - 1; r + 1 < static_cast<std::size_t>(rows->shape()[0]); ++r) {
    const auto logit = [&](TokenId token) {
      return element_as_f64(*rows, static_cast<std::int64_t>(r * width) + token);
    };
    std::vector<TokenId> order(width);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, [&](TokenId a, TokenId b) { return logit(a) > logit(b); });
    std::vector<double>& sorted = out.top_logits.emplace_back();
    double total = 0;
    for (const TokenId token : order) {
      sorted.push_back(logit(token));
      total += std::exp(sorted.back() - sorted.front());
    }
    out.log_totals.push_back(std::log(total));
    out.margins.push_back(sorted[0] - sorted[1]);
    out.top_ids.push_back(std::move(order));
    out.ids.push_back(kFirst + static_cast<TokenId>(r) + 1);
  }
  out.prompt_ids.resize(prompt);
  std::iota(out.prompt_ids.begin(), out.prompt_ids.end(), kFirst);
  return out;
}

PeerError compare_with_peer(const PeerStory& story, const Generated& forced) {
  REQUIRE(forced.logits.size() == story.ids.size());
  PeerError out;
  out.steps = story.ids.size();
  double error_max = 0;
  double largest_max = 0;
  for (std::size_t s = 0; s < out.steps; ++s) {
    const std::vector<float>& ours = forced.logits[s];
    double error = 0;
    double largest = 0;
    for (std::size_t t = 0; t < story.top_ids[s].size(); ++t) {
      const double peer = story.top_logits[s][t];
      error = std::max(error,
                       std::abs(peer - static_cast<double>(
                                           ours[static_cast<std::size_t>(story.top_ids[s][t])])));
      largest = std::max(largest, std::abs(peer));
    }
    out.step_relative_max = std::max(out.step_relative_max, error / largest);
    error_max = std::max(error_max, error);
    largest_max = std::max(largest_max, largest);
    if (story.margins[s] > 2 * error && argmax(ours) != story.top_ids[s][0]) ++out.wrong_argmax;
    out.kl_mean += divergence(story.top_ids[s], story.top_logits[s], story.log_totals[s], ours);
  }
  out.relative_max = error_max / largest_max;
  out.kl_mean /= static_cast<double>(out.steps);
  return out;
}

Generated generate_forced(Batcher& batcher, const std::vector<TokenId>& prompt,
                          const std::vector<TokenId>& ids) {
  GenerateRequest request;
  request.prompt = prompt;
  request.max_new_tokens = static_cast<std::int64_t>(ids.size());
  request.forced = ids;
  return generate(batcher, std::move(request));
}

}  // namespace polaris::test
