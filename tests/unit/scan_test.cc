// Scan: axes and directions of every form, and what does not fit. tests/e2e/control_flow.cc
// compares with onnxruntime.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ir/evaluate_graph.h"
#include "ir/text/text.h"
#include "pass/runner.h"
#include "support/compare.h"
#include "support/session_run.h"
#include "support/text_model.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

std::string scan(const std::string& type, const std::string& attributes) {
  return "graph {\ninput %s : float32[2]\ninput %x : float32" + type +
         "\ninput %k : float32[2]\n%last, %all = Scan(%s, %x, %k, num_scan_inputs = 1, " +
         attributes + R"(captures = 1) graph {
      input %s : float32[2]
      input %e : float32[2]
      input %k : float32[2]
      %a = Mul(%e, %k)
      %b = Add(%s, %a)
      output %b
      output %a
    }
    output %last
    output %all
  })";
}

/// x is [2, n] or [n, 2] of 1, 2, 3 ...; the same by hand.
struct Scanned {
  std::vector<float> last{0, 0};
  std::vector<std::vector<float>> parts;
};

Scanned by_hand(int n, bool first_axis, bool backward) {
  Scanned out;
  for (int i = 0; i < n; ++i) {
    const int at = backward ? n - 1 - i : i;
    std::vector<float>& part = out.parts.emplace_back();
    for (int r = 0; r < 2; ++r) {
      const int index = first_axis ? at * 2 + r : r * n + at;
      part.push_back(static_cast<float>((index + 1) * (r == 0 ? 1 : 10)));
      out.last[static_cast<std::size_t>(r)] += part.back();
    }
  }
  return out;
}

std::string error_of(std::string_view text) {
  auto graph = parse_graph(text, OpSet::builtin());
  REQUIRE_FALSE(graph);
  return graph.error().message();
}

void contains(const std::string& message, std::string_view part) {
  CAPTURE(message);
  CHECK(message.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("scan: every axis and direction of what goes in and comes out, on every device") {
  for (const std::string name : {"", "reference", "cpu", "vulkan"}) {
    auto runtime = name.empty() ? nullptr : make_runtime({name});
    if (!runtime && !name.empty()) continue;
    CAPTURE(name);
    for (int form = 0; form < 64; ++form) {
      const int in_axis = form % 4 - 2;
      const int out_axis = form / 4 % 4 - 2;
      const bool in_back = form / 16 % 2 != 0;
      const bool out_back = form / 32 != 0;
      CAPTURE(form);
      const bool first_axis = in_axis == 0 || in_axis == -2;
      const std::string text =
          scan(first_axis ? "[5, 2]" : "[2, 5]",
               "scan_input_axes = [" + std::to_string(in_axis) + "], scan_output_axes = [" +
                   std::to_string(out_axis) + "], scan_input_directions = [" +
                   std::to_string(in_back ? 1 : 0) + "], scan_output_directions = [" +
                   std::to_string(out_back ? 1 : 0) + "], ");
      std::vector<float> numbers;
      for (int i = 0; i < 10; ++i) numbers.push_back(static_cast<float>(i + 1));
      const std::vector<Tensor> inputs = {floats({2}, {0, 0}),
                                          floats(first_axis ? Shape{5, 2} : Shape{2, 5}, numbers),
                                          floats({2}, {1, 10})};
      std::vector<Tensor> outputs;
      if (runtime) {
        auto session = session_of(program_from_text(runtime, text));
        const Status status = session->run(inputs, outputs, {});
        REQUIRE_MESSAGE(status, status.error().message());
      } else {
        const Graph graph = graph_from_text(text);
        const bool rows = out_axis == 0 || out_axis == -2;
        CHECK(graph.value(graph.outputs()[1]).type.shape == (rows ? Shape{5, 2} : Shape{2, 5}));
        auto values = evaluate_graph(graph, inputs);
        REQUIRE_MESSAGE(values, values.error().message());
        outputs = values->outputs;
      }
      Scanned wanted = by_hand(5, first_axis, in_back);
      if (out_back) std::reverse(wanted.parts.begin(), wanted.parts.end());
      std::vector<float> all;
      if (out_axis == 0 || out_axis == -2) {
        for (const auto& part : wanted.parts) all.insert(all.end(), part.begin(), part.end());
      } else {
        for (std::size_t r = 0; r < 2; ++r) {
          for (const auto& part : wanted.parts) all.push_back(part[r]);
        }
      }
      CHECK(to_floats(outputs[0]) == wanted.last);
      CHECK(to_floats(outputs[1]) == all);
    }
  }
}

TEST_CASE("scan: of nothing hands the carried values on and gives empty results") {
  const std::string text = scan("[0, 2]", "");
  const std::vector<Tensor> inputs = {floats({2}, {3, 4}), floats({0, 2}, {}),
                                      floats({2}, {1, 10})};
  for (const std::string name : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    auto session = session_of(program_from_text(runtime, text));
    std::vector<Tensor> outputs;
    const Status status = session->run(inputs, outputs, {});
    REQUIRE_MESSAGE(status, status.error().message());
    CHECK(to_floats(outputs[0]) == std::vector<float>{3, 4});
    CHECK(outputs[1].shape() == Shape{0, 2});
  }
}

TEST_CASE("scan: what does not fit is refused by name, while loading where that can be told") {
  contains(error_of(scan("[5, 2]", "scan_input_axes = [2], ")), "scan axis, got 2");
  contains(error_of(scan("[5, 2]", "scan_input_axes = [0, 0], ")), "scan_input_axes, got 2 values");
  contains(error_of(scan("[5, 2]", "scan_output_axes = [-3], ")), "scan axis, got -3");
  contains(error_of(scan("[5, 2]", "scan_input_directions = [2], ")), "got 2, wanted 0 or 1");
  contains(error_of(scan("[5, 2]", "scan_output_directions = [-1], ")), "got -1, wanted 0 or 1");
  contains(error_of(scan("[]", "")), "scan axis, got 0 of a value of 0 dims");
  for (const std::string count : {"0", "-1", "3", "9223372036854775807"}) {
    std::string text = scan("[5, 2]", "");
    const std::string one = "num_scan_inputs = 1";
    text.replace(text.find(one), one.size(), "num_scan_inputs = " + count);
    contains(error_of(text), "num_scan_inputs, got " + count);
  }
  constexpr std::string_view kLengths = R"(graph {
    symbol N
    symbol M
    input %x : float32[N]
    input %y : float32[M]
    %all = Scan(%x, %y, num_scan_inputs = 2) graph {
      input %a : float32[]
      input %b : float32[]
      %c = Add(%a, %b)
      output %c
    }
    output %all
  })";
  std::string fixed(kLengths);
  fixed.replace(fixed.find("[N]"), 3, "[2]");
  fixed.replace(fixed.find("[M]"), 3, "[3]");
  contains(error_of(fixed), "length of scan input 1, got 3, wanted that of the others, 2");
  for (const std::string name : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    auto session = session_of(program_from_text(runtime, kLengths));
    std::vector<Tensor> outputs;
    const Tensor inputs[] = {floats({2}, {1, 2}), floats({3}, {1, 2, 3})};
    const Status status = session->run(inputs, outputs, {});
    REQUIRE_FALSE(status);
    contains(status.error().message(), "length of scan input 1, got 3");
  }
}

}  // namespace polaris::test
