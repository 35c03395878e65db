#pragma once
#include <set>
#include <string>
#include <string_view>

#include "arch/architecture.h"
#include "base/log.h"
#include "base/result.h"
#include "ir/model.h"
#include "ir/op_set.h"
#include "load/source.h"

namespace polaris {

struct LoadOptions {
  ArchOptions arch;  // for files that hold weights only
  Logger log;
  /// Names of inputs that the caller will give although the file holds a default for them. Any
  /// other such input is taken for a constant.
  std::set<std::string, std::less<>> given;
};

/// A file format: load/<name>/ defines `extern constinit const Loader loader_<name>`, and
/// load/order.inc names it.
struct Loader {
  std::string_view name;
  /// Looks at the content, never at the file's name.
  bool (*detect)(const Source&) = nullptr;
  Result<Model> (*load)(Source&, const OpSet&, const LoadOptions&) = nullptr;
};

}  // namespace polaris
