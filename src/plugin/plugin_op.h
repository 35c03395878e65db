#pragma once
#include <memory>

#include "base/os/dynamic_library.h"
#include "ir/op_def.h"
#include "polaris/polaris_c.h"

namespace polaris {

/// An OpDef that calls a plugin's functions and keeps its library open.
std::shared_ptr<const OpDef> make_plugin_op(const polaris_op& op,
                                            std::shared_ptr<DynamicLibrary> library);

// Entries of polaris_host that look into a node.
int plugin_input_type(const polaris_node* node, std::int32_t index, polaris_type* type);
int plugin_output_type(const polaris_node* node, std::int32_t index, polaris_type* type);
void plugin_set_output_type(polaris_node* node, std::int32_t index, const polaris_type* type);
const void* plugin_input_bytes(const polaris_node* node, std::int32_t index);
void* plugin_output_bytes(polaris_node* node, std::int32_t index);
int plugin_attr_i64(const polaris_node* node, const char* name, std::int64_t* out);
int plugin_attr_f32(const polaris_node* node, const char* name, float* out);
const char* plugin_attr_text(const polaris_node* node, const char* name);

}  // namespace polaris
