// Several functions of one program: over shared states and weights, with values kept on devices.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "ir/evaluate_graph.h"
#include "support/compare.h"
#include "support/session_run.h"
#include "support/state_run.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

using Numbers = std::vector<float>;

constexpr std::string_view kMemory = R"(
state memory : float32[2] = [1, 2]
state count : float32[] = 0
graph put {
  input %x : float32[2]
  state %m : float32[2] named "memory"
  state %n : float32[] named "count"
  const %one : float32[] = 1
  %n2 = Add(%n, %one)
  output %m "before"
  update %m = %x
  update %n = %n2
}
graph get {
  input %scale : float32[2]
  state %m : float32[2] named "memory"
  %y = Mul(%m, %scale)
  output %y
}
graph plain {
  input %a : float32[2]
  input %b : float32[2]
  %s = Add(%a, %b)
  %d = Sub(%a, %b)
  output %s "sum"
  output %d "difference"
}
)";

constexpr int kSteps = 100;
constexpr std::int64_t kVocabulary = 20;
constexpr std::int64_t kCrossBytes = 12 * 16 * 4;

/// Attention over what the encoder left, of hidden state %H to %TO.
std::string cross_layer(int layer, const std::string& from, const std::string& to) {
  const std::string n = std::to_string(layer);
  return "const %wq" + n + " : float32[16, 16] = random " + std::to_string(20 + layer) + "\n%q" +
         n + " = MatMul(%" + from + ", %wq" + n + ")\n%t" + n + " = Transpose(%k" + n +
         ", perm = [1, 0])\n%s" + n + " = MatMul(%q" + n + ", %t" + n + ")\n%a" + n +
         " = Softmax(%s" + n + ", axis = 1)\n%c" + n + " = MatMul(%a" + n + ", %v" + n + ")\n%r" +
         n + " = Add(%" + from + ", %c" + n + ")\n%" + to + " = Tanh(%r" + n + ")\n";
}

std::string encoder_decoder() {
  std::string out =
      "graph encode {\ninput %frames : float32[12, 16]\n"
      "const %we : float32[16, 16] = random 1\n%h = MatMul(%frames, %we)\n"
      "%e = Tanh(%h)\n";
  for (const std::string name : {"k0", "v0", "k1", "v1"}) {
    out += "const %w" + name + " : float32[16, 16] = random " + std::to_string(name[1] + name[0]) +
           "\n%" + name + " = MatMul(%e, %w" + name + ")\n";
  }
  out +=
      "output %k0\noutput %v0\noutput %k1\noutput %v1\n}\ngraph decode {\ninput %id : int32[1]\n";
  for (const std::string name : {"k0", "v0", "k1", "v1"}) {
    out += "input %" + name + " : float32[12, 16]\n";
  }
  return out +
         "state %hidden : float32[1, 16]\nconst %table : float32[20, 16] = random 3\n"
         "const %wo : float32[16, 20] = random 4\n%x = Gather(%table, %id, axis = 0)\n"
         "%h0 = Sub(%x, %hidden)\n" +
         cross_layer(0, "h0", "h1") + cross_layer(1, "h1", "h2") +
         "%logits = MatMul(%h2, %wo)\noutput %logits\nupdate %hidden = %h2\n}\n";
}

std::int32_t pick(const Tensor& logits) {
  const Numbers values = to_floats(logits);
  return static_cast<std::int32_t>(std::ranges::max_element(values) - values.begin());
}

Tensor frames() {
  Numbers values;
  for (int i = 0; i < 12 * 16; ++i) values.push_back(static_cast<float>((i * 37) % 23) / 23 - 0.5f);
  return floats({12, 16}, values);
}

/// What the definition generates: the logits of every step.
std::vector<Tensor> defined_logits(const Model& model) {
  auto encoded = evaluate_graph(*model.find("encode"), std::vector<Tensor>{frames()});
  REQUIRE_MESSAGE(encoded, encoded.error().message());
  std::vector<Tensor> out;
  std::vector<Tensor> states;
  std::int32_t id = 1;
  for (int step = 0; step < kSteps; ++step) {
    std::vector<Tensor> inputs = {ints({1}, {id})};
    inputs.insert(inputs.end(), encoded->outputs.begin(), encoded->outputs.end());
    auto values = evaluate_graph(*model.find("decode"), inputs, states, 1'000'000);
    REQUIRE_MESSAGE(values, values.error().message());
    states = values->states;
    out.push_back(values->outputs[0]);
    id = pick(out.back());
  }
  return out;
}

