#include "support/text_program.h"

#include <doctest/doctest.h>

#include "ir/text/model_text.h"

namespace polaris::test {

Model model_from_text(std::string_view text) {
  auto model = parse_model(text, OpSet::builtin());
  REQUIRE_MESSAGE(model, model.error().message());
  const Status status = verify_model(*model);
  REQUIRE_MESSAGE(status, status.error().message());
  return model.take();
}

std::shared_ptr<Program> program_from_text(std::shared_ptr<Runtime> runtime,
                                           std::string_view text) {
  Model model = model_from_text(text);
  auto program = Program::compile(std::move(runtime), model);
  REQUIRE_MESSAGE(program, program.error().message());
  return program.take();
}

std::unique_ptr<Session> session_of(std::shared_ptr<Program> program) {
  auto session = Session::create(std::move(program));
  REQUIRE_MESSAGE(session, session.error().message());
  return session.take();
}

Tensor floats(const Shape& shape, const std::vector<float>& values) {
  auto tensor = Tensor::from<float>(DType::kF32, shape, values);
  REQUIRE(tensor);
  return tensor.take();
}

Tensor ints(const Shape& shape, const std::vector<std::int32_t>& values) {
  auto tensor = Tensor::from<std::int32_t>(DType::kI32, shape, values);
  REQUIRE(tensor);
  return tensor.take();
}

std::vector<float> to_floats(const Tensor& tensor) {
  std::vector<float> out;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    out.push_back(static_cast<float>(element_as_f64(tensor, i)));
  }
  return out;
}

std::vector<Tensor> run_bound(Session& session, std::string_view function,
                              const Bindings& bindings) {
  std::vector<Tensor> outputs;
  const Status status = session.run(function, bindings, outputs);
  REQUIRE_MESSAGE(status, status.error().message());
  return outputs;
}

Error run_fails(Session& session, std::string_view function, const Bindings& bindings) {
  std::vector<Tensor> outputs;
  const Status status = session.run(function, bindings, outputs);
  REQUIRE_FALSE(status);
  return status.error();
}

}  // namespace polaris::test
