#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "text/jinja/limits.h"
#include "text/jinja/machine.h"

namespace polaris::jinja {

struct Syntax;

/// A template in Jinja as chat templates use it, in the environment that transformers gives them:
/// an immutable sandbox with trim_blocks, lstrip_blocks, loop controls, generation blocks, tojson,
/// raise_exception and strftime_now. Immutable, thread-safe.
class Template {
 public:
  /// Errors: invalid, with the line and what stands there; exhausted where it is too long.
  static Result<Template> parse(std::string_view source, const Limits& limits = {});

  /// The text that it makes of `names`, a dict of the machine's; a machine serves one rendering.
  /// Errors: invalid, with the line and the construct that failed or what raise_exception was told;
  /// exhausted where it took more than the machine's limits.
  Result<std::string> render(Machine& machine, const Value& names) const;

 private:
  explicit Template(std::shared_ptr<const Syntax> syntax) : syntax_(std::move(syntax)) {}
  std::shared_ptr<const Syntax> syntax_;
};

}  // namespace polaris::jinja
