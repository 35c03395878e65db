#include "plugin/plugin_op.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "plugin/type_convert.h"

/// A node during one call of a plugin's function: exactly one of the two contexts is set.
struct polaris_node {
  polaris::InferContext* infer = nullptr;
  polaris::RefContext* compute = nullptr;
  std::vector<bool> typed;  // infer: outputs that were set
  bool malformed = false;

  const polaris::GenericAttrs& attrs() const {
    const polaris::Attrs* attrs = infer != nullptr ? infer->attrs : compute->attrs;
    return static_cast<const polaris::GenericAttrs&>(*attrs);
  }
};

namespace polaris {
namespace {

/// A plugin's op with the strings and ports that its OpDef points at.
struct PluginOp {
  OpDef def;
  std::string name;
  std::string domain;
  std::string doc;
  std::vector<std::string> port_names;
  std::vector<Port> inputs;
  std::vector<Port> outputs;
  polaris_op op;
  std::shared_ptr<DynamicLibrary> library;
};

const PluginOp& record_of(const OpDef& def) { return *static_cast<const PluginOp*>(def.plugin); }

Status infer_plugin(InferContext& context) {
  const PluginOp& record = record_of(*context.op);
  polaris_node node;
  node.infer = &context;
  node.typed.assign(context.outputs.size(), false);
  if (const char* message = record.op.infer(&node, record.op.user); message != nullptr) {
    return context.fail(message);
  }
  if (node.malformed) return context.fail("the plugin gave an output type that is malformed");
  for (bool typed : node.typed) {
    if (!typed) return context.fail("the plugin set no type for an output");
  }
  return Status::success();
}

Status compute_plugin(RefContext& context) {
  const PluginOp& record = record_of(*context.op);
  polaris_node node;
  node.compute = &context;
  if (const char* message = record.op.compute(&node, record.op.user); message != nullptr) {
    return context.fail(message);
  }
  return Status::success();
}

const AttrValue* find_attr(const polaris_node* node, const char* name) {
  const auto& values = node->attrs().values;
  const auto at = values.find(std::string_view(name));
  return at == values.end() ? nullptr : &at->second;
}

void add_ports(PluginOp& record, std::int32_t count, const char* prefix, std::vector<Port>& ports) {
  for (std::int32_t i = 0; i < count; ++i) {
    record.port_names.push_back(prefix + std::to_string(i));
    ports.push_back({record.port_names.back(), 0});
  }
}

}  // namespace

std::shared_ptr<const OpDef> make_plugin_op(const polaris_op& op,
                                            std::shared_ptr<DynamicLibrary> library) {
  auto record = std::make_shared<PluginOp>();
  record->name = op.name;
  record->domain = op.domain;
  record->doc = op.doc != nullptr ? op.doc : "";
  record->op = op;
  record->library = std::move(library);
  // The ports view these strings: no reallocation after the first view.
  record->port_names.reserve(static_cast<std::size_t>(op.input_count + op.output_count));
  add_ports(*record, op.input_count, "input", record->inputs);
  add_ports(*record, op.output_count, "output", record->outputs);
  OpDef& def = record->def;
  def.name = record->name;
  def.domain = record->domain;
  def.doc = record->doc;
  def.inputs = record->inputs;
  def.outputs = record->outputs;
  def.make_attrs = make_attrs<GenericAttrs>;
  def.infer = infer_plugin;
  def.reference = compute_plugin;
  def.plugin = record.get();
  return {record, &record->def};
}

int plugin_input_type(const polaris_node* node, std::int32_t index, polaris_type* type) {
  if (index < 0) return 0;
  if (node->infer != nullptr) {
    if (!node->infer->has(index)) return 0;
    *type = to_c_type(node->infer->in(index));
    return 1;
  }
  if (!node->compute->has(index)) return 0;
  *type = to_c_type(node->compute->in(index).type);
  return 1;
}

int plugin_output_type(const polaris_node* node, std::int32_t index, polaris_type* type) {
  const auto at = static_cast<std::size_t>(index);
  if (node->compute == nullptr || index < 0 || at >= node->compute->outputs.size()) return 0;
  *type = to_c_type(node->compute->outputs[at].type);
  return 1;
}

void plugin_set_output_type(polaris_node* node, std::int32_t index, const polaris_type* type) {
  const auto at = static_cast<std::size_t>(index);
  if (node->infer == nullptr || index < 0 || at >= node->typed.size()) return;
  const auto converted = from_c_type(*type);
  // What a plugin computes stands in bytes.
  if (!converted || is_host_only(*converted)) {
    node->malformed = true;
    return;
  }
  node->infer->outputs[at] = *converted;
  node->typed[at] = true;
}

const void* plugin_input_bytes(const polaris_node* node, std::int32_t index) {
  if (node->compute == nullptr || index < 0 || !node->compute->has(index)) return nullptr;
  return node->compute->in(index).data;
}

void* plugin_output_bytes(polaris_node* node, std::int32_t index) {
  const auto at = static_cast<std::size_t>(index);
  if (node->compute == nullptr || index < 0 || at >= node->compute->outputs.size()) return nullptr;
  return node->compute->outputs[at].data;
}

int plugin_attr_i64(const polaris_node* node, const char* name, std::int64_t* out) {
  const AttrValue* value = find_attr(node, name);
  const auto* number = value != nullptr ? std::get_if<std::int64_t>(value) : nullptr;
  if (number == nullptr) return 0;
  *out = *number;
  return 1;
}

int plugin_attr_f32(const polaris_node* node, const char* name, float* out) {
  const AttrValue* value = find_attr(node, name);
  const auto* number = value != nullptr ? std::get_if<float>(value) : nullptr;
  if (number == nullptr) return 0;
  *out = *number;
  return 1;
}

const char* plugin_attr_text(const polaris_node* node, const char* name) {
  const AttrValue* value = find_attr(node, name);
  const auto* text = value != nullptr ? std::get_if<std::string>(value) : nullptr;
  return text != nullptr ? text->c_str() : nullptr;
}

}  // namespace polaris
