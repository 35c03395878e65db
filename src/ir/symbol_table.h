#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace polaris {

/// A dim that is not a fixed size.
struct Symbol {
  enum class Kind : std::uint8_t {
    kFree,      // any size: one plan per size seen
    kBucketed,  // rounded up by its user to 1, 2, 4 ... bound: one plan per bucket
    kBounded,   // at most `bound`, known at run time: memory is planned at the bound
  };
  std::string name;
  Kind kind = Kind::kFree;
  std::int64_t bound = 0;  // kBucketed, kBounded
};

/// The symbols of a graph and of all graphs nested in it, by id and by name. References stay valid
/// while symbols are added.
class SymbolTable {
 public:
  SymbolTable() = default;
  SymbolTable(const SymbolTable&) = delete;
  SymbolTable& operator=(const SymbolTable&) = delete;

  /// The id of an equal name if there is one.
  std::int64_t add(Symbol symbol) {
    const auto found = ids_.find(symbol.name);
    if (found != ids_.end()) return found->second;
    const auto id = static_cast<std::int64_t>(symbols_.size());
    symbols_.push_back(std::move(symbol));
    ids_.emplace(symbols_.back().name, id);
    return id;
  }
  std::optional<std::int64_t> find(std::string_view name) const {
    const auto found = ids_.find(name);
    return found != ids_.end() ? std::optional(found->second) : std::nullopt;
  }
  const std::deque<Symbol>& all() const { return symbols_; }

 private:
  std::deque<Symbol> symbols_;
  std::unordered_map<std::string_view, std::int64_t> ids_;  // names point into symbols_
};

}  // namespace polaris
