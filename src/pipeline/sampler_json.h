#pragma once
#include <string_view>

#include "base/result.h"
#include "text/sampler_options.h"

namespace polaris {

/// `options` with what a JSON object says: the names of sampler_options.h, and "logit_bias", an
/// object from token ids to numbers, or to false for tokens that are forbidden; "grammar", a text
/// of GBNF, or "json_schema", a schema. Errors: invalid (malformed, a name that there is not or is
/// there twice, a number out of its bounds); those of Grammar::parse and compile_schema.
Result<SamplerOptions> read_sampler_json(std::string_view text, SamplerOptions options);

}  // namespace polaris
