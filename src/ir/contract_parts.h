#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace polaris {

/// The inputs of one function, each to be given a part by the contract that `contract` names.
class ContractParts {
 public:
  ContractParts(std::string contract, std::string function, const Graph& graph)
      : contract_(std::move(contract)),
        function_(std::move(function)),
        graph_(graph),
        taken_(graph.inputs().size(), false) {}

  /// Errors: invalid, where there is no such input or it is not int32 of that rank.
  Status take(std::size_t input, const std::string& part, int rank);
  /// An input [positions, ...] of any type.
  Status take_source(std::size_t input);
  /// Errors: invalid, naming an input that was given no part.
  Status all_taken() const;
  /// That output `output` is float32 of rank 2 with a fixed last dim.
  Status check_rows(std::size_t output, const std::string& part, const std::string& wanted) const;

 private:
  std::string contract_;
  std::string function_;
  const Graph& graph_;
  std::vector<bool> taken_;
};

/// `[contract] what, got X, wanted Y`.
Error contract_error(const std::string& contract, const std::string& what, const std::string& got,
                     const std::string& wanted);

}  // namespace polaris
