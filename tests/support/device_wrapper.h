#pragma once
#include <memory>
#include <utility>

#include "backend/backend.h"

namespace polaris::test {

/// A device that passes everything on to another; tests override what they watch.
class DeviceWrapper : public Device {
 public:
  explicit DeviceWrapper(std::unique_ptr<Device> inner) : inner_(std::move(inner)) {}
  const DeviceInfo& info() const override { return inner_->info(); }
  DeviceCounters counters() const override { return inner_->counters(); }
  std::int64_t budget_bytes() override { return inner_->budget_bytes(); }
  Result<std::shared_ptr<const Kernel>> select(const NodeDesc& node) const override {
    return inner_->select(node);
  }
  void set_tuning(const std::shared_ptr<const Tuning>& tuning) override {
    inner_->set_tuning(tuning);
  }
  Result<std::unique_ptr<Buffer>> allocate(std::int64_t bytes, MemoryKind kind) override {
    return inner_->allocate(bytes, kind);
  }
  std::unique_ptr<Buffer> wrap(std::span<const std::byte> bytes,
                               std::shared_ptr<const void> owner) override {
    return inner_->wrap(bytes, std::move(owner));
  }
  Result<Fence> start_write(const BufferView& to, const std::byte* from,
                            std::span<const Fence> after) override {
    return inner_->start_write(to, from, after);
  }
  Result<Fence> start_copy(const BufferView& from, const BufferView& to,
                           std::span<const Fence> after) override {
    return inner_->start_copy(from, to, after);
  }
  Result<Fence> start_fill_zero(const BufferView& to, std::span<const Fence> after) override {
    return inner_->start_fill_zero(to, after);
  }
  Status read(const BufferView& from, std::byte* to, std::span<const Fence> after) override {
    return inner_->read(from, to, after);
  }
  Result<std::unique_ptr<Executable>> compile(SegmentDesc segment) override {
    return inner_->compile(std::move(segment));
  }
  Result<Fence> submit(Executable& executable, const SubmitArgs& args) override {
    return inner_->submit(executable, args);
  }
  Status wait(Fence fence) override { return inner_->wait(fence); }

 private:
  std::unique_ptr<Device> inner_;
};

}  // namespace polaris::test
