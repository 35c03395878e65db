#pragma once
#include <cstdint>
#include <string>

namespace polaris {

struct MemoryUse {
  std::string device;
  std::int64_t weight_bytes = 0;
  std::int64_t arena_bytes = 0;  // slabs, uploads and outputs of the largest stage
  std::int64_t state_bytes = 0;  // of an estimate: caches, what a recurrent model carries
  std::int64_t budget_bytes = 0;
  std::int64_t launches = 0;  // of an estimate: nodes that run there
};

}  // namespace polaris
