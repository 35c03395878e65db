/* A plugin built against a later header, whose op has one field more. */
#include "polaris/polaris_c.h"

typedef struct later_op {
  polaris_op op;
  uint64_t more;
} later_op;

static const char* infer(polaris_node* node, void* user) {
  (void)node;
  (void)user;
  return "never called";
}

POLARIS_EXPORT const char* polaris_plugin_init(const polaris_host* host, polaris_plugin* plugin) {
  static later_op quiet = {{sizeof(later_op), "Quiet", "later", "", 1, 1, 0, infer, infer}, 0};
  static later_op asking = {{sizeof(later_op), "Asking", "later", "", 1, 1, 0, infer, infer}, 7};
  if (!POLARIS_HOST_HAS(host, attr_text)) return "the host lacks attr_text";
  if (host->add_op(plugin, &quiet.op) != 0) return "a field of zero was refused";
  if (host->add_op(plugin, &asking.op) == 0) return "a field that the host cannot know was taken";
  return 0;
}
