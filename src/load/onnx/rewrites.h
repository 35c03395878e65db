#pragma once
#include <cstdint>
#include <string_view>

#include "load/onnx/importer.h"

namespace polaris::onnx {

inline constexpr std::int64_t kAnyVersion = INT64_MAX;

/// Null where the op of that version needs none.
Rewrite find_rewrite(std::string_view domain, std::string_view op, std::int64_t version);

}  // namespace polaris::onnx
