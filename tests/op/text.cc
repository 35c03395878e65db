#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "conformance/suite.h"
#include "ir/evaluate.h"
#include "ir/op_attrs/string.h"
#include "ir/op_set.h"

namespace polaris::test {
namespace {

/// 1-grams 2, 3 and 5, and 2-grams (5, 6), (7, 8) and (6, 7).
template <class F>
auto of(const char* mode, F set) {
  return attrs<TfIdfVectorizerAttrs>([&](auto& a) {
    a.mode = mode;
    a.ngram_counts = {0, 3};
    a.ngram_indexes = {0, 1, 2, 3, 5, 4};
    a.pool_int64s = {2, 3, 5, 5, 6, 7, 8, 6, 7};
    a.max_gram_length = 2;
    set(a);
  });
}

}  // namespace

TEST_CASE("TfIdfVectorizer") {
  Suite s("TfIdfVectorizer");
  const auto plain = [](auto&) {};
  const auto weighted = [](auto& a) {
    a.weights = {1, 2, 3, 4, 5, 6};
    a.max_skip_count = 3;
  };
  const Tensor x = values(DType::kI64, {2, 6}, {1, 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8});
  for (const char* mode : {"TF", "IDF", "TFIDF"}) {
    s.add(mode, {x}, of(mode, plain));
    s.add(std::string(mode) + " weighted", {x}, of(mode, weighted));
  }
  s.add("line", {values(DType::kI32, {5}, {5, 6, 5, 6, 7})}, of("TF", plain));
  s.add("empty", {values(DType::kI64, {2, 0}, {})}, of("TF", plain));
  const auto fails = [&](const char* name, const char* mode, auto set, const char* text) {
    s.fails(name, {x}, of(mode, set), text);
  };
  fails("mode", "DF", plain, "mode, got 'DF'");
  fails(
      "counts", "TF",
      [](auto& a) {
        a.ngram_counts = {3, 0};
      },
      "ngram_counts, got 3 to 0");
  fails(
      "beyond", "TF",
      [](auto& a) {
        a.ngram_counts = {0, 10};
      },
      "ngram_counts, got 0 to 10");
  fails(
      "items", "TF",
      [](auto& a) {
        a.ngram_counts = {0, 2};
      },
      "pool, got 7 items for 2-grams");
  fails(
      "indexes", "TF", [](auto& a) { a.ngram_indexes = {0}; }, "ngram_indexes, got 1");
  fails(
      "index", "TF", [](auto& a) { a.ngram_indexes[0] = -1; }, "ngram_indexes, got -1");
  fails(
      "weights", "TF", [](auto& a) { a.weights = {1}; }, "weights, got 1");
  fails(
      "lengths", "TF", [](auto& a) { a.min_gram_length = 3; }, "lengths of n-grams, got 3 to 2");
  fails(
      "pools", "TF", [](auto& a) { a.pool_strings = {"a"}; }, "pool, got both");
  s.run();
}

TEST_CASE("TfIdfVectorizer counts strings too") {
  const auto a = of("TF", [](auto& x) {
    x.pool_int64s.clear();
    x.pool_strings = {"a", "b", "c", "c", "d", "e", "f", "d", "e"};
  });
  const std::string_view text[] = {"c", "d", "e", "x", "a", "c"};
  const auto x = Tensor::strings(Shape{6}, text);
  REQUIRE(x.ok());
  const Tensor* inputs[] = {&*x};
  const auto got = evaluate_node(*OpSet::builtin().find("TfIdfVectorizer"), *a, "n", inputs, 1);
  REQUIRE_MESSAGE(got.ok(), got.error().message());
  // a, c twice, (c, d) and (d, e), whose column is 4.
  const float wanted[] = {1, 0, 2, 1, 1, 0};
  REQUIRE((*got)[0].shape() == Shape{6});
  CHECK(std::equal(std::begin(wanted), std::end(wanted), (*got)[0].data<float>()));
}

}  // namespace polaris::test
