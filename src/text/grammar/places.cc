#include "text/grammar/places.h"

#include <algorithm>
#include <array>
#include <utility>

namespace polaris::grammar {
namespace {

constexpr Item kEnd = Places::kTextEnd;
constexpr std::size_t kShort = 16;  // items that are searched one by one

std::uint64_t hash_of(const Item& item) {
  const std::uint64_t mixed = ((std::uint64_t{item.state} << 32) | item.then) * 0x9E3779B97F4A7C15u;
  return mixed ^ (mixed >> 29);
}

}  // namespace

Places::Places(std::shared_ptr<const Grammar> grammar)
    : grammar_(std::move(grammar)), classes_(grammar_->classes()) {
  thens_.add(std::span(&kEnd, 1));
  number_of({});
}

Place Places::start() {
  scratch_.clear();
  calls_.clear();
  may_end_ = grammar_->rule(grammar_->root()).may_be_empty;
  calls_.push_back({0, grammar_->root(), kEnd});
  return close();
}

bool Places::fail() {
  failed_ = true;
  return false;
}

Place Places::step(Place place, std::uint8_t kind) {
  if (failed_) return kNowhere;
  scratch_.clear();
  calls_.clear();
  may_end_ = false;
  const std::span<const Item> items = places_[place];
  work_ += items.size();
  for (const Item& item : items) {
    if (item == kEnd) continue;
    for (const ByteStep& s : grammar_->byte_steps(item.state)) {
      if (s.first <= kind && kind <= s.last) insert({s.target, item.then});
    }
    work_ += grammar_->byte_steps(item.state).size();
  }
  const Place to = scratch_.empty() ? kNowhere : close();
  if (failed_) return kNowhere;
  if (rows_of_[place] == kNoRow) {
    rows_.resize(rows_.size() + classes_, kUnknown);
    rows_of_[place] = static_cast<std::uint32_t>(rows_.size() / classes_ - 1);
  }
  rows_[std::size_t{rows_of_[place]} * classes_ + kind] = to;
  return to;
}

void Places::insert(Item item) {
  if (scratch_.size() < kShort) {
    if (std::find(scratch_.begin(), scratch_.end(), item) != scratch_.end()) return;
    scratch_.push_back(item);
    return;
  }
  if (scratch_.size() >= kItemsMax) {
    fail();
    return;
  }
  constexpr std::uint32_t kFree = UINT32_MAX;
  const auto slot_of = [&](const Item& wanted) {
    const std::size_t last = table_.size() - 1;
    std::size_t at = hash_of(wanted) & last;
    while (table_[at] != kFree && scratch_[table_[at]] != wanted) at = (at + 1) & last;
    return at;
  };
  const bool first = scratch_.size() == kShort;
  if (first || table_.size() < 2 * scratch_.size()) {
    table_.assign(first ? 4 * kShort : 4 * table_.size(), kFree);
    for (std::uint32_t i = 0; i < scratch_.size(); ++i) table_[slot_of(scratch_[i])] = i;
  }
  const std::size_t at = slot_of(item);
  if (table_[at] != kFree) return;
  table_[at] = static_cast<std::uint32_t>(scratch_.size());
  scratch_.push_back(item);
}

/// What ends a rule goes on behind its calls; a call of what may be empty may be passed over.
void Places::follow_ends() {
  for (std::size_t i = 0; i < scratch_.size() && !failed_; ++i) {
    const Item item = scratch_[i];
    work_ += 1 + grammar_->call_steps(item.state).size();
    if (grammar_->ends(item.state)) {
      const std::span<const Item> after = thens_[item.then];
      work_ += after.size();
      for (const Item& then : after) {
        if (then == kEnd) {
          may_end_ = true;
        } else {
          insert(then);
        }
      }
    }
    for (const CallStep& call : grammar_->call_steps(item.state)) {
      if (grammar_->rule(call.rule).may_be_empty) insert({call.target, item.then});
    }
  }
}

void Places::note_calls(const Item& item) {
  for (const CallStep& call : grammar_->call_steps(item.state)) {
    calls_.push_back({grammar_->rule(call.rule).rank, call.rule, {call.target, item.then}});
    std::push_heap(calls_.begin(), calls_.end());
  }
}

/// By rank, so that all who call a rule are known when it begins. What begins here and may be empty
/// was passed over where it was called.
void Places::follow_calls() {
  while (!calls_.empty() && !failed_) {
    const RuleId rule = calls_.front().rule;
    then_.clear();
    while (!calls_.empty() && calls_.front().rule == rule) {
      const Item then = calls_.front().then;
      std::pop_heap(calls_.begin(), calls_.end());
      calls_.pop_back();
      // Where the caller ends too, its own callers are gone on with: no depth for lists.
      if (then != kEnd && grammar_->only_ends(then.state)) {
        const std::span<const Item> after = thens_[then.then];
        then_.insert(then_.end(), after.begin(), after.end());
        work_ += after.size();
      } else {
        then_.push_back(then);
      }
      if (then_.size() > kItemsMax) {
        std::sort(then_.begin(), then_.end());
        then_.erase(std::unique(then_.begin(), then_.end()), then_.end());
        if (then_.size() > kItemsMax / 2) fail();
      }
    }
    if (failed_) return;
    std::sort(then_.begin(), then_.end());
    then_.erase(std::unique(then_.begin(), then_.end()), then_.end());
    const std::uint32_t after = thens_.add(then_);
    std::size_t begin = scratch_.size();
    insert({grammar_->rule(rule).start, after});
    for (; begin < scratch_.size() && !failed_; ++begin) {
      const Item item = scratch_[begin];
      work_ += 1 + grammar_->call_steps(item.state).size();
      note_calls(item);
      for (const CallStep& call : grammar_->call_steps(item.state)) {
        if (grammar_->rule(call.rule).may_be_empty) insert({call.target, item.then});
      }
    }
  }
}

Place Places::close() {
  follow_ends();
  for (const Item& item : scratch_) note_calls(item);
  follow_calls();
  if (work_ > kWorkMax) fail();
  if (failed_) return kNowhere;
  std::erase_if(scratch_, [&](const Item& i) { return grammar_->byte_steps(i.state).empty(); });
  if (may_end_) scratch_.push_back(kEnd);
  if (scratch_.empty()) return kNowhere;
  std::sort(scratch_.begin(), scratch_.end());
  return number_of(scratch_);
}

Place Places::number_of(std::span<const Item> items) {
  const Place place = places_.add(items);
  // Twice the same where memory ended between these.
  while (ends_.size() < places_.size()) {
    const auto of = places_[static_cast<Place>(ends_.size())];
    ends_.push_back(!of.empty() && of.back() == kEnd);
  }
  while (rows_of_.size() < places_.size()) rows_of_.push_back(kNoRow);
  return place;
}

Status Places::take_status() {
  work_ = 0;
  if (!std::exchange(failed_, false)) return Status::success();
  return Error::exhausted("[grammar] too many ways to read one text, got more than " +
                          std::to_string(kItemsMax) + " at once or " + std::to_string(kWorkMax) +
                          " steps for a token");
}

std::string Places::wanted(Place place) const {
  std::array<bool, 256> kinds{};
  for (const Item& item : places_[place]) {
    if (item == kEnd) continue;
    for (const ByteStep& step : grammar_->byte_steps(item.state)) {
      for (std::size_t kind = step.first; kind <= step.last; ++kind) kinds[kind] = true;
    }
  }
  std::string bytes;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if (kinds[grammar_->class_of(static_cast<std::uint8_t>(byte))]) {
      bytes += static_cast<char>(byte);
    }
  }
  return bytes;
}

