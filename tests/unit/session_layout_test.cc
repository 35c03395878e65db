// Operands in several layouts on one node: each stands as it was made, constants row-major, and the
// answer is the definition's.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/evaluate_graph.h"
#include "support/compare.h"
#include "support/session_run.h"
#include "support/text_model.h"

namespace polaris::test {
namespace {

enum class Kind { kChannelsLast, kRowMajor, kWhole, kChannel, kLine, kNumber };
constexpr Kind kKinds[] = {Kind::kChannelsLast, Kind::kRowMajor, Kind::kWhole,
                           Kind::kChannel,      Kind::kLine,     Kind::kNumber};

/// [2, 3, 4], [2, 3, 4, 5] or [2, 3, 4, 5, 2].
std::string dims(int rank, bool channels_last) {
  constexpr const char* kFirst[] = {"2, 3, 4", "2, 3, 4, 5", "2, 3, 4, 5, 2"};
  constexpr const char* kLast[] = {"2, 4, 3", "2, 4, 5, 3", "2, 4, 5, 2, 3"};
  return std::string("[") + (channels_last ? kLast : kFirst)[rank - 3] + "]";
}

/// The lines that make operand `name`. A concatenation takes whole operands only.
std::string operand(const std::string& name, Kind kind, int rank, bool whole) {
  const std::string n = "%" + name;
  if (kind == Kind::kChannelsLast) {
    constexpr const char* kPerm[] = {"[0, 2, 1]", "[0, 3, 1, 2]", "[0, 4, 1, 2, 3]"};
    return "input %in_" + name + " : float32" + dims(rank, true) + "\n" + n +
           "_t = Transpose(%in_" + name + ", perm = " + kPerm[rank - 3] + ")\n" + n + " = Abs(" +
           n + "_t)\n";
  }
  if (kind == Kind::kRowMajor) {
    return "input %in_" + name + " : float32" + dims(rank, false) + "\n" + n + " = Abs(%in_" +
           name + ")\n";
  }
  constexpr const char* kChannels[] = {"[3, 1]", "[1, 3, 1, 1]", "[3, 1, 1, 1]"};
  constexpr const char* kLines[] = {"[4]", "[1, 5]", "[2]"};
  std::string shape = dims(rank, false);
  if (kind == Kind::kChannel && !whole) shape = kChannels[rank - 3];
  if (kind == Kind::kLine && !whole) shape = kLines[rank - 3];
  if (kind == Kind::kNumber && !whole) shape = "[]";
  return "const " + n + " : float32" + shape + " = random " + std::to_string(name[0]) + "\n";
}

void check(const std::string& lines, const std::string& call,
           std::span<const std::shared_ptr<Runtime>> runtimes) {
  const std::string text = "graph {\n" + lines + "%y = " + call + "\noutput %y\n}";
  const Graph graph = graph_from_text(text);
  const auto inputs = numbers_for_inputs(graph);
  auto wanted = evaluate_graph(graph, inputs);
  REQUIRE_MESSAGE(wanted, wanted.error().message());
  for (const auto& runtime : runtimes) {
    CAPTURE(text);
    auto program = Program::compile(runtime, graph.clone());
    REQUIRE_MESSAGE(program, program.error().message());
    auto session = Session::create(*program);
    REQUIRE(session);
    std::vector<Tensor> outputs;
    const Status status = (*session)->run(inputs, outputs);
    REQUIRE_MESSAGE(status, status.error().message());
    CHECK(difference(outputs[0], wanted->outputs[0], 1.0, 1e-5) == "");
  }
}

}  // namespace

TEST_CASE("operands channels-last, row-major and constant, on nodes of two and of three") {
  const std::vector<std::shared_ptr<Runtime>> runtimes = {make_runtime({"cpu"}),
                                                          make_runtime({"reference"})};
  struct Call {
    std::string before;
    std::string after;
    int operands;
    bool whole;
  };
  for (int rank = 3; rank <= 5; ++rank) {
    const std::string condition = "Where(%less, ";
    const std::vector<Call> calls = {{"Sub(", ")", 2, false},
                                     {"Sum(", ")", 3, false},
                                     {"Max(", ")", 3, false},
                                     {"Mean(", ")", 3, false},
                                     {condition, ")", 3, false},
                                     {"Concat(", ", axis = 1)", 3, true},
                                     {"Concat(", ", axis = -1)", 3, true}};
    for (const Kind a : kKinds) {
      for (const Kind b : kKinds) {
        for (const Kind c : kKinds) {
          for (const Call& call : calls) {
            if (call.operands == 2 && c != Kind::kNumber) continue;
            // Of the whole operands one kind of constant is enough.
            const bool again = a > Kind::kWhole || b > Kind::kWhole || c > Kind::kWhole;
            if (call.whole && again) continue;
            const auto made = [](Kind kind) {
              return kind == Kind::kChannelsLast || kind == Kind::kRowMajor;
            };
            if (!made(a) && !made(b) && !made(c)) continue;
            std::string lines =
                operand("a", a, rank, call.whole) + operand("b", b, rank, call.whole);
            if (call.operands == 3) lines += operand("c", c, rank, call.whole);
            std::string arguments = call.operands == 3 ? "%a, %b, %c" : "%a, %b";
            if (call.before == condition) {
              lines += "%less = Less(%c, %a)\n";
              arguments = "%a, %b";
            }
            check(lines, call.before + arguments + call.after, runtimes);
          }
        }
      }
    }
  }
}

}  // namespace polaris::test
