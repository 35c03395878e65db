#pragma once
#include <memory>

#include "ir/model.h"
#include "text/tokenizer.h"

namespace polaris {

/// The tokenizer that a model's file describes. Errors: why its loader found none, or none that we
/// have (Model::no_tokenizer); what Tokenizer::create refuses.
Result<std::unique_ptr<Tokenizer>> make_tokenizer(const Model& model);

}  // namespace polaris
