#define DOCTEST_CONFIG_IMPLEMENT
#include <dlfcn.h>
#include <doctest/doctest.h>

int main(int argc, char** argv) {
  // The loader closes a driver with its last instance, and a closed one has no name by which
  // lsan.supp could tell what it keeps from what we leak. So the rasterizer stays open to the end.
  (void)dlopen("libvulkan_lvp.so", RTLD_NOW | RTLD_NODELETE);
  return doctest::Context(argc, argv).run();
}
