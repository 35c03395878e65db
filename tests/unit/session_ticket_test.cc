// Tickets: what is dropped, cancelled or outlived, in every order.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include "backend/cpu/cpu_device.h"
#include "session/session.h"
#include "support/device_wrapper.h"
#include "support/text_model.h"

namespace polaris::test {
namespace {

/// Holds every submission until it is let go, so that runs are under way for sure.
class GatedDevice final : public DeviceWrapper {
 public:
  struct Gate {
    std::atomic<bool> open{true};
    std::atomic<int> entered{0};
    void wait_entered(int count) const {
      while (entered.load() < count) std::this_thread::yield();
    }
  };
  GatedDevice(std::unique_ptr<Device> inner, std::shared_ptr<Gate> gate)
      : DeviceWrapper(std::move(inner)), gate_(std::move(gate)) {}
  Result<Fence> submit(Executable& executable, const SubmitArgs& args) override {
    ++gate_->entered;
    while (!gate_->open.load()) {
      if (args.cancel != nullptr && args.cancel->cancelled()) return Error::cancelled("[test]");
      std::this_thread::yield();
    }
    return DeviceWrapper::submit(executable, args);
  }

 private:
  std::shared_ptr<Gate> gate_;
};

struct Bench {
  std::shared_ptr<GatedDevice::Gate> gate = std::make_shared<GatedDevice::Gate>();
  std::shared_ptr<Runtime> runtime;
  std::shared_ptr<Program> program;
  std::unique_ptr<Session> session;
};

constexpr std::string_view kPlain = R"(graph {
  input %x : float32[2]
  %y = Add(%x, %x)
  output %y
})";
/// Order matters: the state is doubled, then x is added.
constexpr std::string_view kOrdered = R"(graph {
  input %x : float32[1]
  state %s : float32[1]
  %d = Add(%s, %s)
  %n = Add(%d, %x)
  output %n
  update %s = %n
})";

Bench make_bench(std::string_view text) {
  Bench out;
  auto cpu = make_cpu_device({});
  REQUIRE(cpu);
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::make_unique<GatedDevice>(cpu.take(), out.gate));
  out.runtime = std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
  auto program = Program::compile(out.runtime, graph_from_text(text));
  REQUIRE_MESSAGE(program, program.error().message());
  out.program = program.take();
  auto session = Session::create(out.program);
  REQUIRE_MESSAGE(session, session.error().message());
  out.session = session.take();
  return out;
}

std::vector<Tensor> input(float value, std::int64_t count) {
  auto x = Tensor::allocate(DType::kF32, {count});
  REQUIRE(x);
  std::fill_n(x->mutable_data<float>(), count, value);
  return {x.take()};
}

Ticket submit(Session& session, std::vector<Tensor> inputs) {
  auto ticket = session.submit(std::move(inputs));
  REQUIRE_MESSAGE(ticket, ticket.error().message());
  return ticket.take();
}

}  // namespace

TEST_CASE("tickets: waited for once; a second wait and an empty ticket are errors") {
  Bench bench = make_bench(kPlain);
  Ticket ticket = submit(*bench.session, input(3, 2));
  CHECK(ticket.id() > 0);
  auto outputs = ticket.wait();
  REQUIRE_MESSAGE(outputs, outputs.error().message());
  CHECK((*outputs)[0].data<float>()[1] == 6);
  CHECK(ticket.done());
  auto again = ticket.wait();
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == ErrorCode::kInvalid);
  Ticket empty;
  CHECK(empty.done());
  CHECK_FALSE(empty.wait());
}

TEST_CASE("tickets: refused inputs make no ticket") {
  Bench bench = make_bench(kPlain);
  CHECK_FALSE(bench.session->submit({}));
  CHECK_FALSE(bench.session->submit(input(1, 3)));
  CHECK_FALSE(bench.session->submit({Tensor()}));
}

TEST_CASE("tickets: dropped without wait, then session, program and runtime go, in every order") {
  int order[] = {0, 1, 2, 3};
  do {
    for (const bool under_way : {false, true}) {
      Bench bench = make_bench(kPlain);
      bench.gate->open = false;
      Ticket ticket = submit(*bench.session, input(1, 2));
      if (under_way) bench.gate->wait_entered(1);
      for (const int what : order) {
        if (what == 0) ticket = Ticket();
        if (what == 1) bench.session.reset();
        if (what == 2) bench.program.reset();
        if (what == 3) bench.runtime.reset();
      }
    }
  } while (std::next_permutation(std::begin(order), std::end(order)));
}

