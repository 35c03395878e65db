#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "backend/reference/reference_device.h"
#include "support/device_wrapper.h"

namespace polaris::test {

/// Calls to fail, counted over all devices that share it.
struct CallFault {
  std::int64_t at = 0;  // the n-th fails; 0: none
  std::atomic<std::int64_t> calls{0};
  bool now() { return calls.fetch_add(1) + 1 == at; }
};

/// The reference behind the face of a card: memory of its own, a budget that the test sets, fences
/// that are reached when they are waited for, and calls that fail when asked to.
class FakeCard final : public DeviceWrapper {
 public:
  explicit FakeCard(std::int64_t budget_bytes, CallFault* fault = nullptr)
      : DeviceWrapper(make_reference_device({})), info_(DeviceWrapper::info()), fault_(fault) {
    info_.id = "fake";
    info_.host_memory = false;
    info_.memory_bytes = info_.budget_bytes = budget_bytes;
    budget = budget_bytes;
  }
  std::atomic<std::int64_t> budget{0};
  std::function<void()> on_submit;

  /// Fences of work that nobody has waited for.
  std::size_t under_way() const {
    const std::lock_guard lock(mutex_);
    return pending_.size();
  }

  const DeviceInfo& info() const override { return info_; }
  std::int64_t budget_bytes() override { return budget; }
  Result<Fence> start_write(const BufferView& to, const std::byte* from,
                            std::span<const Fence> after) override {
    if (fails()) return failure("write");
    return after_all(DeviceWrapper::start_write(to, from, after), after);
  }
  Result<Fence> start_copy(const BufferView& from, const BufferView& to,
                           std::span<const Fence> after) override {
    if (fails()) return failure("copy");
    return after_all(DeviceWrapper::start_copy(from, to, after), after);
  }
  Result<Fence> start_fill_zero(const BufferView& to, std::span<const Fence> after) override {
    if (fails()) return failure("fill");
    return after_all(DeviceWrapper::start_fill_zero(to, after), after);
  }
  Status read(const BufferView& from, std::byte* to, std::span<const Fence> after) override {
    if (fails()) return failure("read");
    for (const Fence& fence : after) reach(fence);
    return DeviceWrapper::read(from, to, after);
  }
  Result<Fence> submit(Executable& executable, const SubmitArgs& args) override {
    if (on_submit) on_submit();
    if (fails()) return failure("submit");
    return after_all(DeviceWrapper::submit(executable, args), args.after);
  }
  Status wait(Fence fence) override {
    reach(fence);
    return Status::success();
  }

 private:
  bool fails() { return fault_ != nullptr && fault_->now(); }
  static Error failure(const std::string& what) {
    return Error::out_of_memory("[fake] " + what + " fails, as asked for");
  }
  Result<Fence> after_all(const Result<Fence>& done, std::span<const Fence> after) {
    if (!done) return done;
    const std::lock_guard lock(mutex_);
    const Fence fence{++last_, 0};
    auto& follows = pending_[fence.value];
    for (const Fence& before : after) follows.push_back(before.value);
    return fence;
  }
  void reach(const Fence& fence) {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint64_t> reached = {fence.value};
    while (!reached.empty()) {
      const auto at = pending_.find(reached.back());
      reached.pop_back();
      if (at == pending_.end()) continue;
      reached.insert(reached.end(), at->second.begin(), at->second.end());
      pending_.erase(at);
    }
  }

  DeviceInfo info_;
  CallFault* fault_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::vector<std::uint64_t>> pending_;
  std::uint64_t last_ = 0;
};

}  // namespace polaris::test
