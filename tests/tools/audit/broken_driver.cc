// A Vulkan driver that dies, or with HANGS never answers, as soon as the loader speaks to it.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int vk_icdNegotiateLoaderICDInterfaceVersion(std::uint32_t*) {
#ifdef HANGS
  for (;;) sleep(1);
#else
  std::abort();
#endif
}

EXPORT void* vk_icdGetInstanceProcAddr(void*, const char*) { return nullptr; }
