#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace polaris::cpu {

/// A bad index met inside a parallel loop: the one of the lowest element is reported, so that the
/// message does not depend on timing.
class RunError {
 public:
  void set(std::int64_t element, std::int64_t value) {
    std::int64_t seen = element_.load(std::memory_order_relaxed);
    while (element < seen) {
      if (element_.compare_exchange_weak(seen, element)) {
        value_.store(value, std::memory_order_relaxed);
        return;
      }
    }
  }
  bool failed() const { return element_.load(std::memory_order_relaxed) != INT64_MAX; }
  /// `what, got VALUE, wanted one below LIMIT`, or success.
  Status status(std::string_view what, std::int64_t limit) const {
    if (!failed()) return Status::success();
    return Error::invalid(std::string(what) + ", got " + std::to_string(value_.load()) +
                          ", wanted one below " + std::to_string(limit));
  }

 private:
  std::atomic<std::int64_t> element_{INT64_MAX};
  std::atomic<std::int64_t> value_{0};
};

}  // namespace polaris::cpu
