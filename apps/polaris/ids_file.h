#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "text/vocabulary.h"

namespace polaris::cli {

/// Token ids from a JSON file: `[1, 2, 3]`, or an object with such a list under "ids", as
/// `polaris tokenize --json` and the last line of `polaris generate --json` print it.
/// Errors: not_found, io; invalid, with the file's name, where it is something else.
Result<std::vector<TokenId>> read_ids(const std::string& path);

}  // namespace polaris::cli
