// What placement weighs, held against a count by hand: over random graphs, values alive at each
// node, weights counted once, and no device given more than it may hold.

#include "plan/place_items.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "plan/placement.h"
#include "support/fake_device.h"
#include "support/text_model.h"

namespace polaris::test {
namespace {

/// Rows of several sizes, joined, multiplied by weights and added up; some weights are read twice,
/// some are computed from constants. What nobody reads is an output.
class RandomGraph {
 public:
  explicit RandomGraph(std::uint32_t seed) : random_(seed) {
    for (int i = 0; i < 2; ++i) {
      const int rows = integer(1, 40);
      text_ += "input " + next(rows) + " : float32[" + std::to_string(rows) + ", 16]\n";
    }
    for (int i = 0; i < 3; ++i) add_weight();
    const int nodes = integer(3, 25);
    for (int i = 0; i < nodes; ++i) add_node();
    for (const auto& [name, value] : values_) {
      if (!value.read || integer(0, 5) == 0) text_ += "output " + name + "\n";
    }
  }
  std::string text() const { return "graph {\n" + text_ + "}"; }

 private:
  struct Made {
    int rows = 0;
    bool read = false;
  };

  int integer(int low, int high) {
    return low + static_cast<int>(random_() % static_cast<unsigned>(high - low + 1));
  }
  std::string next(int rows) {
    const std::string name = "%v" + std::to_string(values_.size());
    values_[name] = {rows, false};
    return name;
  }
  std::string any() {
    auto at = values_.begin();
    std::advance(at, integer(0, static_cast<int>(values_.size()) - 1));
    at->second.read = true;
    return at->first;
  }
  void add_weight() {
    const std::string n = std::to_string(weights_.size());
    weights_.push_back("%w" + n);
    if (integer(0, 2) > 0) {
      text_ += "const %w" + n + " : float32[16, 16] = random " + n + "\n";
      return;
    }
    text_ +=
        "const %c" + n + " : float32[16, 16] = random " + n + "\n%w" + n + " = Neg(%c" + n + ")\n";
  }
  void add_node() {
    const std::string a = any();
    const int rows = values_[a].rows;
    switch (integer(0, 3)) {
      case 0: {
        const std::string b = any();
        const int sum = rows + values_[b].rows;
        if (sum > 400) break;
        text_ += next(sum) + " = Concat(" + a + ", " + b + ", axis = 0)\n";
        return;
      }
      case 1: {
        if (integer(0, 2) == 0) add_weight();
        const std::string& w =
            weights_[static_cast<std::size_t>(integer(0, static_cast<int>(weights_.size()) - 1))];
        text_ += next(rows) + " = MatMul(" + a + ", " + w + ")\n";
        return;
      }
      case 2: {
        const std::string line = "%axes" + std::to_string(values_.size());
        text_ += "const " + line + " : int64[1] = [0]\n";
        text_ += next(1) + " = ReduceSum(" + a + ", " + line + ", keepdims = 1)\n";
        return;
      }
      default: break;
    }
    text_ += next(rows) + " = Relu(" + a + ")\n";
  }

