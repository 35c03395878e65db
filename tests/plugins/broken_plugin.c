/* Registers an op in the domain that is ours: loading it must fail and change nothing. */
#include "polaris/polaris_c.h"

static const char* never(polaris_node* node, void* user) {
  (void)node;
  (void)user;
  return "never called";
}

POLARIS_EXPORT const char* polaris_plugin_init(const polaris_host* host, polaris_plugin* plugin) {
  static const polaris_op op = {sizeof(polaris_op), "Linear", "polaris", "", 1, 1, 0, never, never};
  return host->add_op(plugin, &op);
}
