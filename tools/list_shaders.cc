// Prints shaders.json: every shader variant that the Vulkan backend ships.
#include <cstdio>

#include "backend/vulkan/variants.h"

int main() {
  std::fputs(polaris::vulkan::shader_variants_json().c_str(), stdout);
  return 0;
}
