// A function answers alike wherever its inputs stand: with the host, kept on a device, or in a
// state; in whatever order runs of one session and of one program take turns.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/session_run.h"
#include "support/state_run.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

using Numbers = std::vector<float>;

constexpr std::string_view kText = R"(
state held_a : float32[3] = [0, 0, 0]
state held_b : float32[3] = [0, 0, 0]
graph make {
  input %x : float32[3]
  const %two : float32[] = 2
  %y = Mul(%x, %two)
  output %y
}
graph difference {
  input %a : float32[3]
  input %b : float32[3]
  const %ten : float32[] = 10
  %t = Mul(%a, %ten)
  %y = Sub(%t, %b)
  output %y
}
graph join {
  input %a : float32[3]
  input %b : float32[3]
  %y = Concat(%a, %b, axis = 0)
  output %y
}
graph branch {
  input %a : float32[3]
  input %b : float32[3]
  const %first : int64[] = 0
  const %one : float32[] = 1
  %lead = Gather(%a, %first)
  %less = Less(%lead, %one)
  %y = If(%less, %a, %b) graph {
    input %p : float32[3]
    input %q : float32[3]
    %r = Add(%p, %q)
    output %r
  } graph {
    input %p : float32[3]
    input %q : float32[3]
    %r = Sub(%q, %p)
    output %r
  }
  output %y
}
graph hold {
  input %x : float32[3]
  state %s : float32[3] named "held_a"
  state %t : float32[3] named "held_b"
  %y = Add(%s, %t)
  output %x "out"
}
)";

enum class Place { kHost, kKept, kState };
constexpr Place kPlaces[] = {Place::kHost, Place::kKept, Place::kState};

class Inputs {
 public:
  explicit Inputs(Session& session) : session_(session) {}

  /// Binds `name` to numbers that stand at `place`.
  void bind(Bindings& bindings, const std::string& name, Place place, const Numbers& numbers) {
    const Tensor tensor = floats({3}, numbers);
    if (place == Place::kHost) {
      bindings.input(name, tensor);
    } else if (place == Place::kKept) {
      Numbers half;
      for (float number : numbers) half.push_back(number / 2);
      Bindings make;
      make.input("x", floats({3}, half)).output_kept("y", "kept_" + name);
      run_bound(session_, "make", make);
      bindings.input_kept(name, "kept_" + name);
    } else {
      const Status status = session_.write_state("held_" + name, tensor);
      REQUIRE_MESSAGE(status, status.error().message());
      bindings.input_state(name, "held_" + name);
    }
  }

 private:
  Session& session_;
};

Numbers wanted_of(const std::string& function, const Numbers& a, const Numbers& b) {
  Numbers out;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (function == "difference") out.push_back(a[i] * 10 - b[i]);
    if (function == "join") out.push_back(a[i]);
    if (function == "branch") out.push_back(a[0] < 1 ? a[i] + b[i] : b[i] - a[i]);
  }
  if (function == "join") out.insert(out.end(), b.begin(), b.end());
  return out;
}

}  // namespace

TEST_CASE("inputs: with the host, kept or in a state, whichever comes first") {
  for (const auto& names : state_devices()) {
    CAPTURE(names.front());
    CAPTURE(names.back());
    auto runtime = make_runtime(names);
    if (!runtime) continue;
    // What the first run leaves, plans above all, is there for the others.
    for (int first = 0; first < 9; ++first) {
      auto session = session_of(program_from_text(runtime, kText));
      Inputs inputs(*session);
      for (const std::string function : {"difference", "join", "branch"}) {
        CAPTURE(function);
        for (int turn = 0; turn < 9; ++turn) {
          const int places = (first + turn) % 9;
          CAPTURE(first);
          CAPTURE(places);
          const auto n = static_cast<float>(turn % 4);
          const Numbers a = {n - 1, n + 1, 4};
          const Numbers b = {8, n, 2 * n};
          Bindings bindings;
          inputs.bind(bindings, "a", kPlaces[places / 3], a);
          inputs.bind(bindings, "b", kPlaces[places % 3], b);
          bindings.output("y");
          CHECK(to_floats(run_bound(*session, function, bindings)[0]) == wanted_of(function, a, b));
        }
      }
    }
  }
}

}  // namespace polaris::test
