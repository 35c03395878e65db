#include "text/grammar/matcher.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace polaris::grammar {

Masks::Masks(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTries> tries)
    : grammar_(std::move(grammar)),
      tries_(std::move(tries)),
      places_(grammar_),
      way_(tries_->bytes_max() + 1) {}

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
  masks_.clear();
}

void Masks::walk(const TokenTree& tree, Place from, TokenBits& bits) {
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
    if (node.token >= 0) add_token(bits, node.token);
    ++i;
    if (i % 1024 == 0 && places_.is_full()) forget(node.depth + 2u);
  }
}

Result<std::span<const std::uint64_t>> Masks::allowed(Slot slot) {
  if (places_.is_full()) forget(0);
  const auto known = masks_.find(slots_[slot]);
  if (known != masks_.end()) return std::span<const std::uint64_t>(known->second);
  if (masks_.size() >= kMasksMax) masks_.clear();
  TokenBits bits = no_tokens(tries_->width());
  std::uint32_t longest = 0;
  for (const TokenTree& tree : tries_->trees()) longest = std::max(longest, tree.plain_max);
  const std::uint32_t plain = plain_.of(places_, slots_[slot], longest);
  for (const TokenTree& tree : tries_->trees()) {
    if (tree.plain_max > 0 && tree.plain_max <= plain) {
      for (std::size_t word = 0; word < bits.size(); ++word) bits[word] |= tree.tokens[word];
    } else {
      walk(tree, slots_[slot], bits);
    }
  }
  if (auto status = places_.take_status(); !status) return status.error();
  for (const auto& [first, second] : tries_->twins()) {
    if (has_token(bits, first)) add_token(bits, second);
  }
  const auto [at, fresh] = masks_.insert_or_assign(slots_[slot], std::move(bits));
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
