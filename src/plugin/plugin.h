#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/os/dynamic_library.h"
#include "ir/op_set.h"

namespace polaris {

/// A pass that a plugin wrote as text.
struct PluginPass {
  std::string name;
  std::string text;
};

/// A loaded plugin library and what it registered. Its ops hold the library open.
struct Plugin {
  std::shared_ptr<DynamicLibrary> library;
  std::vector<PluginPass> passes;
};

/// Opens a plugin and adds its ops to `ops`. Errors: not_found (no such library), invalid (it
/// exports no polaris_plugin_init, or what it registers is malformed), unsupported (it says that it
/// cannot work here). On an error nothing was added.
Result<Plugin> load_plugin(const std::string& path, OpSet& ops);

}  // namespace polaris
