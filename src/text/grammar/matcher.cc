#include "text/grammar/matcher.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace polaris::grammar {

Masks::Masks(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTries> tries)
    : grammar_(std::move(grammar)),
      tries_(std::move(tries)),
      places_(grammar_),
      keys_(*grammar_),
      way_(tries_->bytes_max() + 1) {
  for (const TokenTree& tree : tries_->trees()) {
    plain_longest_ = std::max(plain_longest_, tree.plain_max);
  }
}

Masks::Slot Masks::take_slot(Place place) {
  if (free_.empty()) {
    free_.reserve(slots_.size() + 1);
    slots_.push_back(place);
    return static_cast<Slot>(slots_.size() - 1);
  }
  const Slot slot = free_.back();
  free_.pop_back();
  slots_[slot] = place;
  return slot;
}

void Masks::free_slot(Slot slot) {
  slots_[slot] = kNowhere;
  free_.push_back(slot);
}

void Masks::forget(std::size_t depth) {
  std::vector<Place*> kept;
  for (Place& place : slots_) kept.push_back(&place);
  for (std::size_t i = 0; i < depth; ++i) kept.push_back(&way_[i]);
  places_.forget(kept);
  plain_.forget();
  keys_.forget();
  masks_.clear();
  shared_.clear();
  shared_bytes_ = 0;
  ++forgotten_;
}

std::vector<TokenId> Masks::walk(const TokenTree& tree, Place from) {
  std::vector<TokenId> out;
  way_[0] = from;
  const std::size_t count = tree.nodes.size();
  for (std::size_t i = 0; i < count;) {
    const TokenTree::Node& node = tree.nodes[i];
    const Place next = places_.next(way_[node.depth], node.byte);
    if (next == kNowhere) {
      i = node.after;
      continue;
    }
    way_[node.depth + 1u] = next;
    if (node.token >= 0) out.push_back(node.token);
    ++i;
    if (i % 1024 == 0 && places_.is_full()) forget(node.depth + 2u);
  }
  return out;
}

/// `plain`: how many plain characters may follow, once it is asked for.
Masks::Allowed Masks::look(std::span<const TokenTree> trees, Slot slot,
                           std::optional<PlainReach::Reach>& plain) {
  Allowed out;
  out.many = no_tokens(tries_->width());
  std::vector<TokenId> walked;
  bool whole = false;
  for (const TokenTree& tree : trees) {
    if (tree.plain_max > 0 && !plain) plain = plain_.of(places_, slots_[slot], plain_longest_);
    if (tree.plain_max > 0 && tree.plain_max <= plain->least) {
      whole = true;
      for (std::size_t i = 0; i < out.many.size(); ++i) out.many[i] |= tree.tokens[i];
    } else if (tree.plain_max == 0 || tree.plain_min <= plain->most) {
      const std::vector<TokenId> found = walk(tree, slots_[slot]);
      walked.insert(walked.end(), found.begin(), found.end());
    }
  }
  if (!whole && walked.size() < tries_->width() / 32) {
    out.many = {};
    out.few = std::move(walked);
    out.few.shrink_to_fit();
    return out;
  }
  for (const TokenId token : walked) add_token(out.many, token);
  return out;
}

void Masks::add(const Allowed& allowed, TokenBits& bits) {
  for (const TokenId token : allowed.few) add_token(bits, token);
  for (std::size_t i = 0; i < allowed.many.size(); ++i) bits[i] |= allowed.many[i];
}

void Masks::share(std::vector<std::pair<SharedKey, Allowed>> fresh) {
  for (auto& [key, allowed] : fresh) {
    if (shared_bytes_ > kSharedBytesMax) {
      shared_.clear();
      shared_bytes_ = 0;
    }
    shared_bytes_ += allowed.bytes();
    shared_.insert_or_assign(key, std::move(allowed));
  }
}

Result<std::span<const std::uint64_t>> Masks::allowed(Slot slot) {
  if (places_.is_full()) forget(0);
  const auto known = masks_.find(slots_[slot]);
  if (known != masks_.end()) return std::span<const std::uint64_t>(known->second);
  if (masks_.size() >= kMasksMax) masks_.clear();
  TokenBits bits = no_tokens(tries_->width());
  std::optional<PlainReach::Reach> plain;
  std::vector<std::pair<SharedKey, Allowed>> fresh;
  const std::uint64_t forgotten = forgotten_;
  const std::span<const TokenTree> trees = tries_->trees();
  for (std::size_t begin = 0, end = 0; begin < trees.size(); begin = end) {
    const std::uint32_t bytes = trees[begin].bytes_max;
    while (end < trees.size() && trees[end].bytes_max == bytes) ++end;
    const auto key = keys_.of(places_, slots_[slot], bytes);
    const auto shared = key ? shared_.find({bytes, *key}) : shared_.end();
    if (shared != shared_.end()) {
      add(shared->second, bits);
      continue;
    }
    Allowed found = look(trees.subspan(begin, end - begin), slot, plain);
    add(found, bits);
    if (key) fresh.emplace_back(SharedKey{bytes, *key}, std::move(found));
  }
  if (auto status = places_.take_status(); !status) return status.error();
  // Keys of before are none any more.
  if (forgotten_ == forgotten) share(std::move(fresh));
  for (const auto& [first, second] : tries_->twins()) {
    if (has_token(bits, first)) add_token(bits, second);
  }
  const auto [at, inserted] = masks_.insert_or_assign(slots_[slot], std::move(bits));
  return std::span<const std::uint64_t>(at->second);
}

Result<Place> Masks::after(Slot slot, TokenId token) {
  if (places_.is_full()) forget(0);
  const std::string_view text = tries_->text(token);
  Place place = text.empty() ? kNowhere : slots_[slot];
  for (const char c : text) {
    if (place == kNowhere) break;
    place = places_.next(place, static_cast<std::uint8_t>(c));
  }
  if (auto status = places_.take_status(); !status) return status.error();
  if (place != kNowhere) return place;
  return Error::invalid("[grammar] token " + std::to_string(token) + " of '" + printable(text) +
                        "', got where the grammar does not admit it");
}

Matcher::Matcher(std::shared_ptr<Masks> masks) : masks_(std::move(masks)) {
  const Place start = masks_->places_.start();
  now_ = masks_->take_slot(start);
  next_ = masks_->take_slot(start);
}

Matcher::Matcher(Matcher&& other) noexcept
    : masks_(std::move(other.masks_)), now_(other.now_), next_(other.next_) {}

Matcher& Matcher::operator=(Matcher&& other) noexcept {
  std::swap(masks_, other.masks_);
  std::swap(now_, other.now_);
  std::swap(next_, other.next_);
  return *this;
}

Matcher::~Matcher() {
  if (!masks_) return;
  masks_->free_slot(now_);
  masks_->free_slot(next_);
}

Result<std::span<const std::uint64_t>> Matcher::allowed() { return masks_->allowed(next_); }

Status Matcher::prepare(TokenId token) {
  auto place = masks_->after(next_, token);
  if (!place) return place.error();
  masks_->slots_[next_] = *place;
  return Status::success();
}

std::string Matcher::wanted() const { return printable(masks_->places_.wanted(place()), 48); }

}  // namespace polaris::grammar
