#include "polaris/polaris_c.h"

#include <cstddef>
#include <string>
#include <utility>

#include "base/strings.h"
#include "capi/c_handles.h"
#include "plugin/sized_struct.h"
#include "plugin/type_convert.h"
#include "session/open_devices.h"

namespace {

using polaris::c_out_of_memory;
using polaris::Error;
using polaris::guarded;
using polaris::need;
using polaris::Status;

constexpr std::size_t kRuntimeOptionsV1 =
    offsetof(polaris_runtime_options, threads) + sizeof(polaris_runtime_options::threads);

}  // namespace

polaris_code polaris_error_code(const polaris_error* error) {
  return static_cast<polaris_code>(error->code);
}
const char* polaris_error_message(const polaris_error* error) { return error->message.c_str(); }
void polaris_error_free(polaris_error* error) {
  if (error != c_out_of_memory()) delete error;
}

const char* polaris_version(void) { return POLARIS_VERSION; }

polaris_error* polaris_tensor_create(const polaris_type* type, const void* bytes, size_t byte_count,
                                     polaris_tensor** out) {
  return guarded([&]() -> Status {
    if (auto status = need(type != nullptr && out != nullptr, "type or out"); !status)
      return status;
    const auto converted = polaris::from_c_type(*type);
    if (!converted || !converted->shape.is_static()) {
      return Error::invalid(
          "[c] tensor type is malformed, wanted a known dtype and dims of at least 0");
    }
    if (bytes != nullptr && converted->dtype == polaris::DType::kString) {
      return Error::invalid(
          "[c] bytes of strings, wanted none: polaris_strings_create takes strings");
    }
    auto tensor = bytes == nullptr
                      ? polaris::Tensor::allocate(*converted)
                      : polaris::Tensor::from_bytes(
                            *converted, {static_cast<const std::byte*>(bytes), byte_count});
    if (!tensor) return tensor.error();
    *out = new polaris_tensor{tensor.take()};
    return Status::success();
  });
}

void polaris_tensor_type(const polaris_tensor* tensor, polaris_type* out) {
  *out = polaris::to_c_type(tensor->tensor.type());
}

const void* polaris_tensor_bytes(const polaris_tensor* tensor, size_t* byte_count) {
  const bool host_only = polaris::is_host_only(tensor->tensor.type());
  if (byte_count != nullptr) *byte_count = host_only ? 0 : tensor->tensor.bytes().size();
  return host_only ? nullptr : tensor->tensor.bytes().data();
}

void polaris_tensor_free(polaris_tensor* tensor) { delete tensor; }

polaris_error* polaris_runtime_create(const polaris_runtime_options* options,
                                      polaris_runtime** out) {
  return guarded([&]() -> Status {
    if (auto status = need(out != nullptr, "out"); !status) return status;
    polaris::DeviceOptions devices;
    if (options != nullptr) {
      const auto given = polaris::copy_sized(options, kRuntimeOptionsV1, "runtime options");
      if (!given) return given.error();
      devices.threads = given->threads;
      if (given->devices != nullptr) {
        devices.devices.clear();
        for (std::string_view name : polaris::split(given->devices, ',')) {
          devices.devices.emplace_back(polaris::trim(name));
        }
      }
    }
    auto runtime = polaris::open_runtime(devices);
    if (!runtime) return runtime.error();
    *out = new polaris_runtime{{}, {}, runtime.take()};
    return Status::success();
  });
}

void polaris_runtime_free(polaris_runtime* runtime) { delete runtime; }

polaris_error* polaris_runtime_load_plugin(polaris_runtime* runtime, const char* path) {
  return guarded([&]() -> Status {
    if (auto status = need(runtime != nullptr && path != nullptr, "runtime or path"); !status) {
      return status;
    }
    polaris::OpSet ops = runtime->runtime->ops();
    auto plugin = polaris::load_plugin(path, ops);
    if (!plugin) return plugin.error();
    for (const polaris::PluginPass& pass : plugin->passes) {
      if (auto status = polaris::check_user_pass({pass.name, pass.text}, ops); !status)
        return status;
    }
    for (const polaris::PluginPass& pass : plugin->passes) {
      runtime->passes.push_back({pass.name, pass.text});
    }
    runtime->plugins.push_back(plugin.take());
    runtime->runtime->set_ops(std::move(ops));
    return Status::success();
  });
}
