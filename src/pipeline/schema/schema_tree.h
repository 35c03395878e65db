#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "wire/json.h"

namespace polaris::schema {

using NodeId = std::uint32_t;

/// A schema's JSON with a number for each value, so that values can be told apart and pointed to.
/// The document must outlive it.
class SchemaTree {
 public:
  /// Errors: invalid (a name twice in an object, an anchor twice).
  static Result<SchemaTree> create(JsonValue root);

  static constexpr NodeId kRoot = 0;
  const JsonValue& value(NodeId id) const { return nodes_[id].value; }
  std::optional<NodeId> find(NodeId object, std::string_view name) const;
  std::vector<NodeId> children(NodeId id) const;
  NodeId parent(NodeId id) const { return nodes_[id].parent; }
  /// In its list.
  std::uint32_t index(NodeId id) const { return nodes_[id].index; }
  /// A member's name, or what a text in a list says.
  std::string_view name_or_text(NodeId id) const;
  /// As JSON pointers are written: "/properties/a", "" for the root.
  std::string pointer(NodeId id) const;
  /// Whether a schema has its own $id, so that references in it are not the root's.
  bool is_apart(NodeId id) const { return nodes_[id].apart; }
  /// What "#...", or the root's $id and that, stands for. Errors: unsupported (it leads elsewhere),
  /// invalid (nothing is there).
  Result<NodeId> resolve(std::string_view reference) const;
  /// Whether two values are equal as JSON schema has it: 1 and 1.0 are.
  bool equal(NodeId a, NodeId b) const;

 private:
  struct Node {
    JsonValue value;
    NodeId parent = 0;
    NodeId first = 0;  // 0: none, since nobody has the root
    NodeId next = 0;
    std::uint32_t index = 0;  // in its list
    bool apart = false;
  };
  struct Key {
    NodeId object = 0;
    std::string_view name;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string_view>()(key.name) * 31 + key.object;
    }
  };
  Status number();
  Status find_anchors();
  std::vector<Node> nodes_;
  std::unordered_map<Key, NodeId, KeyHash> members_;
  std::unordered_map<std::string_view, NodeId> anchors_;
};

}  // namespace polaris::schema
