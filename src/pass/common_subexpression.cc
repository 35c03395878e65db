#include <map>
#include <string>

#include "ir/attrs_key.h"
#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

// Larger constants are weights: they are shared by content when they are packed, and keep names.
constexpr std::int64_t kSharedBytesMax = 1024;

void put(std::string& key, std::int64_t v) {
  key.append(reinterpret_cast<const char*>(&v), sizeof(v));
}

void merge_constants(Editor& editor) {
  std::map<std::string, ValueId> seen;
  for (ValueId id : editor.graph().value_ids()) {
    const Tensor* tensor = editor.constant(id);
    if (tensor == nullptr || !editor.is_read(id) || !editor.is_internal(id)) continue;
    if (static_cast<std::int64_t>(tensor->bytes().size()) > kSharedBytesMax) continue;
    std::string key(reinterpret_cast<const char*>(tensor->bytes().data()), tensor->bytes().size());
    key += tensor->type().to_string();
    const auto [first, fresh] = seen.emplace(std::move(key), id);
    if (!fresh) editor.replace(id, first->second);
  }
}

/// What makes two nodes compute the same, or "" for nodes that may not be merged.
std::string key_of(const Node& node) {
  if (node.op->has_trait(kStateful) || !node.op->has_trait(kFoldable) || !node.subgraphs.empty()) {
    return "";
  }
  std::string key;
  key.reserve((node.inputs.size() + node.outputs.size() + 4) * sizeof(std::int64_t));
  // The inputs first: they differ soonest.
  put(key, static_cast<std::int64_t>(node.inputs.size()));
  for (ValueId input : node.inputs) put(key, input.index);
  put(key, std::int64_t{node.device});  // what another device computes would have to be moved
  // An unused output is part of the key: the other node may lack it.
  put(key, static_cast<std::int64_t>(node.outputs.size()));
  for (ValueId output : node.outputs) put(key, output.valid() ? 1 : 0);
  return key + op_full_name(*node.op) + ' ' + attrs_key(*node.attrs);
}

Result<bool> run(Graph& graph, const Targets&, const OpSet& ops) {
  Editor editor(graph, ops);
  merge_constants(editor);
  std::map<std::string, NodeId> seen;
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    const Node& node = graph.node(id);
    std::string key = node.dead ? "" : key_of(node);
    if (key.empty()) continue;
    const auto [first, fresh] = seen.emplace(std::move(key), id);
    if (fresh) continue;
    const Node& kept = graph.node(first->second);
    bool mergeable = true;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (!node.outputs[i].valid()) continue;
      mergeable = mergeable && editor.may_replace(node.outputs[i], kept.outputs[i]);
    }
    if (!mergeable) continue;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (!node.outputs[i].valid()) continue;
      const bool rename = !editor.is_internal(node.outputs[i]);
      editor.replace(node.outputs[i], kept.outputs[i], !rename);
    }
    editor.remove_if_dead(id);
  }
  return editor.changed();
}

}  // namespace

extern constinit const Pass pass_common_subexpression{
    .name = "common_subexpression",
    .doc = "Computes equal nodes once and keeps one copy of equal small constants.",
    .run = run,
};

}  // namespace polaris
