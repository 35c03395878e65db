#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "backend/turn_queue.h"
#include "backend/vulkan/device/logical_device.h"

namespace polaris::vulkan {

/// The last work that names a thing, in each queue; 0: none.
struct LastUse {
  std::uint64_t turn = 0;  // a submission of the TurnQueue
  std::uint64_t copy = 0;  // a value of the queue of copies
};

/// Something the device may still be using; destroyed when it is not.
class Retired {
 public:
  virtual ~Retired() = default;

 private:
  friend class Retirer;
  LastUse last_;
  std::unique_ptr<Retired> next_;
};

/// Keeps what was let go until the work that names it is done. Nobody waits for that. Thread-safe.
class Retirer {
 public:
  Retirer(LogicalDevice& device, TurnQueue& turns) : device_(device), turns_(turns) {}
  /// Once the device does nothing any more.
  ~Retirer();
  Retirer(const Retirer&) = delete;
  Retirer& operator=(const Retirer&) = delete;

  /// Never fails and never allocates.
  void retire(std::unique_ptr<Retired> thing, const LastUse& last);
  /// Destroys what is no longer in use.
  void sweep();
  /// Waits for the one that was let go first and destroys it; false where there is none.
  bool wait_for_one();

 private:
  bool idle(const LastUse& last);
  std::unique_ptr<Retired> take_idle();

  LogicalDevice& device_;
  TurnQueue& turns_;
  std::mutex mutex_;
  std::unique_ptr<Retired> first_;
  std::unique_ptr<Retired>* end_ = &first_;
  std::atomic<std::int64_t> count_{0};
};

}  // namespace polaris::vulkan