std::int64_t crossed(Runtime& runtime, DeviceIndex d) {
  return runtime.traffic(d).to_device + runtime.traffic(d).from_device;
}

}  // namespace

TEST_CASE("functions: an encoder and 100 steps of a decoder, cross-attention kept on its device") {
  const std::string text = encoder_decoder();
  const auto wanted = defined_logits(model_from_text(text));
  std::set<std::int32_t> seen;
  for (const Tensor& logits : wanted) seen.insert(pick(logits));
  REQUIRE(seen.size() > 2);  // a text that says something
  for (const auto& names : state_devices()) {
    auto runtime = make_runtime(names);
    if (!runtime) continue;
    CAPTURE(names.front());
    CAPTURE(names.back());
    auto session = session_of(program_from_text(runtime, text));
    Bindings encode;
    encode.input("frames", frames());
    for (const char* name : {"k0", "v0", "k1", "v1"}) encode.output_kept(name, name);
    CHECK(run_bound(*session, "encode", encode).empty());
    std::int32_t id = 1;
    std::vector<std::int64_t> before;
    for (int step = 0; step < kSteps; ++step) {
      Bindings decode;
      decode.input("id", ints({1}, {id})).output("logits");
      for (const char* name : {"k0", "v0", "k1", "v1"}) decode.input_kept(name, name);
      const auto outputs = run_bound(*session, "decode", decode);
      REQUIRE(outputs.size() == 1);
      REQUIRE(difference(outputs[0], wanted[static_cast<std::size_t>(step)]) == "");
      id = pick(outputs[0]);
      // The first step may bring a kept value to another device that reads it, once.
      if (step > 0) continue;
      for (DeviceIndex d = 0; d < runtime->device_count(); ++d) {
        before.push_back(crossed(*runtime, d));
      }
    }
    std::int64_t all = 0;
    for (DeviceIndex d = 0; d < runtime->device_count(); ++d) {
      const std::int64_t bytes = crossed(*runtime, d) - before[static_cast<std::size_t>(d)];
      CHECK(bytes % (kSteps - 1) == 0);
      all += bytes / (kSteps - 1);
    }
    MESSAGE(names.front() << "+" << names.back() << ": " << all << " bytes a token");
    const std::int64_t own = 4 + kVocabulary * 4;
    if (names.size() == 1) CHECK(all == own);
    // Split in two inside a layer, its residual and its branch go over and one row of the hidden
    // state comes back, each counted on both devices.
    CHECK(all <= own + 2 * 3 * 16 * 4);
    CHECK(all < kCrossBytes);
  }
}

TEST_CASE("functions: one state that several functions read and update") {
  for (const auto& names : state_devices()) {
    auto runtime = make_runtime(names);
    if (!runtime) continue;
    CAPTURE(names.front());
    CAPTURE(names.back());
    auto program = program_from_text(runtime, kMemory);
    CHECK(program->functions().size() == 3);
    CHECK(program->states().size() == 2);
    auto session = session_of(program);
    const auto get = [&] {
      Bindings b;
      b.input("scale", floats({2}, {10, 100})).output("y");
      return to_floats(run_bound(*session, "get", b)[0]);
    };
    CHECK(get() == Numbers{10, 200});
    Bindings put;
    put.input("x", floats({2}, {7, 8})).output("before");
    CHECK(to_floats(run_bound(*session, "put", put)[0]) == Numbers{1, 2});
    CHECK(get() == Numbers{70, 800});
    CHECK(to_floats(run_bound(*session, "put", put)[0]) == Numbers{7, 8});
    CHECK(to_floats(*session->read_state("count")) == Numbers{2});
    REQUIRE(session->reset_state("memory"));
    CHECK(get() == Numbers{10, 200});
    CHECK(to_floats(*session->read_state("count")) == Numbers{2});
    REQUIRE(session->write_state("memory", floats({2}, {0.5f, 0.25f})));
    CHECK(get() == Numbers{5, 25});
    REQUIRE(session->reset());
    CHECK(get() == Numbers{10, 200});
    CHECK(to_floats(*session->read_state("count")) == Numbers{0});
    // Another session has states of its own.
    auto other = session_of(program);
    REQUIRE(other->write_state("memory", floats({2}, {9, 9})));
    CHECK(get() == Numbers{10, 200});
  }
}

