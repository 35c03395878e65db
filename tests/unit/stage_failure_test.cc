// A run that fails anywhere leaves nothing under way, and the next one works.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "backend/vulkan/vulkan_device.h"
#include "ir/text/text.h"
#include "session/program.h"
#include "session/session.h"
#include "support/fake_card.h"
#include "support/vulkan.h"

namespace polaris {
namespace {

using test::CallFault;
using test::FakeCard;

/// A chain of products with weights of equal size, so that several devices share it.
std::string chain(int length) {
  std::string text = "graph c {\n input %v0 : float32[2, 32]\n";
  for (int i = 0; i < length; ++i) {
    const std::string at = std::to_string(i);
    text += " const %w" + at + " : float32[32, 32] = random " + at + "\n";
    text += " %v" + std::to_string(i + 1) + " = MatMul(%v" + at + ", %w" + at + ")\n";
  }
  return text + " output %v" + std::to_string(length) + "\n}\n";
}

std::unique_ptr<Session> session_on(const std::shared_ptr<Runtime>& runtime) {
  auto graph = parse_graph(chain(8), runtime->ops());
  REQUIRE_MESSAGE(graph, graph.error().message());
  auto program = Program::compile(runtime, graph.take());
  REQUIRE_MESSAGE(program, program.error().message());
  auto session = Session::create(program.take());
  REQUIRE(session);
  return session.take();
}

Result<Tensor> run(Session& session) {
  auto x = Tensor::allocate(DType::kF32, {2, 32});
  REQUIRE(x);
  for (std::int64_t i = 0; i < 64; ++i) x->mutable_data<float>()[i] = static_cast<float>(i % 5);
  std::vector<Tensor> outputs;
  const Tensor inputs[] = {x.take()};
  if (auto status = session.run(inputs, outputs); !status) return status.error();
  return outputs[0];
}

bool equal(const Tensor& a, const Tensor& b) {
  return std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end());
}

TEST_CASE("the n-th call of two devices fails: nothing stays under way, the next run works") {
  CallFault fault;
  std::vector<FakeCard*> fakes;
  std::vector<std::unique_ptr<Device>> devices;
  for (int d = 0; d < 2; ++d) {
    devices.push_back(std::make_unique<FakeCard>(std::int64_t{64} << 20, &fault));
    fakes.push_back(static_cast<FakeCard*>(devices.back().get()));
  }
  auto runtime = std::make_shared<Runtime>(std::move(devices), 2, OpSet::builtin());
  auto session = session_on(runtime);
  const auto want = run(*session);
  REQUIRE_MESSAGE(want, want.error().message());
  for (FakeCard* fake : fakes) CHECK(fake->counters().submits > 0);
  fault.calls = 0;
  REQUIRE(run(*session));
  const std::int64_t calls = fault.calls;
  CHECK(calls >= 3);
  for (std::int64_t n = 1; n <= calls; ++n) {
    CAPTURE(n);
    fault.calls = 0;
    fault.at = n;
    const auto failed = run(*session);
    CHECK_FALSE(failed);
    for (const FakeCard* fake : fakes) CHECK(fake->under_way() == 0);
    fault.at = 0;
    const auto again = run(*session);
    REQUIRE_MESSAGE(again, again.error().message());
    CHECK(equal(*again, *want));
    for (const FakeCard* fake : fakes) CHECK(fake->under_way() == 0);
  }
}

TEST_CASE("vulkan: the n-th submission fails below a session: an error, and the next run works") {
  for (std::int64_t n = 1; n <= 30; ++n) {
    CAPTURE(n);
    VulkanOptions options;
    options.fail_submit_at = n;
    options.unit_us = 1;
    auto device = test::make_test_vulkan(options);
    if (!device) return;
    Device& watched = *device;
    std::vector<std::unique_ptr<Device>> devices;
    devices.push_back(std::move(device));
    auto runtime = std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
    {
      auto session = session_on(runtime);
      // One of them at most meets the failure.
      std::vector<Tensor> results;
      for (int round = 0; round < 4; ++round) {
        const auto got = run(*session);
        if (got) {
          results.push_back(*got);
        } else {
          CHECK(got.error().code() == ErrorCode::kOutOfMemory);
        }
      }
      REQUIRE(results.size() >= 3);
      for (const Tensor& result : results) CHECK(equal(result, results[0]));
    }
    runtime->memory(0).trim();
    CHECK(watched.counters().live_bytes == 0);
  }
}

}  // namespace
}  // namespace polaris
