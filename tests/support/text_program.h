#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "ir/model.h"
#include "session/session.h"

namespace polaris::test {

/// A model from its text form, which must be right.
Model model_from_text(std::string_view text);
/// All its functions compiled; fails the test on an error.
std::shared_ptr<Program> program_from_text(std::shared_ptr<Runtime> runtime, std::string_view text);
std::unique_ptr<Session> session_of(std::shared_ptr<Program> program);

Tensor floats(const Shape& shape, const std::vector<float>& values);
Tensor ints(const Shape& shape, const std::vector<std::int32_t>& values);
std::vector<float> to_floats(const Tensor& tensor);

/// The outputs of a run that must not fail.
std::vector<Tensor> run_bound(Session& session, std::string_view function,
                              const Bindings& bindings);
/// The error of a run that must fail.
Error run_fails(Session& session, std::string_view function, const Bindings& bindings);

}  // namespace polaris::test
