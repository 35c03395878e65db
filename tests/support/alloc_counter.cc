#include "support/alloc_counter.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_THREAD__)
#define POLARIS_COUNT_NEW 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define POLARIS_COUNT_NEW 0
#endif
#endif
#ifndef POLARIS_COUNT_NEW
#define POLARIS_COUNT_NEW 1
#endif

namespace polaris::test {
namespace {

constinit std::atomic<int> living = 0;
constinit std::atomic<std::int64_t> calls = 0;
constinit std::atomic<std::int64_t> until_failure = 0;  // 0: none is to fail

#if POLARIS_COUNT_NEW
void* counted(std::size_t bytes, std::size_t alignment) {
  if (living.load(std::memory_order_relaxed) > 0) calls.fetch_add(1, std::memory_order_relaxed);
  if (until_failure.load(std::memory_order_relaxed) > 0 && until_failure.fetch_sub(1) == 1) {
    throw std::bad_alloc();
  }
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* out = alignment <= alignof(std::max_align_t) ? std::malloc(bytes == 0 ? 1 : bytes)
                                                     : std::aligned_alloc(alignment, rounded);
  if (out == nullptr) throw std::bad_alloc();
  return out;
}
#endif

}  // namespace

AllocCounter::AllocCounter() { ++living; }
AllocCounter::~AllocCounter() { --living; }
bool AllocCounter::available() { return POLARIS_COUNT_NEW != 0; }
std::int64_t AllocCounter::total() { return calls.load(); }

AllocFailure::AllocFailure(std::int64_t nth) { until_failure.store(nth); }
AllocFailure::~AllocFailure() { until_failure.store(0); }
bool AllocFailure::happened() const { return until_failure.load() <= 0; }

}  // namespace polaris::test

#if POLARIS_COUNT_NEW
void* operator new(std::size_t bytes) {
  return polaris::test::counted(bytes, alignof(std::max_align_t));
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return polaris::test::counted(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return operator new(bytes, alignment);
}
// The plain forms above would serve these too, but a sanitizer brings forms of its own, whose
// bytes free() may not take.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return operator new(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t bytes, const std::nothrow_t& tag) noexcept {
  return operator new(bytes, tag);
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  try {
    return operator new(bytes, alignment);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t bytes, std::align_val_t alignment,
                     const std::nothrow_t& tag) noexcept {
  return operator new(bytes, alignment, tag);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
#endif
