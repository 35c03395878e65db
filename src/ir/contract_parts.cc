#include "ir/contract_parts.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace polaris {

Error contract_error(const std::string& contract, const std::string& what, const std::string& got,
                     const std::string& wanted) {
  return Error::invalid("[" + contract + "] " + what + ", got " + got + ", wanted " + wanted);
}

Status ContractParts::take(std::size_t input, const std::string& part, int rank) {
  const std::string what = "input of " + part;
  if (input >= taken_.size()) {
    return contract_error(
        contract_, what, std::to_string(input),
        "one of the " + std::to_string(taken_.size()) + " of '" + function_ + "'");
  }
  taken_[input] = true;
  const Value& value = graph_.value(graph_.inputs()[input]);
  if (value.type.dtype == DType::kI32 && value.type.shape.rank() == rank) {
    return Status::success();
  }
  return contract_error(contract_, what,
                        "'" + printable(value.name) + "' " + value.type.to_string(),
                        "int32 of rank " + std::to_string(rank));
}

Status ContractParts::take_source(std::size_t input) {
  if (input >= taken_.size()) return take(input, "source", 1);
  taken_[input] = true;
  const TensorType& type = graph_.value(graph_.inputs()[input]).type;
  if (type.shape.rank() > 0) return Status::success();
  return contract_error(contract_, "input of source", type.to_string(), "[positions, ...]");
}

Status ContractParts::all_taken() const {
  const auto left = std::find(taken_.begin(), taken_.end(), false);
  if (left == taken_.end()) return Status::success();
  const ValueId input = graph_.inputs()[static_cast<std::size_t>(left - taken_.begin())];
  return contract_error(
      contract_, "input '" + printable(graph_.value(input).name) + "' of '" + function_ + "'",
      "no part", "one that the contract gives it");
}

Status ContractParts::check_rows(std::size_t output, const std::string& part,
                                 const std::string& wanted) const {
  const std::string what = "output of " + part;
  if (output >= graph_.outputs().size()) {
    return contract_error(contract_, what, std::to_string(output),
                          "one of " + std::to_string(graph_.outputs().size()));
  }
  const TensorType& type = graph_.value(graph_.outputs()[output]).type;
  if (type.dtype == DType::kF32 && type.shape.rank() == 2 && is_static_dim(type.shape[1])) {
    return Status::success();
  }
  return contract_error(contract_, what, type.to_string(), wanted);
}

}  // namespace polaris
