#include "load/tflite/operator_order.h"

#include <cstdint>
#include <utility>

#include "base/strings.h"

namespace polaris::tflite {
namespace {

constexpr std::size_t kNobody = SIZE_MAX;

enum class Mark : std::uint8_t { kNew, kOpen, kDone };

}  // namespace

Result<std::vector<const OperatorDef*>> operators_in_order(const SubgraphDef& graph) {
  std::vector<std::size_t> maker(graph.tensors.size(), kNobody);
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    for (const std::int32_t t : graph.operators[i].outputs) {
      if (t < 0) continue;
      auto& by = maker[static_cast<std::size_t>(t)];
      if (by != kNobody) {
        return Error::invalid("[tflite] tensor '" +
                              printable(graph.tensors[static_cast<std::size_t>(t)].name) +
                              "' is made twice");
      }
      by = i;
    }
  }
  std::vector<const OperatorDef*> out;
  std::vector<Mark> marks(graph.operators.size(), Mark::kNew);
  std::vector<std::pair<std::size_t, std::size_t>> open;  // operator, its next input
  for (std::size_t first = 0; first < graph.operators.size(); ++first) {
    if (marks[first] != Mark::kNew) continue;
    marks[first] = Mark::kOpen;
    open.emplace_back(first, 0);
    while (!open.empty()) {
      const std::size_t at = open.back().first;
      const OperatorDef& op = graph.operators[at];
      if (open.back().second == op.inputs.size()) {
        marks[at] = Mark::kDone;
        out.push_back(&op);
        open.pop_back();
        continue;
      }
      const std::int32_t input = op.inputs[open.back().second++];
      const std::size_t by = input < 0 ? kNobody : maker[static_cast<std::size_t>(input)];
      if (by == kNobody || marks[by] == Mark::kDone) continue;
      if (marks[by] == Mark::kOpen) {
        return Error::invalid("[tflite] operators of subgraph '" + printable(graph.name) +
                              "' wait for each other");
      }
      marks[by] = Mark::kOpen;
      open.emplace_back(by, 0);
    }
  }
  return out;
}

}  // namespace polaris::tflite
