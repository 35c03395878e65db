#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "backend/backend.h"
#include "ir/graph.h"

/// What a graph becomes for given shapes. A graph runs as a sequence of stages: a stage is planned
/// whole, ahead of its run, from the types of the values that live at its start. It ends where
/// planning needs what only running can tell: after an op with data-dependent shapes, before an op
/// whose shape input was just computed, and at control flow, whose subgraphs are planned the same
/// way. A graph with static shapes and no control flow is one stage.
namespace polaris {

/// Index into the program's device list; kHost is host memory.
using DeviceIndex = std::int32_t;
inline constexpr DeviceIndex kHost = -1;

/// A value alive at a stage's start.
struct LiveIn {
  ValueId value;
  TensorType type;             // static
  DeviceIndex device = kHost;  // where its bytes are
  Tensor known;                // set where planning must see the data (shapes, axes)
};

/// Memory of one stage on one device.
struct Storage {
  enum class Kind : std::uint8_t {
    kArena,    // `slab` and `offset`, shared over time with others
    kLiveIn,   // bytes of live-in `index`
    kState,    // bytes of the graph's state `index`
    kUpload,   // `offset` in the stage's upload block of the device: host live-in `index`
    kLiveOut,  // a lease of its own, outlives the stage
  };
  Kind kind = Kind::kArena;
  DeviceIndex device = 0;
  std::int64_t bytes = 0;
  std::int32_t index = 0;
  std::int32_t slab = 0;
  std::int64_t offset = 0;
  bool readback = false;  // kLiveOut: read by the host, not by a later stage
  // Steps in which the bytes matter, for the memory planner.
  std::int32_t first = 0;
  std::int32_t last = 0;
  // A storage placed inside another (views, parts, in-place): its root and the offset there.
  std::int32_t parent = -1;
  std::int64_t parent_offset = 0;
};

/// Where a launch or transfer finds bytes: storage (at an offset) or a weight.
struct Operand {
  std::int32_t storage = -1;
  std::int32_t weight = -1;
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
};

/// A constant as one device's kernels want it.
struct WeightUse {
  DeviceIndex device = 0;
  std::shared_ptr<const Constant> constant;
  std::string layout;                    // "" is the file's bytes
  std::shared_ptr<const Kernel> packer;  // packs where layout is not ""
  std::int32_t input = 0;                // the packer's input
  std::int64_t bytes = 0;
  bool of_graph = false;  // the graph's own constant; else made by planning and gone with the plan
};

struct Launch {
  NodeId node;
  bool relayout = false;  // no part of the node: brings a value into the layout that it wants
  std::shared_ptr<const Kernel> kernel;
  std::vector<Operand> inputs;
  std::vector<Operand> outputs;
  Operand workspace;
};

struct SegmentStep {
  DeviceIndex device = 0;
  std::vector<Launch> launches;
};

/// Moves a value between devices through the host, or copies it on one device, in the layout that
/// it has.
struct TransferStep {
  DeviceIndex from_device = 0;
  DeviceIndex to_device = 0;
  Operand from;
  Operand to;
};

using Step = std::variant<SegmentStep, TransferStep>;

/// A value that outlives its stage.
struct LiveOut {
  ValueId value;
  TensorType type;  // dims of a data-dependent value: the bound
  Tensor host;      // set: folded on the host, no bytes elsewhere
  Operand at;       // else a kLiveOut, kLiveIn or kUpload storage
  DeviceIndex device = kHost;
  Operand dims;  // data-dependent: int64[rank] actual dims, in a readback storage
};

struct Stage {
  std::size_t begin = 0;  // positions in the graph's order
  std::size_t end = 0;
  NodeId control;  // control flow that ends the stage, run by the executor
  std::vector<LiveIn> live_in;
  std::vector<Storage> storages;
  std::vector<WeightUse> weights;
  std::vector<Step> steps;
  std::vector<LiveOut> live_out;
  std::vector<std::vector<std::int64_t>> slab_bytes;  // per device
  std::vector<std::int64_t> upload_bytes;             // per device
  std::int64_t flops = 0;
  std::int64_t bytes = 0;

  /// Root storage and offset of an operand.
  Operand resolve(Operand operand) const;
};

}  // namespace polaris
