#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "ir/op_attrs/string.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

/// Keeps the output's rows within what can be allocated.
constexpr std::int64_t kColumnsMax = std::int64_t{1} << 26;

/// Where the n-grams of length n + 1 stand in the pool.
struct PoolPart {
  std::size_t from = 0;
  std::size_t to = 0;
};

std::size_t pool_size(const TfIdfVectorizerAttrs& attrs) {
  return attrs.pool_strings.empty() ? attrs.pool_int64s.size() : attrs.pool_strings.size();
}

/// Errors: invalid, without a prefix.
Result<std::vector<PoolPart>> pool_parts(const TfIdfVectorizerAttrs& attrs) {
  std::vector<PoolPart> out;
  const auto size = static_cast<std::int64_t>(pool_size(attrs));
  std::size_t grams = 0;
  for (std::size_t n = 0; n < attrs.ngram_counts.size(); ++n) {
    const std::int64_t from = attrs.ngram_counts[n];
    const std::int64_t to = n + 1 < attrs.ngram_counts.size() ? attrs.ngram_counts[n + 1] : size;
    if (from < 0 || from > to || to > size) {
      return Error::invalid("ngram_counts, got " + std::to_string(from) + " to " +
                            std::to_string(to) + ", wanted an ascending part of " +
                            std::to_string(size));
    }
    out.push_back({static_cast<std::size_t>(from), static_cast<std::size_t>(to)});
    const std::size_t items = out.back().to - out.back().from;
    if (items % (n + 1) != 0) {
      return Error::invalid("pool, got " + std::to_string(items) + " items for " +
                            std::to_string(n + 1) + "-grams");
    }
    grams += items / (n + 1);
  }
  if (grams != attrs.ngram_indexes.size()) {
    return Error::invalid("ngram_indexes, got " + std::to_string(attrs.ngram_indexes.size()) +
                          ", wanted one for each of " + std::to_string(grams) + " n-grams");
  }
  return out;
}

std::int64_t columns_of(const TfIdfVectorizerAttrs& attrs) {
  return *std::max_element(attrs.ngram_indexes.begin(), attrs.ngram_indexes.end()) + 1;
}

Status check_attributes(const InferContext& c, const TfIdfVectorizerAttrs& attrs) {
  if (attrs.mode != "TF" && attrs.mode != "IDF" && attrs.mode != "TFIDF") {
    return c.fail("mode, got '" + printable(attrs.mode) + "', wanted TF, IDF or TFIDF");
  }
  if (attrs.min_gram_length < 1 || attrs.max_gram_length < attrs.min_gram_length ||
      attrs.max_skip_count < 0) {
    return c.fail("lengths of n-grams, got " + std::to_string(attrs.min_gram_length) + " to " +
                  std::to_string(attrs.max_gram_length) + " skipping " +
                  std::to_string(attrs.max_skip_count));
  }
  if (attrs.pool_strings.empty() == attrs.pool_int64s.empty()) {
    return c.fail("pool, got both of pool_strings and pool_int64s or neither, wanted one");
  }
  const auto parts = pool_parts(attrs);
  if (!parts) return c.fail(parts.error().message());
  if (attrs.ngram_indexes.empty()) {
    return c.fail("ngram_indexes, got none, wanted one for each n-gram");
  }
  for (std::int64_t index : attrs.ngram_indexes) {
    if (index < 0 || index >= kColumnsMax) {
      return c.fail("ngram_indexes, got " + std::to_string(index) + ", wanted 0 to 2^26");
    }
  }
  const std::size_t weights = attrs.weights.size();
  if (weights != 0 && weights != attrs.ngram_indexes.size()) {
    return c.fail("weights, got " + std::to_string(weights) + ", wanted one for each of " +
                  std::to_string(attrs.ngram_indexes.size()) + " n-grams");
  }
  return Status::success();
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<TfIdfVectorizerAttrs>();
  if (auto s = all_of(check_attributes(c, attrs), check_rank(c, 0, 1, 2),
                      check_dtype(c, 0, attrs.pool_strings.empty() ? kIndexTypes : kStringTypes));
      !s) {
    return s;
  }
  Shape out = c.in(0).shape;
  out.back() = columns_of(attrs);
  set_output(c, 0, DType::kF32, out);
  return Status::success();
}

/// The n-grams of the pool by their items' numbers; the last of equals counts.
template <class Item>
class Pool {
 public:
  Pool(const TfIdfVectorizerAttrs& attrs, const std::vector<Item>& items) {
    const auto parts = pool_parts(attrs);
    std::size_t gram = 0;
    for (std::size_t n = 0; n < parts->size(); ++n) {
      const bool wanted = static_cast<std::int64_t>(n) + 1 >= attrs.min_gram_length &&
                          static_cast<std::int64_t>(n) < attrs.max_gram_length;
      for (std::size_t at = (*parts)[n].from; at < (*parts)[n].to; at += n + 1, ++gram) {
        std::vector<std::int64_t> numbers;
        for (std::size_t k = 0; k <= n; ++k) numbers.push_back(number_of(items[at + k]));
        if (wanted) grams_[numbers] = static_cast<std::int64_t>(gram);
        if (wanted) longest_ = n + 1;
      }
    }
  }

