#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "arch/architecture.h"
#include "ir/model.h"
#include "pipeline/batcher.h"
#include "session/program.h"

namespace polaris {

/// How a language model is made ready to generate.
struct GenerationOptions {
  KvType kv_type = KvType::kF16;
  /// Tokens of a sequence; 0: what the model was trained for, at most kContextDefault.
  std::int64_t context = 0;
  std::int64_t sequences = 1;  // of the whole context that the cache has room for
  std::int64_t source = 1500;  // positions of a source, where the model has an encoder
  std::shared_ptr<const AdapterSet> adapters;  // that texts may ask for; null: none
  /// As FitOptions::layers.
  std::optional<std::int64_t> gpu_layers;
  std::int64_t logit_rows = 0;  // of a step; 0: one a sequence
  /// Likeliest tokens that the device of the logits hands back in place of whole rows, where they
  /// settle what is picked; 0: whole rows. Nothing: kTopLogits where that device is a card.
  std::optional<std::int64_t> top_logits;
  BatcherOptions batcher;
};

/// A model trained for very long texts would take all memory for its cache.
inline constexpr std::int64_t kContextDefault = 4096;

/// How such options want a model loaded.
ArchOptions arch_options(const GenerationOptions& options);
/// The same of a model that is asked for nothing else: also one that a file has as a graph with its
/// past as inputs.
ArchOptions generator_arch_options(const GenerationOptions& options);

/// What a model so made ready has to have room for.
FitNeed fit_need(const Model& model, const GenerationOptions& options);

/// A language model with a session and a cache of its own.
struct ReadyModel {
  LanguageModel model;
  std::shared_ptr<KvPool> pool;
  std::unique_ptr<Session> session;
};
/// context -> layers' devices -> pages -> pool -> session. Takes the model's functions. Errors: as
/// LanguageModel::create, KvPool::create, Session::create.
Result<ReadyModel> make_ready(std::shared_ptr<Runtime> runtime, Model& model,
                              ProgramOptions program, const GenerationOptions& options);

/// The same with a batcher over it.
Result<std::unique_ptr<Batcher>> make_batcher(std::shared_ptr<Runtime> runtime, Model& model,
                                              ProgramOptions program,
                                              const GenerationOptions& options);

/// Has the batcher draft by this model, on the same devices and with a cache as large. Errors: as
/// make_ready and Batcher::set_draft_model.
Status add_draft_model(Batcher& batcher, std::shared_ptr<Runtime> runtime, Model& model,
                       ProgramOptions program, const GenerationOptions& options);

}  // namespace polaris
