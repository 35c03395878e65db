#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "session/kv_pool.h"
#include "text/vocabulary.h"

namespace polaris {

/// Keys and values of texts that are over, kept so that a text which begins alike need not compute
/// them again. Each text has a salt, and is found by texts of an equal salt alone. The least
/// recently used gives way first, from its end on. Not thread-safe.
class PrefixCache {
 public:
  /// Keeps at most `texts_max`; none where that is 0.
  PrefixCache(std::shared_ptr<KvPool> pool, std::int64_t texts_max);

  /// Keeps a text whose keys and values `sequence` has; `tokens` are at least sequence.length().
  /// What is kept already is not kept twice. Allocates nothing.
  void retain(std::string salt, std::vector<TokenId> tokens, Sequence sequence) noexcept;

  struct Found {
    const Sequence* sequence = nullptr;  // until the next call that changes the cache
    std::int64_t length = 0;             // tokens to fork
  };
  /// The longest beginning of `tokens`, from a page to `limit`, that a text of this salt can be
  /// forked at; that text counts as used now.
  Found find(std::string_view salt, std::span<const TokenId> tokens, std::int64_t limit);

  /// Gives some pages of the least recently used text back, if no other sequence holds them. False
  /// where nothing is kept.
  bool give_way();
  std::int64_t texts() const { return static_cast<std::int64_t>(texts_.size()); }
  /// Pages of a group that are free once all texts have given way.
  std::int64_t freeable_pages(std::size_t group) const;

 private:
  struct Text {
    std::string salt;
    std::vector<TokenId> tokens;  // as many as the sequence has
    Sequence sequence;
    std::uint64_t used = 0;
  };
  std::vector<Text>::iterator oldest();
  void erase(std::vector<Text>::iterator text) noexcept;

  std::shared_ptr<KvPool> pool_;
  std::size_t texts_max_;
  bool cuttable_ = true;     // at any length: no group has let go of what lies behind a window
  std::int64_t unit_ = 1;    // tokens of the largest page
  std::uint64_t clock_ = 0;  // counts uses
  std::vector<Text> texts_;  // room for all from the start
};

}  // namespace polaris
