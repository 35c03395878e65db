// Outputs given to the caller are the caller's: later runs may use their memory again only where
// nobody else holds it.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/session_run.h"
#include "support/state_run.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

constexpr std::string_view kText = R"(graph main {
  input %x : float32[4]
  input %y : float32[2]
  const %c : float32[4] = [1, 2, 3, 4]
  %double = Add(%x, %x)
  %less = Sub(%x, %c)
  %n = Neg(%y)
  output %double
  output %less
  output %n
  output %x "same"
})";

std::vector<Tensor> inputs_of(float number) {
  return {floats({4}, {number, number + 1, number + 2, number + 3}),
          floats({2}, {number, -number})};
}

std::vector<std::vector<float>> wanted_of(float n) {
  return {{2 * n, 2 * n + 2, 2 * n + 4, 2 * n + 6},
          {n - 1, n - 1, n - 1, n - 1},
          {-n, n},
          {n, n + 1, n + 2, n + 3}};
}

void check_all(const std::vector<Tensor>& outputs, float number) {
  const auto wanted = wanted_of(number);
  REQUIRE(outputs.size() == wanted.size());
  for (std::size_t o = 0; o < wanted.size(); ++o) {
    CAPTURE(o);
    CHECK(to_floats(outputs[o]) == wanted[o]);
  }
}

}  // namespace

TEST_CASE("outputs that somebody still holds stay as they are, in whatever way they are held") {
  for (const auto& names : state_devices()) {
    CAPTURE(names.front());
    CAPTURE(names.back());
    auto runtime = make_runtime(names);
    if (!runtime) continue;
    auto program = program_from_text(runtime, kText);
    auto session = session_of(program);
    auto other_session = session_of(program);
    std::vector<Tensor> outputs;
    std::vector<std::vector<Tensor>> held;  // the whole, a view of the same bytes, or an input
    for (int round = 0; round < 6; ++round) {
      CAPTURE(round);
      Session& run_in = round % 2 == 0 ? *session : *other_session;
      const Status status = run_in.run(inputs_of(static_cast<float>(round)), outputs);
      REQUIRE_MESSAGE(status, status.error().message());
      check_all(outputs, static_cast<float>(round));
      std::vector<Tensor> keep;
      for (const Tensor& output : outputs) {
        keep.push_back(round % 3 == 1 ? Tensor::view(output.type(), output.bytes(), output.owner())
                                      : output);
      }
      held.push_back(std::move(keep));
      for (std::size_t before = 0; before < held.size(); ++before) {
        check_all(held[before], static_cast<float>(before));
      }
    }
  }
}

TEST_CASE("outputs that nobody else holds are read into the memory that they had") {
  for (const std::string name : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    CAPTURE(name);
    auto session = session_of(program_from_text(runtime, kText));
    std::vector<Tensor> outputs;
    REQUIRE(session->run(inputs_of(0), outputs));
    const std::byte* const first[] = {outputs[0].bytes().data(), outputs[1].bytes().data()};
    REQUIRE(session->run(inputs_of(5), outputs));
    check_all(outputs, 5);
    CHECK(outputs[0].bytes().data() == first[0]);
    CHECK(outputs[1].bytes().data() == first[1]);
  }
}

}  // namespace polaris::test
