#pragma once
#include <cstddef>
#include <cstdint>

namespace polaris::jinja {

/// What a template may take, whoever wrote it and whatever it is given.
struct Limits {
  std::size_t template_bytes = std::size_t{1} << 18;
  int nesting = 128;                                  // of expressions and statements, as written
  int depth = 640;                                    // of calls within calls, as run
  std::int64_t steps = std::int64_t{1} << 24;         // nodes run, and 64 bytes looked at
  std::size_t memory_bytes = std::size_t{256} << 20;  // all that is ever made
  std::size_t output_bytes = std::size_t{64} << 20;
};

}  // namespace polaris::jinja
