#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ir/control_run.h"
#include "session/graph_info.h"
#include "session/runtime.h"
#include "session/scan_pile.h"
#include "session/value_ref.h"

namespace polaris {

/// The values of control flow while a program runs: on the host or where their devices left them.
class ControlValues final : public ControlHost<ValueRef> {
 public:
  struct Program {
    std::function<const GraphInfo&(const Graph&)> info;
    std::function<Result<std::vector<ValueRef>>(const Graph&, std::span<const ValueRef>)> run;
    std::function<bool()> cancelled;
  };
  /// `label`: "[Op] ", for errors.
  ControlValues(Runtime& runtime, Program program, std::string label, std::int64_t bytes_max)
      : runtime_(runtime),
        program_(std::move(program)),
        pile_(runtime, label, bytes_max),
        label_(std::move(label)) {}

  const TensorType& type(const ValueRef& value) override { return value.type; }
  ValueRef of(Tensor tensor) override { return ValueRef::of(std::move(tensor)); }
  Result<Tensor> host(const ValueRef& value) override;
  Result<std::vector<ValueRef>> run(const Graph& region,
                                    std::span<const ValueRef> inputs) override {
    return program_.run(region, inputs);
  }
  Result<ValueRef> slice(const ValueRef& whole, int axis, std::int64_t index) override;
  Result<ValueRef> stack(std::span<const ValueRef> parts, const TensorType& part,
                         int axis) override;
  /// Brings what the body reads to the devices that read it, once for all rounds, so that the first
  /// round is planned as the others are: its carried values come from a device too. So with calls.
  Status begin(const ControlView& view, const Graph& body, std::span<ValueRef> operands) override;
  Status begin_round(std::int64_t round) override;
  Status put_by(const ValueRef& part, std::int64_t round) override {
    return pile_.add(part, round);
  }

 private:
  Result<ValueRef> leased(const TensorType& type, DeviceIndex device);

  Runtime& runtime_;
  Program program_;
  ScanPile pile_;
  std::string label_;
};

}  // namespace polaris