  std::size_t longest() const { return longest_; }
  /// -1: in no n-gram.
  std::int64_t find(const Item& item) const {
    const auto at = numbers_.find(item);
    return at == numbers_.end() ? -1 : at->second;
  }
  /// Which n-gram of the pool it is; -1: none.
  std::int64_t gram(const std::vector<std::int64_t>& numbers) const {
    const auto at = grams_.find(numbers);
    return at == grams_.end() ? -1 : at->second;
  }

 private:
  std::int64_t number_of(const Item& item) {
    return numbers_.emplace(item, static_cast<std::int64_t>(numbers_.size())).first->second;
  }

  std::map<Item, std::int64_t> numbers_;
  std::map<std::vector<std::int64_t>, std::int64_t> grams_;
  std::size_t longest_ = 0;
};

/// An n-gram was found.
void count_one(const TfIdfVectorizerAttrs& attrs, std::size_t gram, std::vector<double>& counts) {
  double& count = counts[static_cast<std::size_t>(attrs.ngram_indexes[gram])];
  const bool weighted = attrs.mode != "TF" && !attrs.weights.empty();
  const double weight = weighted ? static_cast<double>(attrs.weights[gram]) : 1;
  count = attrs.mode == "IDF" ? weight : count + weight;
}

/// Counts the n-grams of one row; one item alone is counted once, however much may be skipped.
template <class Item>
void count_grams(const TfIdfVectorizerAttrs& attrs, const Pool<Item>& pool,
                 const std::vector<std::int64_t>& row, std::vector<double>& counts) {
  const auto size = static_cast<std::int64_t>(row.size());
  for (std::int64_t n = attrs.min_gram_length; n <= static_cast<std::int64_t>(pool.longest());
       ++n) {
    const std::int64_t skips = n == 1 ? 0 : std::min(attrs.max_skip_count, size);
    for (std::int64_t step = 1; step <= skips + 1; ++step) {
      for (std::int64_t start = 0; start + (n - 1) * step < size; ++start) {
        std::vector<std::int64_t> numbers;
        for (std::int64_t k = 0; k < n; ++k) {
          numbers.push_back(row[static_cast<std::size_t>(start + k * step)]);
          if (numbers.back() < 0) break;
        }
        const std::int64_t gram = pool.gram(numbers);
        if (gram >= 0) count_one(attrs, static_cast<std::size_t>(gram), counts);
      }
    }
  }
}

/// put(i, v) for each element of the output, of items at(i) of the input.
template <class Item, class At, class Put>
void vectorize(const TfIdfVectorizerAttrs& attrs, const std::vector<Item>& items, const Shape& x,
               At at, Put put) {
  const Pool<Item> pool(attrs, items);
  const std::int64_t columns = columns_of(attrs);
  const std::int64_t rows = x.rank() == 2 ? x[0] : 1;
  std::vector<double> counts(static_cast<std::size_t>(columns));
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<std::int64_t> row;
    for (std::int64_t i = 0; i < x.back(); ++i) row.push_back(pool.find(at(r * x.back() + i)));
    std::fill(counts.begin(), counts.end(), 0.0);
    count_grams(attrs, pool, row, counts);
    for (std::size_t k = 0; k < counts.size(); ++k) {
      put(r * columns + static_cast<std::int64_t>(k), counts[k]);
    }
  }
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<TfIdfVectorizerAttrs>();
  vectorize<std::int64_t>(
      attrs, attrs.pool_int64s, c.in(0).type.shape,
      [&](std::int64_t i) { return get_i64(c.in(0), i); },
      [&](std::int64_t i, double v) { put_f64(c.out(0), i, v); });
  return Status::success();
}

Status host(HostContext& c) {
  const auto& attrs = c.as<TfIdfVectorizerAttrs>();
  const auto bytes = c.types[0].bytes();
  if (!bytes || *bytes > c.bytes_max) {
    return Error::exhausted(c.fail("result, got " + c.types[0].to_string()).message());
  }
  auto out = Tensor::allocate(c.types[0]);
  if (!out) return out.error();
  const std::vector<std::string_view> items(attrs.pool_strings.begin(), attrs.pool_strings.end());
  auto* to = out->mutable_data<float>();
  vectorize<std::string_view>(
      attrs, items, c.in(0).shape(), [&](std::int64_t i) { return c.in(0).string(i); },
      [&](std::int64_t i, double v) { to[i] = static_cast<float>(v); });
  c.give(0, out.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"X", kStrings}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_tf_idf_vectorizer{
    .name = "TfIdfVectorizer",
    .doc =
        "How often each n-gram of a pool stands in each row, with up to max_skip_count items "
        "between "
        "its own; IDF: whether it does. IDF and TFIDF are times the n-gram's weight.",
    .since = 9,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<TfIdfVectorizerAttrs>,
    .infer = infer,
    .reference = reference,
    .host = host,
};

}  // namespace polaris
