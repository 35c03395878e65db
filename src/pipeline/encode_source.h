#pragma once
#include "pipeline/language_model.h"
#include "session/kv_pool.h"
#include "session/session.h"

namespace polaris {

/// Whether a source is what the model's encoder takes, and none where it has no encoder. Errors:
/// invalid; exhausted where it has more positions than the cache.
Status check_source(const LanguageModel& model, const KvPool& pool, const Tensor& source);

/// Runs the encoder of the session's program over a checked source, for which the sequence has
/// room: its keys and values are then in the encoder's cache groups. Errors: what the run says.
Status encode_source(Session& session, KvPool& pool, Sequence& sequence, const Tensor& source,
                     const RunOptions& options);

}  // namespace polaris
