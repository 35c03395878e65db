#include "capi/c_handles.h"

namespace polaris {

polaris_error* c_out_of_memory() {
  // The message is short enough for std::string to hold it without an allocation.
  // tidy: allow globals (the caller gets a pointer to it, and nobody writes it)
  static polaris_error error{ErrorCode::kOutOfMemory, "out of memory"};
  return &error;
}

polaris_error* to_c(const Error& error) {
  auto* out = new (std::nothrow) polaris_error{error.code(), {}};
  if (out == nullptr) return c_out_of_memory();
  out->message = error.message();
  return out;
}

Status need(bool present, const char* what) {
  if (present) return Status::success();
  return Error::invalid(std::string("[c] ") + what + ", got null, wanted a value");
}

Status give_outputs(std::vector<Tensor> results, std::span<polaris_tensor*> outputs) {
  if (results.size() != outputs.size()) {
    return Error::invalid("[c] outputs, got room for " + std::to_string(outputs.size()) +
                          ", wanted " + std::to_string(results.size()));
  }
  std::vector<std::unique_ptr<polaris_tensor>> made;
  for (Tensor& result : results) {
    made.push_back(std::make_unique<polaris_tensor>(polaris_tensor{std::move(result)}));
  }
  for (std::size_t o = 0; o < outputs.size(); ++o) outputs[o] = made[o].release();
  return Status::success();
}

}  // namespace polaris
