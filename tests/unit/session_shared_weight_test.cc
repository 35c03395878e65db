// One constant that nodes of several kinds read: each kernel gets it as it wants it.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ir/evaluate_graph.h"
#include "support/compare.h"
#include "support/session_run.h"
#include "support/text_model.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

/// Lines that read %w [64, 64] and make output `%name`.
std::string reader(int kind, const std::string& name, const std::string& dtype) {
  const std::string y = "%" + name;
  switch (kind) {
    case 0: return y + " = polaris.Linear(%x, %w)\n";
    case 1: return y + " = MatMul(%x, %w)\n";
    case 2: return y + "_t = Transpose(%x)\n" + y + " = MatMul(%w, " + y + "_t)\n";
    case 3: return y + " = Gemm(%x, %w, transB = 1)\n";
    case 4: return y + " = Gather(%w, %ids)\n";
    case 5: return y + " = Mul(%w, %line)\n";
    case 6:
      return "const %bias_" + name + " : " + dtype + "[64] = random 5\n" + y +
             " = polaris.Linear(%x, %w, %bias_" + name + ")\n";
    default: return y + "_s = MatMul(%line, %w)\n" + y + " = Softmax(" + y + "_s, axis = -1)\n";
  }
}
constexpr int kReaders = 8;

void check(const std::vector<int>& kinds, const std::string& dtype,
           const std::shared_ptr<Runtime>& runtime) {
  std::string text = "graph {\ninput %x : " + dtype + "[4, 64]\ninput %line : " + dtype +
                     "[1, 64]\ninput %ids : int64[3]\nconst %w : " + dtype +
                     "[64, 64] = random 1\n";
  std::string outputs;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const std::string name = "y" + std::to_string(i);
    text += reader(kinds[i], name, dtype);
    outputs += "output %" + name + "\n";
  }
  text += outputs + "}";
  CAPTURE(text);
  CAPTURE(runtime->device(0).info().id);
  const Graph graph = graph_from_text(text);
  std::vector<Tensor> inputs = numbers_for_inputs(graph);
  const std::int64_t ids[] = {63, 0, 17};
  inputs[2] = *Tensor::from<std::int64_t>(DType::kI64, {3}, ids);
  auto wanted = evaluate_graph(graph, inputs);
  REQUIRE_MESSAGE(wanted, wanted.error().message());
  auto program = Program::compile(runtime, graph.clone());
  REQUIRE_MESSAGE(program, program.error().message());
  std::vector<Tensor> got;
  const Status status = session_of(*program)->run(inputs, got);
  REQUIRE_MESSAGE(status, status.error().message());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(difference(got[i], wanted->outputs[i], 1.0, dtype == "float16" ? 5e-3 : 1e-4) == "");
  }
}

}  // namespace

TEST_CASE("a constant that kernels of two kinds read, in either order, and of all kinds at once") {
  for (const std::string name : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    for (const std::string dtype : {"float32", "float16"}) {
      std::vector<int> all;
      for (int a = 0; a < kReaders; ++a) {
        all.push_back(a);
        for (int b = 0; b < kReaders; ++b) check({a, b}, dtype, runtime);
      }
      check(all, dtype, runtime);
      check({all.rbegin(), all.rend()}, dtype, runtime);
    }
  }
}

TEST_CASE("constants that differ in one part alone are told apart") {
  struct Part {
    std::string data;
    std::string scale;
    std::string zero;
    int axis;
  };
  // The same 256 bytes throughout, but for one of them.
  const std::string data = "int8[16, 16] = random 1";
  const std::string scale = "float32[16] = random 2";
  const std::string zero = "int8[16] = random 3";
  const std::vector<Part> parts = {{data, scale, zero, 0},
                                   {"int8[16, 16] = random 4", scale, zero, 0},
                                   {data, "float32[16] = random 5", zero, 0},
                                   {data, scale, "int8[16] = random 6", 0},
                                   {data, scale, "", 0},
                                   {data, scale, zero, 1},
                                   {data, "float32[] = 0.5", "int8[] = 3", 1},
                                   {data, "float32[] = 0.5", "int8[] = 5", 1},
                                   {data, "float32[] = 0.5", "", 1},
                                   {"uint8[16, 16] = random 1", scale, "uint8[16] = random 3", 0},
                                   {"uint8[16, 16] = random 1", "float32[] = 0.5", "", 1}};
  for (const std::string name : {"reference", "cpu", "vulkan"}) {
    CAPTURE(name);
    auto runtime = make_runtime({name});
    if (!runtime) continue;
    for (const bool turned : {false, true}) {
      std::string text = "graph {\ninput %x : float32[3, 16]\n";
      std::string outputs;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string n = std::to_string(i);
        text += "const %q" + n + " : " + parts[i].data + "\nconst %s" + n + " : " + parts[i].scale +
                "\n";
        if (!parts[i].zero.empty()) text += "const %z" + n + " : " + parts[i].zero + "\n";
        text +=
            "%w" + n + " = DequantizeLinear(%q" + n + ", %s" + n +
            (parts[i].zero.empty() ? "" : ", %z" + n) +
            ", axis = " + std::to_string(parts[i].axis) + ")\n%y" + n +
            (turned ? " = Gemm(%x, %w" + n + ", transB = 1)\n" : " = MatMul(%x, %w" + n + ")\n");
        outputs += "output %y" + n + "\n";
      }
      const Graph graph = graph_from_text(text + outputs + "}");
      const std::vector<Tensor> inputs = numbers_for_inputs(graph);
      auto wanted = evaluate_graph(graph, inputs);
      REQUIRE_MESSAGE(wanted, wanted.error().message());
      auto program = Program::compile(runtime, graph.clone());
      REQUIRE_MESSAGE(program, program.error().message());
      std::vector<Tensor> got;
      const Status status = session_of(*program)->run(inputs, got);
      REQUIRE_MESSAGE(status, status.error().message());
      for (std::size_t i = 0; i < got.size(); ++i) {
        CAPTURE(i);
        CHECK(difference(got[i], wanted->outputs[i], 1.0, 1e-4) == "");
      }
    }
  }
}

}  // namespace polaris::test