TEST_CASE("functions: outputs kept, given on, replaced, read and dropped") {
  for (const auto& names : state_devices()) {
    auto runtime = make_runtime(names);
    if (!runtime) continue;
    CAPTURE(names.front());
    auto session = session_of(program_from_text(runtime, kMemory));
    Bindings first;
    first.input("a", floats({2}, {5, 6})).input("b", floats({2}, {1, 2}));
    first.output_kept("sum", "s").output("difference");
    const auto outputs = run_bound(*session, "plain", first);
    REQUIRE(outputs.size() == 1);
    CHECK(to_floats(outputs[0]) == Numbers{4, 4});
    CHECK(to_floats(*session->read_kept("s")) == Numbers{6, 8});
    float row = 0;
    const auto bytes = std::as_writable_bytes(std::span(&row, 1));
    CHECK(session->read_kept_row("s", 1, bytes).ok());
    CHECK(row == 8);
    CHECK(session->read_kept_row("s", 2, bytes).error().code() == ErrorCode::kInvalid);
    CHECK(session->read_kept_row("s", -1, bytes).error().code() == ErrorCode::kInvalid);
    CHECK(session->read_kept_row("s", 0, bytes.first(2)).error().code() == ErrorCode::kInvalid);
    CHECK(session->read_kept_row("t", 0, bytes).error().code() == ErrorCode::kNotFound);
    // A kept value for both inputs, its name given to a new one.
    Bindings again;
    again.input_kept("a", "s").input_kept("b", "s").output_kept("sum", "s").output("sum");
    CHECK(to_floats(run_bound(*session, "plain", again)[0]) == Numbers{12, 16});
    CHECK(to_floats(run_bound(*session, "plain", again)[0]) == Numbers{24, 32});
    // In another function, and one output under two names.
    Bindings put;
    put.input_kept("x", "s").output_kept("before", "old").output_kept("before", "older");
    CHECK(run_bound(*session, "put", put).empty());
    // What a state held when it was kept stays, whatever the state holds now.
    CHECK(to_floats(*session->read_kept("old")) == Numbers{1, 2});
    CHECK(to_floats(*session->read_kept("older")) == Numbers{1, 2});
    CHECK(to_floats(*session->read_state("memory")) == Numbers{24, 32});
    CHECK(session->drop_kept("s"));
    CHECK_FALSE(session->drop_kept("s"));
    CHECK(session->read_kept("s").error().code() == ErrorCode::kNotFound);
    CHECK(run_fails(*session, "plain", again).code() == ErrorCode::kNotFound);
  }
}

TEST_CASE("functions: states as inputs and as outputs of functions that know nothing of them") {
  for (const auto& names : state_devices()) {
    auto runtime = make_runtime(names);
    if (!runtime) continue;
    CAPTURE(names.front());
    auto session = session_of(program_from_text(runtime, kMemory));
    Bindings fibonacci;
    fibonacci.input_state("a", "memory").input("b", floats({2}, {1, 1}));
    fibonacci.output_state("sum", "memory").output("sum").output("difference");
    CHECK(to_floats(run_bound(*session, "plain", fibonacci)[0]) == Numbers{2, 3});
    const auto outputs = run_bound(*session, "plain", fibonacci);
    CHECK(to_floats(outputs[0]) == Numbers{3, 4});
    CHECK(to_floats(outputs[1]) == Numbers{1, 2});
    CHECK(to_floats(*session->read_state("memory")) == Numbers{3, 4});
  }
}

