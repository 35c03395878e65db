#pragma once
#include <cstdint>

namespace polaris::test {

/// Counts calls of operator new, of every thread, while one of it lives. Not under the thread
/// sanitizer, which has an operator new of its own: available() says so.
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

/// While it lives, the n-th call of operator new from its making on (of any thread) throws
/// std::bad_alloc; the calls after it succeed again.
class AllocFailure {
 public:
  explicit AllocFailure(std::int64_t nth);
  ~AllocFailure();
  AllocFailure(const AllocFailure&) = delete;
  AllocFailure& operator=(const AllocFailure&) = delete;
  bool happened() const;
};

}  // namespace polaris::test
