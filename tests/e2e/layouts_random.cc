// Random image models full of Transposes: plans with layouts against the operators' definitions.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "ir/evaluate_graph.h"
#include "support/session_run.h"
#include "support/text_model.h"

using namespace polaris;
using namespace polaris::test;

namespace {

struct Known {
  std::string name;
  Shape shape;
};

/// Writes a model node by node; every value has four axes.
class RandomModel {
 public:
  explicit RandomModel(std::uint64_t seed) : rng_(seed) {
    add_input({1, 4, 6, 3});
    add_input({2, 5, 4, 6});
    for (int n = 0; n < 14; ++n) add_node();
  }

  std::string text() const {
    std::string out = "graph {\n" + inputs_ + constants_ + nodes_;
    for (std::size_t v = values_.size() - 4; v < values_.size(); ++v) {
      out += "  output " + values_[v].name + "\n";
    }
    return out + "}\n";
  }

 private:
  /// In [low, high].
  std::int64_t integer(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(rng_() % static_cast<std::uint64_t>(high - low + 1));
  }
  static std::string list(const Shape& numbers) {
    std::string out = "[";
    for (std::int64_t n : numbers) out += (out.size() > 1 ? ", " : "") + std::to_string(n);
    return out + "]";
  }

  void add_input(const Shape& shape) {
    values_.push_back({"%x" + std::to_string(values_.size()), shape});
    inputs_ += "  input " + values_.back().name + " : float32" + list(shape) + "\n";
  }
  std::string add_constant(const Shape& shape) {
    const std::string name = "%c" + std::to_string(++count_);
    constants_ += "  const " + name + " : float32" + list(shape) + " = random " +
                  std::to_string(count_) + "\n";
    return name;
  }
  const Known& any() {
    // Mostly recent values, so that chains form.
    const auto last = static_cast<std::int64_t>(values_.size()) - 1;
    return values_[static_cast<std::size_t>(std::max<std::int64_t>(0, last - integer(0, 3)))];
  }
  void add(const std::string& call, const Shape& shape) {
    values_.push_back({"%v" + std::to_string(values_.size()), shape});
    nodes_ += "  " + values_.back().name + " = " + call + "\n";
  }

  void add_node() {
    const Known x = any();
    switch (integer(0, 12)) {
      case 0: return add("Sigmoid(" + x.name + ")", x.shape);
      case 1: return add_convolution(x);
      case 2: return add_pool(x);
      case 3: return add_sum(x);
      case 4: return add_scaled(x);
      case 5: return add_joined(x);
      case 6:
        return add("Softmax(" + x.name + ", axis = " + std::to_string(integer(-4, 3)) + ")",
                   x.shape);
      case 7: return add_flattened(x);
      case 8: return add_normalized(x);
      default: return add_transposed(x);
    }
  }

