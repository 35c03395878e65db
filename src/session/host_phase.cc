#include "session/host_phase.h"

#include <map>
#include <utility>

#include "ir/evaluate.h"
#include "plan/host_values.h"
#include "session/value_move.h"

namespace polaris {
namespace {

class HostPhase {
 public:
  HostPhase(Runtime& runtime, const GraphInfo& info, std::span<const TensorType> states,
            std::vector<LiveValue>& live)
      : runtime_(runtime), info_(info), graph_(*info.graph), live_(live) {
    for (std::size_t i = 0; i < live.size(); ++i) at_[live[i].id] = i;
    for (std::size_t s = 0; s < states.size(); ++s) types_[graph_.states()[s].read] = &states[s];
  }

  Status run(std::size_t begin) {
    for (std::size_t position : info_.arithmetic.nodes) {
      if (position < begin) continue;
      const Node& node = graph_.node(graph_.order()[position]);
      if (is_done(node)) continue;
      if (auto status = evaluate(node); !status) return status;
    }
    return Status::success();
  }

 private:
  bool is_done(const Node& node) const {
    for (ValueId output : node.outputs) {
      if (output.valid() && at_.contains(output)) return true;
    }
    return false;
  }

  /// The type of a value as it is now, or null where it is not made yet.
  const TensorType* type_of(ValueId id) const {
    if (const auto at = at_.find(id); at != at_.end()) return &live_[at->second].ref.type;
    if (const auto at = types_.find(id); at != types_.end()) return at->second;
    const Value& value = graph_.value(id);
    return value.constant ? &value.constant->data.type() : nullptr;
  }

  /// The data of a value, read back where it stands on a device; null where it is not there.
  Result<const Tensor*> data_of(ValueId id) {
    const auto at = at_.find(id);
    if (at == at_.end()) return plain_data(graph_.value(id).constant.get());
    ValueRef& ref = live_[at->second].ref;
    if (ref.device == kHost) return &ref.host;
    if (ref.type.bytes().value_or(0) > kHostValueBytesMax) return nullptr;
    if (const auto read = read_.find(id); read != read_.end()) return &read->second;
    auto host = to_host(runtime_, ref);
    if (!host) return host.error();
    return &(read_[id] = host.take());
  }

  Status evaluate(const Node& node) {
    NodeView view = view_node(node, [&](ValueId id) { return OperandView{type_of(id), nullptr}; });
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.inputs[i].valid()) continue;
      if (view.types[i] == nullptr) return Status::success();
      if (node.op->has_trait(kTypeOnly)) continue;
      auto data = data_of(node.inputs[i]);
      if (!data) return data.error();
      if (*data == nullptr) return Status::success();
      view.values[i] = *data;
    }
    auto inferred = infer_types(view);
    if (!inferred) return inferred.error();
    if (!folds_on_host(*node.op, *inferred)) {
      // A device computes it, where one can.
      return reads_all_on_host(node)
                 ? inferred->fail("the result, got " + inferred->outputs[0].to_string() +
                                  ", wanted one that the host can make")
                 : Status::success();
    }
    auto results = fold_on_host(node, *inferred);
    if (!results) return results.error();
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      const ValueId id = node.outputs[o];
      if (!id.valid() || info_.last_reader[id] < 0) continue;
      at_[id] = live_.size();
      live_.push_back({id, ValueRef::of((*results)[o])});
    }
    return Status::success();
  }

  Runtime& runtime_;
  const GraphInfo& info_;
  const Graph& graph_;
  std::vector<LiveValue>& live_;
  std::map<ValueId, std::size_t> at_;  // in live_
  std::map<ValueId, const TensorType*> types_;
  std::map<ValueId, Tensor> read_;
};

}  // namespace

Status run_host_phase(Runtime& runtime, const GraphInfo& info, std::size_t begin,
                      std::span<const TensorType> states, std::vector<LiveValue>& live) {
  const auto& nodes = info.arithmetic.nodes;
  if (nodes.empty() || nodes.back() < begin) return Status::success();
  return HostPhase(runtime, info, states, live).run(begin);
}

}  // namespace polaris