  std::mt19937 random_;
  std::string text_;
  std::map<std::string, Made> values_;
  std::vector<std::string> weights_;
};

std::int64_t bytes_of(const Graph& graph, ValueId id) {
  return graph.value(id).type.bytes().value_or(0);
}

/// From the first to the last position of the order at which the value is there.
struct Life {
  std::int64_t begin = 0;
  std::int64_t end = -1;
};

std::map<ValueId, Life> lives(const Graph& graph) {
  std::map<ValueId, Life> out;
  for (ValueId id : graph.inputs()) out[id] = {0, -1};
  const auto& order = graph.order();
  for (std::size_t p = 0; p < order.size(); ++p) {
    const auto at = static_cast<std::int64_t>(p);
    const Node& node = graph.node(order[p]);
    bool of_constants = node.op->is("Neg");  // here, these alone
    for (ValueId id : node.inputs) {
      if (const auto life = out.find(id); life != out.end()) life->second.end = at;
    }
    for (ValueId id : node.outputs) {
      if (!of_constants) out[id] = {at, at};
    }
  }
  for (ValueId id : graph.outputs()) out[id].end = static_cast<std::int64_t>(order.size());
  return out;
}

std::size_t position_of(const Graph& graph, NodeId id) {
  return static_cast<std::size_t>(std::ranges::find(graph.order(), id) - graph.order().begin());
}

}  // namespace

TEST_CASE("place items: values alive at each node, from what makes them to who reads them last") {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const std::string text = RandomGraph(seed).text();
    CAPTURE(text);
    Graph graph = graph_from_text(text);
    const auto all = lives(graph);
    for (const PlaceItem& item : place_items(graph, 0)) {
      const auto at = static_cast<std::int64_t>(position_of(graph, item.node));
      std::int64_t wanted = 0;
      for (const auto& [id, life] : all) {
        if (life.begin <= at && at <= life.end) wanted += bytes_of(graph, id);
      }
      CHECK(item.live_bytes == wanted);
    }
  }
}

TEST_CASE("place items: every weight is counted once, with its first reader") {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const std::string text = RandomGraph(seed).text();
    CAPTURE(text);
    Graph graph = graph_from_text(text);
    // By hand: what each constant is read through, and the first node that is placed of those.
    std::map<ValueId, std::int64_t> waiting;
    std::vector<std::int64_t> wanted(graph.order().size(), 0);
    for (std::size_t p = 0; p < graph.order().size(); ++p) {
      const Node& node = graph.node(graph.order()[p]);
      std::int64_t sum = 0;
      for (ValueId id : node.inputs) {
        if (graph.value(id).constant) {
          const auto [at, fresh] = waiting.emplace(id, 0);
          if (fresh)
            sum += static_cast<std::int64_t>(graph.value(id).constant->data.bytes().size());
        } else if (const auto at = waiting.find(id); at != waiting.end()) {
          sum += std::exchange(at->second, 0);
        }
      }
      if (node.op->is("Neg")) {
        waiting[node.outputs[0]] = sum;
      } else {
        wanted[p] = sum;
      }
    }
    for (const PlaceItem& item : place_items(graph, 0)) {
      CHECK(item.weight_bytes == wanted[position_of(graph, item.node)]);
    }
  }
}

TEST_CASE("placement gives no device more than it may hold at any time, but for the last") {
  std::mt19937 random(5);
  int cuts = 0;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const std::string text = RandomGraph(seed).text();
    CAPTURE(text);
    Graph graph = graph_from_text(text);
    const std::vector<PlaceItem> items = place_items(graph, 0);
    std::int64_t weights_all = 0;
    std::int64_t most_all = 0;
    for (const PlaceItem& item : items) {
      weights_all += item.weight_bytes;
      most_all = std::max(most_all, item.live_bytes);
    }
    std::vector<std::unique_ptr<FakeDevice>> owned;
    std::vector<Device*> devices;
    PlaceOptions options;
    for (int d = 0; d < 3; ++d) {
      owned.push_back(std::make_unique<FakeDevice>("fake:" + std::to_string(d)));
      devices.push_back(owned.back().get());
      const auto weights_part = static_cast<std::int64_t>(random() % 101);
      options.capacity_bytes.push_back(most_all + weights_all * weights_part / 100);
    }
    options.spread = 1 + static_cast<DeviceIndex>(seed % 3);
    place_graph(graph, devices, options);
    std::vector<std::int64_t> weights(3, 0);
    std::vector<std::int64_t> most(3, 0);
    for (const PlaceItem& item : items) {
      const auto d = static_cast<std::size_t>(graph.node(item.node).device);
      weights[d] += item.weight_bytes;
      most[d] = std::max(most[d], item.live_bytes);
      cuts += d > 0 ? 1 : 0;
    }
    for (std::size_t d = 0; d + 1 < 3; ++d) {
      CHECK(weights[d] + most[d] <= options.capacity_bytes[d]);
    }
  }
  CHECK(cuts > 100);  // memory does cut these graphs
}

}  // namespace polaris::test
