#pragma once
#include <string>
#include <string_view>

namespace polaris::grammar {

/// The GBNF of one of JSON schema's formats, as it stands between JSON's quotes; empty for others.
std::string format_gbnf(std::string_view name);
/// All there are, for messages.
std::string format_names();

}  // namespace polaris::grammar
