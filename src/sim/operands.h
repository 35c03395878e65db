#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "backend/vulkan/kernel.h"
#include "base/result.h"
#include "gcn/machine.h"

namespace polaris::gcn {

/// Host bytes of what one launch of a kernel reads and writes. Every span may be read up to the
/// next multiple of 4 bytes.
class Operands {
 public:
  std::vector<std::span<std::byte>> inputs;  // by the node's inputs; empty: absent
  std::vector<std::span<std::byte>> outputs;
  std::span<std::byte> workspace;
  std::span<std::byte> params;
  std::span<std::byte> status;  // the word that a kernel reports in

  /// A dispatch as the machine takes it, its operands mapped into `memory`. Errors: internal where
  /// an operand leaves its source.
  Result<Launch> launch(const vulkan::Dispatch& dispatch, Memory& memory);

 private:
  /// Rounded up to words, as the backend's descriptors are.
  Result<std::span<std::byte>> find(const vulkan::Operand& operand);
  std::vector<std::byte> spare_ = std::vector<std::byte>(256);  // what an empty operand shows
};

}  // namespace polaris::gcn
