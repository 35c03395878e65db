// Every storage of the cache generates; the smaller ones stay near the float32 cache.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "support/generation.h"
#include "support/peer_story.h"
#include "support/session_run.h"

namespace polaris {
namespace {

using namespace test;

Generated with_cache(std::shared_ptr<Runtime> runtime, KvType kv_type, std::int64_t count,
                     const std::vector<TokenId>& forced) {
  ArchOptions arch;
  arch.kv_type = kv_type;
  const LanguageModel model = load_language_model(stories_path("f32"), std::move(runtime), arch);
  TestBatcher test = make_batcher(model);
  GenerateRequest request = greedy_request(model, "Once upon a time", count);
  request.end_tokens.clear();
  request.forced = forced;
  return generate(*test.batcher, request);
}

/// Largest difference of logits, relative to the largest logit.
double distance(const Generated& got, const Generated& wanted) {
  REQUIRE(got.logits.size() == wanted.logits.size());
  double difference = 0;
  double largest = 0;
  for (std::size_t s = 0; s < got.logits.size(); ++s) {
    for (std::size_t i = 0; i < got.logits[s].size(); ++i) {
      const double a = static_cast<double>(got.logits[s][i]);
      const double b = static_cast<double>(wanted.logits[s][i]);
      difference = std::max(difference, std::abs(a - b));
      largest = std::max(largest, std::abs(b));
    }
  }
  return difference / largest;
}

void check_caches(const std::string& device, std::int64_t count) {
  auto runtime = make_runtime({device});
  if (!runtime) return;
  const Generated exact = with_cache(runtime, KvType::kF32, count, {});
  struct Row {
    KvType type;
    double distance_max;
  };
  // A key or value of q8_0 is within 1/254 of its block's largest, one of q4_0 within 1/16.
  for (const Row& row :
       {Row{KvType::kF16, 1e-3}, Row{KvType::kQ8_0, 2e-2}, Row{KvType::kQ4_0, 2e-1}}) {
    CAPTURE(kv_type_name(row.type));
    const Generated forced = with_cache(runtime, row.type, count, exact.ids);
    const double measured = distance(forced, exact);
    MESSAGE(device << " " << kv_type_name(row.type) << ": logits within " << measured
                   << " of the largest");
    CHECK(measured <= row.distance_max);
    CHECK(measured > 0);  // else the storage was not what was asked for
    if (row.type == KvType::kF16) {
      CHECK(with_cache(runtime, row.type, count, {}).ids == exact.ids);
    }
  }
}

TEST_CASE("every cache storage: reference") { check_caches("reference", 24); }
TEST_CASE("every cache storage: cpu") { check_caches("cpu", 200); }
TEST_CASE("every cache storage: vulkan") { check_caches("vulkan", 24); }

}  // namespace
}  // namespace polaris
