#include "conformance/ml_case.h"

#include <doctest/doctest.h>

#include "ir/builtin_op.h"
#include "ir/evaluate.h"
#include "support/compare.h"

namespace polaris::test {
namespace {

Result<std::vector<Tensor>> run(std::string_view op, const MlAttrs& attributes,
                                const std::vector<Tensor>& inputs, int outputs) {
  const std::string name = "ai.onnx.ml." + std::string(op);
  const OpDef* found = find_builtin_op(name);
  REQUIRE_MESSAGE(found != nullptr, name);
  const auto attrs = attributes.empty() && found->make_attrs == nullptr
                         ? std::shared_ptr<const Attrs>(std::make_shared<NoAttrs>())
                         : attrs_of(name, attributes);
  std::vector<const Tensor*> operands;
  for (const Tensor& input : inputs) operands.push_back(&input);
  return evaluate_node(*found, *attrs, "n", operands, outputs);
}

}  // namespace

void check_ml(std::string_view op, const MlAttrs& attributes, const std::vector<Tensor>& inputs,
              const std::vector<Tensor>& wanted) {
  const auto got = run(op, attributes, inputs, static_cast<int>(wanted.size()));
  REQUIRE_MESSAGE(got.ok(), op, ": ", got.error().message());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::string fault = difference((*got)[i], wanted[i]);
    CHECK_MESSAGE(fault.empty(), op, " output ", i, ": ", fault);
  }
}

void check_ml_fails(std::string_view op, const MlAttrs& attributes,
                    const std::vector<Tensor>& inputs, std::string_view words, int outputs) {
  const auto got = run(op, attributes, inputs, outputs);
  const std::string message = got ? "it runs" : got.error().message();
  CHECK_MESSAGE(message.find(words) != std::string::npos, message, " | wanted: ", words);
}

}  // namespace polaris::test
