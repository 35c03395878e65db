#include "base/os/system_error.h"

#include <cerrno>
#include <system_error>

namespace polaris {

Error file_error(std::string_view path, std::string_view what, int code) {
  std::string message = "[file] '";
  message += path;
  message += "' ";
  message += what;
  message += ": ";
  message += std::generic_category().message(code);
  if (code == ENOENT || code == ENOTDIR) return Error::not_found(std::move(message));
  return Error::io(std::move(message));
}

}  // namespace polaris
