#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "arch/architecture.h"
#include "support/text_program.h"

namespace polaris::test {

/// Outlives every input, so that inputs may be copied.
inline const OpSet& builtin_ops() {
  static const OpSet ops = OpSet::builtin();
  return ops;
}

/// Hyperparameters and weights from a test.
class FakeArchInput final : public ArchInput {
 public:
  explicit FakeArchInput(const ArchOptions& options = {}) : ArchInput(builtin_ops(), options) {}
  Metadata hyperparameters;
  std::map<std::string, Tensor, std::less<>> weights;

  const MetadataValue* hyperparameter(std::string_view name) const override {
    const auto at = hyperparameters.find(std::string(name));
    return at == hyperparameters.end() ? nullptr : &at->second;
  }
  bool has_weight(std::string_view name) const override { return weights.contains(name); }
  Result<std::shared_ptr<const Constant>> weight(std::string_view name) const override {
    const auto at = weights.find(name);
    if (at == weights.end()) return Error::not_found(std::string(name) + " is missing");
    auto out = std::make_shared<Constant>();
    out->name = at->first;
    out->data = at->second;
    return std::shared_ptr<const Constant>(std::move(out));
  }
  /// A weight of ones.
  void add(const std::string& name, const Shape& shape) {
    weights[name] =
        floats(shape, std::vector<float>(static_cast<std::size_t>(shape.elements()), 1));
  }
};

}  // namespace polaris::test
