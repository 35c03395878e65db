#pragma once
#include <cstdint>

namespace polaris::test {

/// Counts calls of operator new, of every thread, while one of it lives. Not under sanitizers,
/// which have an operator new of their own: available() says so.
class AllocCounter {
 public:
  AllocCounter();
  ~AllocCounter();
  AllocCounter(const AllocCounter&) = delete;
  AllocCounter& operator=(const AllocCounter&) = delete;
  static bool available();
  /// Since the process began, while any counter lived.
  static std::int64_t total();
};

}  // namespace polaris::test
