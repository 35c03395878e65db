#pragma once
#include <string_view>

#include "base/result.h"
#include "text/sampler_options.h"

namespace polaris {

/// `options` with what a JSON object says: the names of sampler_options.h, and "logit_bias", an
/// object from token ids to numbers, or to false for tokens that are forbidden. Errors: invalid
/// (malformed, a name that there is not or is there twice, a number out of its bounds).
Result<SamplerOptions> read_sampler_json(std::string_view text, SamplerOptions options);

}  // namespace polaris
