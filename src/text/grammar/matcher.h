#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/grammar/place_keys.h"
#include "text/grammar/places.h"
#include "text/grammar/plain_reach.h"
#include "text/grammar/token_mask.h"
#include "text/grammar/token_tries.h"

namespace polaris::grammar {

/// Masks of a vocabulary's tokens by the places of a grammar, each computed once while there is
/// room. Texts of one grammar share them. Not thread-safe.
class Masks {
 public:
  Masks(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTries> tries);

  const std::shared_ptr<const Grammar>& grammar() const { return grammar_; }
  static constexpr std::size_t kMasksMax = 256;
  static constexpr std::size_t kSharedBytesMax = std::size_t{16} << 20;

 private:
  friend class Matcher;
  using Slot = std::uint32_t;
  Slot take_slot(Place place);
  void free_slot(Slot slot);
  /// Until the next call.
  Result<std::span<const std::uint64_t>> allowed(Slot slot);
  Result<Place> after(Slot slot, TokenId token);
  /// Tokens of trees of one length: few, or bits of many.
  struct Allowed {
    std::vector<TokenId> few;
    TokenBits many;
    std::size_t bytes() const { return few.size() * sizeof(TokenId) + many.size() * 8 + 64; }
  };
  using SharedKey = std::pair<std::uint32_t, std::uint32_t>;  // bytes, and a key of places
  Allowed look(std::span<const TokenTree> trees, Slot slot,
               std::optional<PlainReach::Reach>& plain);
  std::vector<TokenId> walk(const TokenTree& tree, Place from);
  static void add(const Allowed& allowed, TokenBits& bits);
  void share(std::vector<std::pair<SharedKey, Allowed>> fresh);
  /// Places change their numbers: those of the slots, and the first `depth` of way_.
  void forget(std::size_t depth);

  std::shared_ptr<const Grammar> grammar_;
  std::shared_ptr<const TokenTries> tries_;
  Places places_;
  PlainReach plain_;
  PlaceKeys keys_;
  std::uint32_t plain_longest_ = 0;
  std::map<SharedKey, Allowed> shared_;  // by places that are alike for such tokens
  std::size_t shared_bytes_ = 0;
  std::uint64_t forgotten_ = 0;  // times
  std::unordered_map<Place, TokenBits> masks_;
  std::vector<Place> slots_;
  std::vector<Slot> free_;  // holds as many as there are slots
  std::vector<Place> way_;  // of a walk, by depth
};

/// Where one text stands in its grammar.
class Matcher {
 public:
  /// Of no grammar.
  Matcher() = default;
  /// At the beginning of a text.
  explicit Matcher(std::shared_ptr<Masks> masks);
  Matcher(Matcher&& other) noexcept;
  Matcher& operator=(Matcher&& other) noexcept;
  ~Matcher();

  explicit operator bool() const { return masks_ != nullptr; }
  /// Tokens that may come after those prepared, but for those that end the text; until the next
  /// call on a text of the same grammar. Errors: exhausted (too many ways to read one text).
  Result<std::span<const std::uint64_t>> allowed();
  /// Whether the text may end there, and whether it may go on.
  bool may_end() const { return masks_->places_.may_end(place()); }
  bool may_go_on() const { return masks_->places_.may_go_on(place()); }
  /// Goes on by a token: for good by commit(), until rewind() without. Errors: invalid where it is
  /// not allowed.
  Status prepare(TokenId token);
  void commit() { masks_->slots_[now_] = masks_->slots_[next_]; }
  void rewind() { masks_->slots_[next_] = masks_->slots_[now_]; }
  /// What may come next, for messages.
  std::string wanted() const;

 private:
  Place place() const { return masks_->slots_[next_]; }
  std::shared_ptr<Masks> masks_;
  Masks::Slot now_ = 0;
  Masks::Slot next_ = 0;
};

}  // namespace polaris::grammar
