#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "ir/model.h"
#include "plan/decoder_sections.h"
#include "session/cache_groups.h"
#include "session/memory_use.h"
#include "session/program.h"

namespace polaris {

/// What a decoder has to have room for.
struct FitNeed {
  CacheNeed cache;
  std::int64_t step_tokens = 1;  // of all texts
  std::int64_t logit_rows = 1;
};

/// How a decoder's layers are dealt to devices, and what each then holds.
struct LayerFit {
  LayerSplit split;
  std::int64_t layers = 0;        // that the model has
  std::int64_t card_layers = 0;   // of them, those on the devices asked for
  bool whole = false;             // nothing is left to the device behind those
  bool fits = false;              // within every device's budget
  std::vector<MemoryUse> memory;  // by device
};

struct FitOptions {
  ProgramOptions program;
  /// Layers for the devices asked for, as told; the head counts as one more behind them. Nothing:
  /// as many as fit.
  std::optional<std::int64_t> layers;
  /// What each device may hold in all; empty: its budget as it is now.
  std::vector<std::int64_t> capacity_bytes;
};

/// Deals the layers of a model's decoder: the devices asked for take contiguous runs, as long as
/// they have room for weights, caches and working memory, and what is left goes to the host's
/// device behind them, where rows of the embedding are then looked up too. Each way of dealing is
/// planned as a run would be, so that sizes are what a run takes. Nothing where there is one device
/// alone or the layers cannot be told. Errors: as plan_ahead.
Result<std::optional<LayerFit>> fit_layers(Runtime& runtime, const Model& model,
                                           const FitNeed& need, const FitOptions& options);

/// What a device may hold of weights, caches and working memory.
std::int64_t capacity_of(Runtime& runtime, DeviceIndex device);

}  // namespace polaris