  void add_transposed(const Known& x) {
    constexpr std::int64_t kPerms[][4] = {{0, 3, 1, 2}, {0, 2, 3, 1}, {0, 2, 3, 1}, {0, 3, 1, 2},
                                          {1, 0, 2, 3}, {0, 1, 3, 2}, {3, 2, 1, 0}, {2, 0, 3, 1}};
    const auto& perm = kPerms[integer(0, 7)];
    Shape shape = x.shape;
    for (int i = 0; i < 4; ++i) shape[i] = x.shape[static_cast<int>(perm[i])];
    add("Transpose(" + x.name + ", perm = " + list({perm[0], perm[1], perm[2], perm[3]}) + ")",
        shape);
  }
  void add_convolution(const Known& x) {
    const std::int64_t channels = x.shape[1];
    const bool depthwise = integer(0, 2) == 0 && channels > 1;
    const std::int64_t out = depthwise ? channels : integer(1, 20);
    const Shape w{out, depthwise ? 1 : channels, 3, 3};
    Shape shape = x.shape;
    shape[1] = out;
    add("Conv(" + x.name + ", " + add_constant(w) + ", " + add_constant({out}) +
            ", pads = [1, 1, 1, 1], group = " + std::to_string(depthwise ? channels : 1) + ")",
        shape);
  }
  void add_normalized(const Known& x) {
    const Shape channels{x.shape[1]};
    std::string call = "BatchNormalization(" + x.name;
    for (int i = 0; i < 3; ++i) call += ", " + add_constant(channels);
    const std::string variance = "%c" + std::to_string(++count_);
    constants_ += "  const " + variance + " : float32" + list(channels) + " = 0.5\n";
    add(call + ", " + variance + ")", x.shape);
  }
  void add_pool(const Known& x) {
    if (integer(0, 2) == 0) {
      return add("GlobalAveragePool(" + x.name + ")", {x.shape[0], x.shape[1], 1, 1});
    }
    const char* op = integer(0, 1) == 0 ? "MaxPool(" : "AveragePool(";
    add(op + x.name + ", kernel_shape = [3, 3], pads = [1, 1, 1, 1])", x.shape);
  }
  /// With another value of that shape, where there is one, or itself.
  void add_sum(const Known& x) {
    std::string other = x.name;
    for (const Known& value : values_) {
      if (value.shape == x.shape && value.name != x.name) other = value.name;
    }
    add("Sub(" + x.name + ", " + other + ")", x.shape);
  }
  void add_scaled(const Known& x) {
    Shape shape;
    const int rank = static_cast<int>(integer(1, 4));
    for (int i = 4 - rank; i < 4; ++i) shape.push_back(integer(0, 2) == 0 ? x.shape[i] : 1);
    add("Mul(" + x.name + ", " + add_constant(shape) + ")", x.shape);
  }
  void add_joined(const Known& x) {
    const int axis = static_cast<int>(integer(0, 3));
    Shape shape = x.shape;
    shape[axis] *= 2;
    if (shape.elements() > 20000) return add("Neg(" + x.name + ")", x.shape);
    add("Relu(" + x.name + ")", x.shape);
    const std::string other = values_.back().name;
    add("Concat(" + x.name + ", " + other + ", axis = " + std::to_string(axis) + ")", shape);
  }
  void add_flattened(const Known& x) {
    const Shape shape{x.shape[0], x.shape[3], x.shape[1], x.shape[2]};
    const std::string name = "%s" + std::to_string(++count_);
    constants_ += "  const " + name + " : int64[4] = " + list(shape) + "\n";
    add("Reshape(" + x.name + ", " + name + ")", shape);
  }

  std::mt19937_64 rng_;
  std::vector<Known> values_;
  std::string inputs_, constants_, nodes_;
  int count_ = 0;
};

}  // namespace

TEST_CASE("random models with Transposes answer as their operators' definitions") {
  std::vector<std::shared_ptr<Runtime>> runtimes = {make_runtime({"cpu"}),
                                                    make_runtime({"reference", "cpu"})};
  if (auto mixed = make_runtime({"cpu", "vulkan"})) runtimes.push_back(mixed);
  int relayouts = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const std::string text = RandomModel(seed).text();
    CAPTURE(seed);
    CAPTURE(text);
    const Graph graph = graph_from_text(text);
    const std::vector<Tensor> inputs = numbers_for_inputs(graph);
    auto want = evaluate_graph(graph, inputs);
    REQUIRE_MESSAGE(want, want.error().message());
    for (std::size_t r = 0; r < runtimes.size(); ++r) {
      CAPTURE(r);
      if (r == 2 && seed % 4 != 0) continue;  // the software rasterizer takes its time
      auto program = Program::compile(runtimes[r], graph.clone());
      REQUIRE_MESSAGE(program, program.error().message());
      auto session = Session::create(*program);
      REQUIRE(session);
      std::vector<Tensor> outputs;
      std::vector<NodeTime> times;
      RunOptions options;
      options.profile = &times;
      const Status status = (*session)->run(inputs, outputs, options);
      REQUIRE_MESSAGE(status, status.error().message());
      for (const NodeTime& time : times) relayouts += time.op == "Transpose (relayout)" ? 1 : 0;
      for (std::size_t o = 0; o < outputs.size(); ++o) {
        CAPTURE(o);
        REQUIRE(outputs[o].type() == want->outputs[o].type());
        CHECK(max_difference(outputs[o], want->outputs[o]) <=
              1e-4 * largest_magnitude(want->outputs[o]) + 1e-6);
      }
    }
  }
  CHECK(relayouts > 20);  // the models do what they are for
}
