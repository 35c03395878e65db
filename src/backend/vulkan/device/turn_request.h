#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/turn_queue.h"
#include "backend/vulkan/device/transfer.h"

namespace polaris::vulkan {

/// A request for a turn that follows fences of both queues. Few of them need no memory.
class TurnRequest {
 public:
  TurnRequest(UnitSource& source, std::span<const Fence> after, const CancelToken* cancel,
              std::uint64_t behind)
      : request_{&source, {}, behind, 0, cancel} {
    if (after.size() > kFew) many_.resize(after.size());
    std::uint64_t* turns = many_.empty() ? few_ : many_.data();
    std::size_t count = 0;
    for (const Fence& fence : after) {
      if (fence.queue == kCopies) {
        request_.copies = std::max(request_.copies, fence.value);
      } else if (fence.value != 0) {
        turns[count++] = fence.value;
      }
    }
    request_.after = {turns, count};
  }
  TurnRequest(const TurnRequest&) = delete;
  TurnRequest& operator=(const TurnRequest&) = delete;
  const TurnQueue::Request& get() const { return request_; }

 private:
  static constexpr std::size_t kFew = 8;
  std::uint64_t few_[kFew] = {};
  std::vector<std::uint64_t> many_;
  TurnQueue::Request request_;
};

}  // namespace polaris::vulkan
