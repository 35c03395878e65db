#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define POLARIS_TEST_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POLARIS_TEST_ASAN
#endif
#endif
#ifdef POLARIS_TEST_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace polaris::test {

/// Whether the address sanitizer would stop a read of that byte; true where it is not there to ask.
inline bool is_freed([[maybe_unused]] const void* at) {
#ifdef POLARIS_TEST_ASAN
  return __asan_address_is_poisoned(at) != 0;
#else
  return true;
#endif
}

}  // namespace polaris::test
