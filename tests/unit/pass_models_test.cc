#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ir/evaluate_graph.h"
#include "ir/text/text.h"
#include "ir/verifier.h"
#include "load/load.h"
#include "pass/runner.h"
#include "support/shared_files.h"
#include "tensor/element.h"

namespace polaris {
namespace {

std::vector<std::filesystem::path> shared_onnx() {
  std::vector<std::filesystem::path> out;
  const auto root = test::shared_file("models/onnx");
  if (!root) return out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*root)) {
    if (entry.path().extension() == ".onnx") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

Tensor filled_input(TensorType type) {
  for (int i = 0; i < type.shape.rank(); ++i) {
    if (!is_static_dim(type.shape[i])) type.shape[i] = 1;
  }
  Tensor out = *Tensor::allocate(type);
  for (std::int64_t i = 0; i < out.elements(); ++i) {
    store_f64(type.dtype, out.mutable_bytes().data(), i, std::sin(static_cast<double>(i)));
  }
  return out;
}

void check_equal_answers(const Graph& before, const Graph& after) {
  std::vector<Tensor> inputs;
  for (ValueId id : before.inputs()) inputs.push_back(filled_input(before.value(id).type));
  auto wanted = evaluate_graph(before, inputs);
  REQUIRE_MESSAGE(wanted.ok(), wanted.error().message());
  auto got = evaluate_graph(after, inputs);
  REQUIRE_MESSAGE(got.ok(), got.error().message());
  for (std::size_t o = 0; o < wanted->outputs.size(); ++o) {
    const Tensor& a = got->outputs[o];
    const Tensor& b = wanted->outputs[o];
    REQUIRE(a.type() == b.type());
    double worst = 0;
    double largest = 0;
    for (std::int64_t i = 0; i < b.elements(); ++i) {
      worst = std::max(worst, std::fabs(element_as_f64(a, i) - element_as_f64(b, i)));
      largest = std::max(largest, std::fabs(element_as_f64(b, i)));
    }
    CHECK(worst <= 1e-5 * std::max(largest, 1.0));
  }
}

TEST_CASE("the passes bring real models through the verifier, and text brings them back") {
  const auto files = shared_onnx();
  if (files.empty()) return;  // shared_file has said so
  const OpSet ops = OpSet::builtin();
  Target target;
  target.fuses_chains = true;
  int ran = 0;
  for (const auto& file : files) {
    CAPTURE(file.string());
    auto model = load_model(file.string(), ops);
    if (!model) continue;  // an operator of a later issue
    auto graph = take_function(*model, "");
    REQUIRE_MESSAGE(graph.ok(), graph.error().message());
    const Graph before = graph->clone();
    auto report = run_passes(*graph, target, ops, {.disabled = {}, .verify = true});
    REQUIRE_MESSAGE(report.ok(), report.error().message());
    ++ran;
    const std::string text = print_graph(*graph);
    std::map<std::string, std::shared_ptr<const Constant>> weights;
    for (ValueId id : graph->value_ids()) {
      const auto& constant = graph->value(id).constant;
      if (constant) weights[constant->name + constant->data.type().to_string()] = constant;
    }
    ParseOptions options;
    options.resolve = [&](std::string_view name, const TensorType& type) {
      const auto found = weights.find(std::string(name) + type.to_string());
      return found == weights.end() ? nullptr : found->second;
    };
    auto back = parse_graph(text, ops, options);
    REQUIRE_MESSAGE(back.ok(), back.error().message());
    CHECK(print_graph(*back) == text);
    const auto stem = file.stem().string();
    if (stem == "mnist" || stem == "g1_policy") check_equal_answers(before, *graph);
  }
  CHECK(ran > 0);
}

}  // namespace
}  // namespace polaris
