#include "plugin/plugin.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "plugin/plugin_op.h"
#include "plugin/sized_struct.h"
#include "polaris/polaris_c.h"

/// The handle a plugin registers through.
struct polaris_plugin {
  std::shared_ptr<polaris::DynamicLibrary> library;
  std::vector<std::shared_ptr<const polaris::OpDef>> ops;
  std::vector<polaris::PluginPass> passes;
  std::string message;
};

namespace polaris {
namespace {

constexpr std::size_t kRegistrationsMax = 4096;
constexpr std::size_t kTextBytesMax = 1 << 20;

bool is_name(const char* text) {
  if (text == nullptr || *text == '\0') return false;
  const std::string_view name(text);
  return name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '.' || c == '-';
         });
}

const char* refuse(polaris_plugin* plugin, std::string message) {
  plugin->message = std::move(message);
  return plugin->message.c_str();
}

constexpr std::size_t kOpV1 = offsetof(polaris_op, compute) + sizeof(polaris_op::compute);

const char* add_op(polaris_plugin* plugin, const polaris_op* given) {
  const auto op = copy_sized(given, kOpV1, "op");
  if (!op) return refuse(plugin, op.error().message());
  if (!is_name(op->name) || !is_name(op->domain) || std::string_view(op->domain) == "polaris") {
    return refuse(plugin, "an op needs a name, and a domain of its own");
  }
  const bool counts = op->input_count >= 0 && op->input_count <= 64 && op->output_count >= 1 &&
                      op->output_count <= 64;
  if (!counts || op->infer == nullptr || op->compute == nullptr) {
    return refuse(plugin, "an op needs 0 to 64 inputs, 1 to 64 outputs, infer and compute");
  }
  if (plugin->ops.size() >= kRegistrationsMax) return refuse(plugin, "too many ops");
  plugin->ops.push_back(make_plugin_op(*op, plugin->library));
  return nullptr;
}

const char* add_pass(polaris_plugin* plugin, const char* name, const char* text) {
  if (!is_name(name) || text == nullptr) return refuse(plugin, "a pass needs a name and a text");
  if (std::string_view(text).size() > kTextBytesMax || plugin->passes.size() >= kRegistrationsMax) {
    return refuse(plugin, "too many passes, or too long a text");
  }
  plugin->passes.push_back({name, text});
  return nullptr;
}

constexpr polaris_host kHost = {
    sizeof(polaris_host),
    POLARIS_ABI_VERSION,
    add_op,
    add_pass,
    plugin_input_type,
    plugin_output_type,
    plugin_set_output_type,
    plugin_input_bytes,
    plugin_output_bytes,
    plugin_attr_i64,
    plugin_attr_f32,
    plugin_attr_text,
};

}  // namespace

Result<Plugin> load_plugin(const std::string& path, OpSet& ops) {
  auto opened = DynamicLibrary::open(path);
  if (!opened) return opened.error();
  polaris_plugin handle;
  handle.library = std::make_shared<DynamicLibrary>(opened.take());
  const auto init =
      reinterpret_cast<polaris_plugin_init_fn>(handle.library->symbol("polaris_plugin_init"));
  if (init == nullptr) {
    return Error::invalid("[plugin] " + path + " exports no polaris_plugin_init");
  }
  if (const char* message = init(&kHost, &handle); message != nullptr) {
    return Error::unsupported("[plugin] " + path + " cannot work here: " + message);
  }
  OpSet extended = ops;
  for (auto& op : handle.ops) {
    if (auto status = extended.add(std::move(op)); !status) {
      return status.error().with_context("[plugin] " + path);
    }
  }
  ops = std::move(extended);
  return Plugin{std::move(handle.library), std::move(handle.passes)};
}

}  // namespace polaris
