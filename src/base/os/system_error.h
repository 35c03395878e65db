#pragma once
#include <string>
#include <string_view>

#include "base/error.h"

namespace polaris {

/// `[file] 'path' what: reason` for an errno value; not_found where there is no such file.
Error file_error(std::string_view path, std::string_view what, int code);

}  // namespace polaris