TEST_CASE("functions: an input handed through, a constant and a folded value can be kept") {
  auto runtime = make_runtime({"cpu"});
  auto session = session_of(program_from_text(runtime, R"(graph main {
    input %x : float32[2]
    const %c : float32[2] = [3, 4]
    const %d : int64[2] = [5, 6]
    %e = Add(%d, %d)
    output %x
    output %c
    output %e
  })"));
  Bindings b;
  b.input("x", floats({2}, {1, 2})).output_kept("x", "x").output_kept("c", "c");
  b.output_kept("e", "e");
  CHECK(run_bound(*session, "main", b).empty());
  CHECK(to_floats(*session->read_kept("x")) == Numbers{1, 2});
  CHECK(to_floats(*session->read_kept("c")) == Numbers{3, 4});
  CHECK(to_floats(*session->read_kept("e")) == Numbers{10, 12});
  Bindings next;
  next.input_kept("x", "c").output("x");
  CHECK(to_floats(run_bound(*session, "main", next)[0]) == Numbers{3, 4});
}

TEST_CASE("functions: outputs that nobody asked for stay on their device") {
  for (const std::string name : {"cpu", "vulkan", "reference"}) {
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    CAPTURE(name);
    auto session = session_of(program_from_text(runtime, kMemory));
    Bindings b;
    b.input("a", floats({2}, {5, 6})).input("b", floats({2}, {1, 2}));
    const std::int64_t before = runtime->traffic(0).from_device;
    CHECK(run_bound(*session, "plain", b).empty());
    CHECK(runtime->traffic(0).from_device == before);
    b.output("sum");
    CHECK(run_bound(*session, "plain", b).size() == 1);
    CHECK(runtime->traffic(0).from_device == before + 8);
  }
}

TEST_CASE("functions: equal weights of several functions are held once") {
  auto runtime = make_runtime({"cpu"});
  auto session = session_of(program_from_text(runtime, R"(
  graph a {
    input %x : float32[3, 64]
    const %w : float32[64, 64] = random 1
    %y = MatMul(%x, %w)
    output %y
  }
  graph b {
    input %x : float32[5, 64]
    const %w : float32[64, 64] = random 1
    %h = MatMul(%x, %w)
    %y = Relu(%h)
    output %y
  })"));
  for (const auto& [function, rows] : {std::pair<const char*, std::int64_t>{"a", 3}, {"b", 5}}) {
    Bindings b;
    b.input("x", *Tensor::allocate(DType::kF32, {rows, 64})).output("y");
    run_bound(*session, function, b);
    CHECK(runtime->weights(0).live_count() == 1);
  }
}

TEST_CASE("functions: named ones alone are compiled, and what is not there is listed") {
  auto runtime = make_runtime({"cpu"});
  Model model = model_from_text(kMemory);
  const std::string names[] = {"get"};
  auto program = Program::compile(runtime, model, names);
  REQUIRE_MESSAGE(program, program.error().message());
  CHECK((*program)->functions().size() == 1);
  CHECK((*program)->main().name == "get");
  CHECK((*program)->states().size() == 1);
  Model other = model_from_text(kMemory);
  const std::string missing[] = {"nothing"};
  auto refused = Program::compile(runtime, other, missing);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kNotFound);
  CHECK(refused.error().message().find("get, plain, put") != std::string::npos);
  const std::string twice[] = {"get", "get"};
  CHECK(Program::compile(runtime, other, twice).error().code() == ErrorCode::kNotFound);
  Model empty;
  empty.no_function_reason = "it is empty";
  CHECK_FALSE(Program::compile(runtime, empty));
}

