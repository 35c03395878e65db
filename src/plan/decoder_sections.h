#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "ir/decoder_contract.h"
#include "ir/graph.h"
#include "plan/plan.h"

namespace polaris {

/// The parts of a decoder that are placed whole: what turns ids into hidden states, the layers,
/// each with the cache that its attention reads, and the head, which turns hidden states into
/// logits. They are cut where least is alive: one hidden state.
struct DecoderSections {
  std::vector<std::size_t> layer_begin;  // positions in the graph's order
  std::size_t head_begin = 0;

  std::int64_t layers() const { return static_cast<std::int64_t>(layer_begin.size()); }
  /// 0 is the embedding, then come the layers, layers() + 1 is the head.
  std::size_t section_of(std::size_t position) const;
};

/// Which device has what of a decoder: runs of layers in order of the devices.
struct LayerSplit {
  DeviceIndex embedding = 0;
  std::vector<std::int64_t> layers;  // by device
  DeviceIndex head = 0;

  /// The device of each section; layers beyond those that are dealt go with the head.
  std::vector<DeviceIndex> devices(const DecoderSections& sections) const;
};

/// Nothing where the graph's layers do not follow each other, or it has none.
std::optional<DecoderSections> find_sections(const Graph& graph, const DecoderContract& contract);

/// What each section is estimated to take on a device that had it, in microseconds.
std::vector<double> section_times(Graph& graph, const DecoderSections& sections,
                                  const Device& device);

}  // namespace polaris
