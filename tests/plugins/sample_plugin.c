/* A plugin as a user writes one, in C: an operator and a pass that brings it into graphs.
 * demo.Squash(x; gain) = x * gain / (1 + |x * gain|), elementwise, float32. The pass replaces
 * Mul(x, 1/(1+|x|)) written with plain ops by demo.Squash. */
#include <stddef.h>
#include <stdint.h>

#include "polaris/polaris_c.h"

static const polaris_host* host;

static const char* infer(polaris_node* node, void* user) {
  polaris_type type;
  (void)user;
  if (!host->input_type(node, 0, &type)) return "input 0 is missing";
  if (type.dtype != POLARIS_F32) return "input 0 must be float32";
  host->set_output_type(node, 0, &type);
  return NULL;
}

static const char* compute(polaris_node* node, void* user) {
  polaris_type type;
  float gain = 1.0f;
  const float* x = (const float*)host->input_bytes(node, 0);
  float* y = (float*)host->output_bytes(node, 0);
  int64_t count = 1;
  (void)user;
  if (!host->input_type(node, 0, &type)) return "input 0 is missing";
  host->attr_f32(node, "gain", &gain);
  for (int32_t d = 0; d < type.rank; ++d) count *= type.dims[d];
  for (int64_t i = 0; i < count; ++i) {
    const float v = x[i] * gain;
    y[i] = v / (1.0f + (v < 0 ? -v : v));
  }
  return NULL;
}

POLARIS_EXPORT const char* polaris_plugin_init(const polaris_host* h, polaris_plugin* plugin) {
  static const polaris_op op = {sizeof(polaris_op), "Squash", "demo", "x * gain / (1 + |x * gain|)",
                                1, 1, NULL, infer, compute};
  const char* error;
  if (h->abi_version < POLARIS_ABI_VERSION) return "the host is older than this plugin";
  host = h;
  error = h->add_op(plugin, &op);
  if (error != NULL) return error;
  return h->add_pass(plugin, "use_squash",
                     "pattern {\n"
                     "  %a = Abs(%x)\n"
                     "  %d = Add(%a, 1.0)\n"
                     "  %y = Div(%x, %d)\n"
                     "} => {\n"
                     "  %y = demo.Squash(%x, gain = 1.0)\n"
                     "}\n");
}
