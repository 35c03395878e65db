#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"
#include "plan/stage_planner.h"

namespace polaris {

/// Bytes of a value on a device. A value may have several homes: on several devices, and on one
/// device in several layouts; each is made once.
struct Home {
  DeviceIndex device = 0;
  Layout layout = Layout::kRowMajor;
  Operand at;
};

struct ValueState {
  TensorType type;
  bool typed = false;
  bool produced = false;                     // in this stage
  Tensor known;                              // data known while planning
  std::shared_ptr<const Constant> constant;  // graph constant, or made of `known`
  std::int32_t live_in = -1;
  std::vector<Home> homes;
  std::int32_t dims_storage = -1;
  // The value whose row-major bytes these are, from an offset on, where they are another's.
  ValueId viewed;
  std::int64_t viewed_offset = 0;
};

/// A stage in the making: its storages, steps and weights, and where every value is so far. Brings
/// values to where launches want them.
class StageBuilder {
 public:
  StageBuilder(const PlanContext& context, const Graph& graph, std::size_t begin,
               std::vector<LiveIn> live_in);

  Stage& stage() { return stage_; }
  ValueState& state_of(ValueId id) { return values_[id]; }
  const DeviceInfo& device_info(DeviceIndex d) const { return device(d).info(); }
  const Device& device(DeviceIndex d) const {
    return *context_.devices[static_cast<std::size_t>(d)];
  }

  void define(ValueId id, const TensorType& type);
  /// The value's constant, made of its known data where it is no constant of the graph; or null.
  const std::shared_ptr<const Constant>& constant_of(ValueId id);
  /// How the value's bytes first stood; row-major where layouts make no difference to it.
  Layout made_in(ValueId id);

  void next_step() { ++step_; }
  /// The operand's bytes matter at this step.
  void touch(const Operand& operand);
  Operand add_arena(DeviceIndex device, std::int64_t bytes);
  /// Where the next launch of the device goes.
  SegmentStep& segment_on(DeviceIndex device);

  /// `constant` as input `port` of the kernel wants it: the value's, or the same bytes under
  /// another shape.
  Operand weight(ValueId id, const std::shared_ptr<const Constant>& constant, int port,
                 DeviceIndex device, const std::shared_ptr<const Kernel>& kernel);
  /// The value's bytes on `device` in `layout`: uploaded, transferred and brought into another
  /// order as needed, for node `reader`. Errors: unsupported where no device can reorder them.
  Result<Operand> bring(ValueId id, DeviceIndex device, Layout layout, NodeId reader);
  /// The operand's bytes once more, on its device.
  Operand copy(const Operand& from, DeviceIndex device);
  /// From here on the value stands in a copy of its bytes: they are about to be written.
  void put_aside(ValueId id, DeviceIndex device);

 private:
  void seed_live_in();
  void seed_states();
  std::int32_t add_storage(Storage storage);
  const Home* find(ValueId id, DeviceIndex device, Layout layout);
  Operand add_home(ValueId id, DeviceIndex device, Layout layout, const Operand& at);
  bool is_on(ValueId id, DeviceIndex device);
  Operand upload(ValueId id, DeviceIndex device);
  /// What the host has of it as the stage starts needs no way over another device. Nothing where it
  /// has nothing.
  std::optional<Operand> from_host(ValueId id, DeviceIndex device);
  Operand transfer(ValueId id, const Home& from, DeviceIndex device);
  Result<Operand> relayout(ValueId id, DeviceIndex device, Layout layout, NodeId reader);

  const PlanContext& context_;
  const Graph& graph_;
  IdVector<ValueId, ValueState> values_;
  Stage stage_;
  std::map<std::tuple<const Constant*, DeviceIndex, std::string>, std::int32_t> weights_;
  std::int32_t step_ = 0;
};

}  // namespace polaris