TEST_CASE("functions: bindings that do not fit are errors that name what is wrong") {
  auto runtime = make_runtime({"cpu"});
  auto session = session_of(program_from_text(runtime, kMemory));
  const Tensor two = floats({2}, {1, 2});
  const auto fails = [&](std::string_view function, const Bindings& b, ErrorCode code,
                         std::string_view part) {
    const Error error = run_fails(*session, function, b);
    INFO(error.message());
    CHECK(error.code() == code);
    CHECK(error.message().find(part) != std::string::npos);
    CHECK_FALSE(session->submit(function, b));
  };
  const auto plain = [&] { return Bindings().input("a", two).input("b", two); };
  fails("nothing", plain(), ErrorCode::kNotFound, "'get', 'plain', 'put'");
  fails("plain", Bindings().input("a", two), ErrorCode::kNotFound, "'b'");
  fails("plain", plain().input("c", two), ErrorCode::kNotFound, "'c'");
  fails("plain", plain().input("a", two), ErrorCode::kInvalid, "'a' is bound twice");
  fails("plain", plain().output("product"), ErrorCode::kNotFound, "'product'");
  fails("plain", Bindings().input("a", Tensor()).input("b", two), ErrorCode::kInvalid, "'a'");
  fails("plain", Bindings().input("a", floats({3}, {1, 2, 3})).input("b", two), ErrorCode::kInvalid,
        "'a'");
  fails("plain", Bindings().input("a", ints({2}, {1, 2})).input("b", two), ErrorCode::kInvalid,
        "'a'");
  fails("plain", plain().output_state("sum", "nothing"), ErrorCode::kNotFound, "'nothing'");
  fails("plain", Bindings().input_state("a", "nothing").input("b", two), ErrorCode::kNotFound,
        "'nothing'");
  fails("plain", plain().output_state("sum", "memory").output_state("difference", "memory"),
        ErrorCode::kInvalid, "'memory' is bound twice");
  fails("put", Bindings().input("x", two).output_state("before", "memory"), ErrorCode::kInvalid,
        "'memory' is updated by 'put'");
  // What only the run can find leaves states and kept values as they were.
  CHECK(run_fails(*session, "plain", Bindings().input_state("a", "count").input("b", two))
            .message()
            .find("'a'") != std::string::npos);
  const Error wrong = run_fails(*session, "plain", plain().output_state("sum", "count"));
  CHECK(wrong.message().find("state 'count'") != std::string::npos);
  CHECK(to_floats(*session->read_state("count")) == Numbers{0});
  CHECK(session->read_state("nothing").error().code() == ErrorCode::kNotFound);
  CHECK_FALSE(session->write_state("memory", ints({2}, {1, 2})));
  CHECK_FALSE(session->write_state("memory", Tensor()));
  CHECK_FALSE(session->write_state("nothing", two));
  CHECK_FALSE(session->reset_state("nothing"));
}

TEST_CASE("functions: tickets keep, read and update in the order of their submission") {
  auto runtime = make_runtime({"cpu"});
  auto session = session_of(program_from_text(runtime, kMemory));
  std::vector<Ticket> tickets;
  const auto submit = [&](std::string_view function, const Bindings& b) {
    auto ticket = session->submit(function, b);
    REQUIRE_MESSAGE(ticket, ticket.error().message());
    tickets.push_back(ticket.take());
  };
  Bindings start;
  start.input("a", floats({2}, {1, 1})).input("b", floats({2}, {0, 1})).output_kept("sum", "v");
  submit("plain", start);
  for (int i = 0; i < 10; ++i) {
    Bindings b;
    b.input_kept("a", "v").input_kept("b", "v").output_kept("sum", "v").output("sum");
    submit("plain", b);
  }
  submit("put", Bindings().input_kept("x", "v"));
  submit("get", Bindings().input("scale", floats({2}, {1, 1})).output("y"));
  float want = 1;
  for (int i = 0; i <= 12; ++i) {
    auto outputs = tickets[static_cast<std::size_t>(i)].wait();
    REQUIRE_MESSAGE(outputs, outputs.error().message());
    if (i >= 1 && i <= 10) CHECK(to_floats((*outputs)[0]) == Numbers{want *= 2, 2 * want});
    if (i == 12) CHECK(to_floats((*outputs)[0]) == Numbers{1024, 2048});
  }
}

TEST_CASE("functions: kept values may outlive the runs that made them, not their session") {
  auto runtime = make_runtime({"cpu"});
  auto program = program_from_text(runtime, kMemory);
  auto session = session_of(program);
  Bindings b;
  b.input("a", floats({2}, {5, 6})).input("b", floats({2}, {1, 2})).output_kept("sum", "s");
  run_bound(*session, "plain", b);
  program.reset();
  runtime.reset();
  CHECK(to_floats(*session->read_kept("s")) == Numbers{6, 8});
  session.reset();
}

}  // namespace polaris::test
