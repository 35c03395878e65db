#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/grammar/grammar.h"
#include "text/grammar/item_sets.h"

namespace polaris::grammar {

/// Where a text stands in a grammar: a number, equal where the same may follow.
using Place = std::uint32_t;
/// No text of the grammar begins so.
inline constexpr Place kNowhere = 0;

/// The places of a grammar, found as texts come to them, and the steps between them by bytes, each
/// computed once. A place is the set of all ways that lead to it, so that nothing is tried twice.
/// Not thread-safe.
class Places {
 public:
  explicit Places(std::shared_ptr<const Grammar> grammar);

  const Grammar& grammar() const { return *grammar_; }
  Place start();
  Place next(Place place, std::uint8_t byte) {
    const std::uint8_t kind = grammar_->class_of(byte);
    const std::uint32_t row = rows_of_[place];
    if (row != kNoRow) {
      const Place known = rows_[std::size_t{row} * classes_ + kind];
      if (known != kUnknown) return known;
    }
    return step(place, kind);
  }
  /// Whether what stands there is a text of the grammar.
  bool may_end(Place place) const { return ends_[place]; }
  /// All ways that lead there: states that bytes lead on from, each with what follows its rule.
  std::span<const Item> items(Place place) const { return places_[place]; }
  /// What may follow a rule, before what it calls is entered; kTextEnd where the text may end.
  std::span<const Item> after_rule(std::uint32_t then) const { return thens_[then]; }
  static constexpr Item kTextEnd{UINT32_MAX, 0};
  /// Whether more may follow.
  bool may_go_on(Place place) const { return places_[place].size() > (ends_[place] ? 1u : 0u); }

  /// Errors: exhausted, since too many ways lead to some place that was asked for; what came after
  /// is kNowhere. Begins a new count of steps.
  Status take_status();
  /// Whether it is time to forget.
  bool is_full() const { return bytes() > bytes_max_; }
  /// Forgets all but `kept`, which are given their new numbers, and where they lead back to.
  void forget(std::span<Place* const> kept);

  /// The bytes that may follow, for messages.
  std::string wanted(Place place) const;

  static constexpr std::size_t kBytesKept = std::size_t{24} << 20;
  static constexpr std::size_t kItemsMax = 1 << 13;  // of a place
  static constexpr std::size_t kWorkMax = 1 << 26;   // items looked at between two take_status

 private:
  static constexpr std::uint32_t kNoRow = UINT32_MAX;
  static constexpr Place kUnknown = UINT32_MAX;
  struct Call {
    std::uint32_t rank = 0;
    RuleId rule = 0;
    Item then;
    bool operator<(const Call& other) const { return rank > other.rank; }  // the first is the top
  };
  Place step(Place place, std::uint8_t kind);
  /// The place of what scratch_ holds, with all that follows from it.
  Place close();
  void insert(Item item);
  void follow_ends();
  void follow_calls();
  void note_calls(const Item& item);
  Place number_of(std::span<const Item> items);
  bool fail();
  std::size_t bytes() const;

  std::shared_ptr<const Grammar> grammar_;
  std::uint32_t classes_ = 1;
  ItemSets thens_;   // what follows a rule: 0 is the end of the text
  ItemSets places_;  // items that bytes lead on from, and kEnd first where the text may end
  std::vector<bool> ends_;
  std::vector<std::uint32_t> rows_of_;  // by place
  std::vector<Place> rows_;             // by row and class
  std::size_t work_ = 0;
  bool failed_ = false;
  std::size_t bytes_max_ = kBytesKept;

  // Of the step under way, kept so that a steady text allocates nothing.
  std::vector<Item> scratch_;
  std::vector<std::uint32_t> table_;  // of scratch_, by hash, once it is long
  std::vector<Call> calls_;
  std::vector<Item> then_;
  bool may_end_ = false;
};

}  // namespace polaris::grammar