std::size_t Places::bytes() const {
  const std::size_t items = thens_.items() + places_.items();
  const std::size_t sets = std::size_t{thens_.size()} + places_.size();
  return items * sizeof(Item) + sets * 28 + rows_.size() * sizeof(Place);
}

void Places::forget(std::span<Place* const> kept) {
  std::vector<bool> needed(thens_.size(), false);
  needed[0] = true;
  for (const Place* place : kept) {
    for (const Item& item : places_[*place]) needed[item.then] = true;
  }
  // What follows leads back to what was there before it.
  for (std::uint32_t set = thens_.size(); set-- > 0;) {
    if (!needed[set]) continue;
    for (const Item& item : thens_[set]) needed[item.then] = true;
  }
  std::vector<std::uint32_t> numbers(thens_.size(), 0);
  std::vector<Item> items;
  const auto renumbered = [&](std::span<const Item> old) {
    items.assign(old.begin(), old.end());
    for (Item& item : items) item.then = item == kEnd ? 0 : numbers[item.then];
    std::sort(items.begin(), items.end());
    return std::span<const Item>(items);
  };
  ItemSets thens;
  for (std::uint32_t set = 0; set < thens_.size(); ++set) {
    if (needed[set]) numbers[set] = thens.add(renumbered(thens_[set]));
  }
  Places fresh(grammar_);
  fresh.thens_ = std::move(thens);
  std::vector<Place> places;
  for (const Place* place : kept) {
    const auto of = renumbered(places_[*place]);
    places.push_back(of.empty() ? kNowhere : fresh.number_of(of));
  }
  fresh.work_ = work_;
  fresh.failed_ = failed_;
  // What is kept may be much by itself.
  fresh.bytes_max_ = std::max(kBytesKept, 2 * fresh.bytes());
  *this = std::move(fresh);
  for (std::size_t i = 0; i < kept.size(); ++i) *kept[i] = places[i];
}

}  // namespace polaris::grammar
