#include "pipeline/prefix_cache.h"

#include <algorithm>
#include <utility>

namespace polaris {
namespace {

std::int64_t common_length(std::span<const TokenId> a, std::span<const TokenId> b) {
  const std::size_t most = std::min(a.size(), b.size());
  const auto end = a.begin() + static_cast<std::ptrdiff_t>(most);
  return std::mismatch(a.begin(), end, b.begin()).first - a.begin();
}

}  // namespace

PrefixCache::PrefixCache(std::shared_ptr<KvPool> pool, std::int64_t texts_max)
    : pool_(std::move(pool)),
      texts_max_(static_cast<std::size_t>(std::max<std::int64_t>(texts_max, 0))) {
  for (const CacheGroup& group : pool_->groups()) {
    cuttable_ = cuttable_ && group.window == 0;
    unit_ = std::max(unit_, group.page_size);
  }
  texts_.reserve(texts_max_);
}

void PrefixCache::retain(std::string salt, std::vector<TokenId> tokens,
                         Sequence sequence) noexcept {
  const std::int64_t length = sequence.length();
  if (texts_max_ == 0 || length < unit_) return;
  tokens.resize(static_cast<std::size_t>(length));  // becomes no longer
  for (std::size_t i = 0; i < texts_.size();) {
    Text& text = texts_[i];
    const bool same = text.salt == salt;
    const std::int64_t common = same ? common_length(text.tokens, tokens) : 0;
    if (same && common == length && (cuttable_ || text.sequence.length() == length)) {
      text.used = ++clock_;
      return;
    }
    if (same && cuttable_ && common == text.sequence.length()) {
      erase(texts_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
  if (texts_.size() == texts_max_) erase(oldest());
  texts_.push_back({std::move(salt), std::move(tokens), std::move(sequence), ++clock_});
}

PrefixCache::Found PrefixCache::find(std::string_view salt, std::span<const TokenId> tokens,
                                     std::int64_t limit) {
  Text* best = nullptr;
  // Less than a page saves nothing, and every text begins with BOS.
  std::int64_t best_length = unit_ - 1;
  for (Text& text : texts_) {
    if (text.salt != salt) continue;
    const std::int64_t common = std::min(common_length(text.tokens, tokens), limit);
    const std::int64_t length = pool_->forkable(text.sequence, common);
    if (length <= best_length) continue;
    best = &text;
    best_length = length;
  }
  if (best == nullptr) return {};
  best->used = ++clock_;
  return {&best->sequence, best_length};
}

bool PrefixCache::give_way() {
  if (texts_.empty()) return false;
  const auto text = oldest();
  const std::int64_t units = (text->sequence.length() - 1) / unit_;
  if (!cuttable_ || units == 0) {
    erase(text);
    return true;
  }
  // A few pages at a time: what is left still serves texts that begin alike.
  const std::int64_t length = (units - units / 8) * unit_;
  text->sequence = pool_->fork(text->sequence, length);
  text->tokens.resize(static_cast<std::size_t>(length));
  return true;
}

std::int64_t PrefixCache::freeable_pages(std::size_t group) const {
  std::vector<const Sequence*> sequences;
  for (const Text& text : texts_) sequences.push_back(&text.sequence);
  return pool_->pages_of_none_but(sequences, group);
}

std::vector<PrefixCache::Text>::iterator PrefixCache::oldest() {
  return std::min_element(texts_.begin(), texts_.end(),
                          [](const Text& a, const Text& b) { return a.used < b.used; });
}

void PrefixCache::erase(std::vector<Text>::iterator text) noexcept {
  if (text != texts_.end() - 1) std::swap(*text, texts_.back());
  texts_.pop_back();
}

}  // namespace polaris
