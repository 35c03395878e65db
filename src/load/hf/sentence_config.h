#pragma once
#include "base/result.h"
#include "load/hf/config.h"
#include "load/source.h"

namespace polaris::hf {

/// What sentence-transformers says beside a config.json of how texts become embeddings: the modules
/// of modules.json, the pooling of 1_Pooling/config.json, the longest text of
/// sentence_bert_config.json. Errors: invalid; unsupported where a module or pooling changes the
/// embedding in a way that there is nothing for here.
Status read_sentence_config(Source& source, Config& config);

}  // namespace polaris::hf