TEST_CASE("tickets: outlive their session and say that it ended") {
  for (const bool under_way : {false, true}) {
    Bench bench = make_bench(kPlain);
    bench.gate->open = false;
    Ticket ticket = submit(*bench.session, input(1, 2));
    if (under_way) bench.gate->wait_entered(1);
    bench.session.reset();
    CHECK(ticket.done());
    auto outputs = ticket.wait();
    REQUIRE_FALSE(outputs);
    CHECK(outputs.error().code() == ErrorCode::kCancelled);
  }
  Bench bench = make_bench(kPlain);
  Ticket ticket = submit(*bench.session, input(2, 2));
  while (!ticket.done()) std::this_thread::yield();
  bench.session.reset();
  auto outputs = ticket.wait();
  REQUIRE(outputs);
  CHECK((*outputs)[0].data<float>()[0] == 4);
}

TEST_CASE("tickets: more than there are threads, the session gone before most began") {
  Bench bench = make_bench(kPlain);
  bench.gate->open = false;
  std::vector<Ticket> tickets;
  for (int i = 0; i < 20; ++i) tickets.push_back(submit(*bench.session, input(1, 2)));
  bench.gate->wait_entered(1);
  tickets.resize(10);
  bench.session.reset();
  for (Ticket& ticket : tickets) CHECK_FALSE(ticket.wait());
}

TEST_CASE("tickets: cancelled while they run, and what they were given may be gone") {
  Bench bench = make_bench(kPlain);
  bench.gate->open = false;
  std::shared_ptr<Trace> trace = std::make_shared<Trace>();
  auto made = bench.session->submit(input(1, 2), {trace, nullptr});
  trace.reset();
  REQUIRE(made);
  bench.gate->wait_entered(1);
  made->cancel();
  auto outputs = made->wait();
  REQUIRE_FALSE(outputs);
  CHECK(outputs.error().code() == ErrorCode::kCancelled);
  // The session goes on.
  bench.gate->open = true;
  CHECK(submit(*bench.session, input(1, 2)).wait());
}

TEST_CASE("tickets: replaced tickets are dropped") {
  Bench bench = make_bench(kPlain);
  bench.gate->open = false;
  Ticket ticket = submit(*bench.session, input(1, 2));
  bench.gate->wait_entered(1);
  ticket = submit(*bench.session, input(5, 2));
  bench.gate->open = true;
  auto outputs = ticket.wait();
  REQUIRE(outputs);
  CHECK((*outputs)[0].data<float>()[0] == 10);
}

TEST_CASE("tickets: over states they run one at a time in the order of submission") {
  Bench bench = make_bench(kOrdered);
  bench.gate->open = false;
  std::vector<Ticket> tickets;
  for (int i = 0; i < 12; ++i) tickets.push_back(submit(*bench.session, input(float(i), 1)));
  bench.gate->wait_entered(1);
  CHECK(bench.gate->entered == 1);
  // A run on a thread of its own comes after what was submitted before it.
  auto last = std::async(std::launch::async, [&] {
    std::vector<Tensor> outputs;
    REQUIRE(bench.session->run(input(100, 1), outputs));
    return outputs[0].data<float>()[0];
  });
  bench.gate->open = true;
  float want = 0;
  for (int i = 0; i < 12; ++i) {
    auto outputs = tickets[static_cast<std::size_t>(i)].wait();
    REQUIRE_MESSAGE(outputs, outputs.error().message());
    want = 2 * want + static_cast<float>(i);
    CHECK((*outputs)[0].data<float>()[0] == want);
  }
  CHECK(last.get() == 2 * want + 100);
}

TEST_CASE("tickets: one that is cancelled in its queue leaves the states alone") {
  Bench bench = make_bench(kOrdered);
  bench.gate->open = false;
  Ticket first = submit(*bench.session, input(1, 1));
  Ticket second = submit(*bench.session, input(50, 1));
  Ticket third = submit(*bench.session, input(3, 1));
  bench.gate->wait_entered(1);
  second.cancel();
  bench.gate->open = true;
  REQUIRE(first.wait());
  CHECK_FALSE(second.wait());
  auto outputs = third.wait();
  REQUIRE(outputs);
  CHECK((*outputs)[0].data<float>()[0] == 2 * 1 + 3);
}

TEST_CASE("tickets: a session over states ends with a queue behind the run under way") {
  for (int waited = 0; waited < 3; ++waited) {
    Bench bench = make_bench(kOrdered);
    bench.gate->open = false;
    std::vector<Ticket> tickets;
    for (int i = 0; i < 3; ++i) tickets.push_back(submit(*bench.session, input(1, 1)));
    bench.gate->wait_entered(1);
    for (int i = 0; i < waited; ++i) tickets.pop_back();
    bench.session.reset();
    for (Ticket& ticket : tickets) CHECK_FALSE(ticket.wait());
  }
}

}  // namespace polaris::test
