#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arch/architecture.h"
#include "load/hf/architecture.h"
#include "load/hf/config.h"

namespace polaris::hf {

/// A folder's tensors and numbers under the names of arch/. The model and the config outlive it.
class HfInput final : public ArchInput {
 public:
  /// Errors: invalid where two tensors are one of arch/.
  static Result<HfInput> create(const HfArchitecture& architecture, const Config& config,
                                const std::vector<Weight>& weights, const OpSet& ops,
                                const ArchOptions& options);

  const MetadataValue* hyperparameter(std::string_view name) const override {
    return config_->find(name);
  }
  bool has_weight(std::string_view name) const override;
  Result<std::shared_ptr<const Constant>> weight(std::string_view name) const override;

  /// What is wrong where the network has no place for some tensors; empty where it has.
  std::string left_over() const;

 private:
  struct Place {
    std::size_t weight = 0;
    WeightForm form = WeightForm::kAsIs;
    std::shared_ptr<const Constant> made;
    bool taken = false;
  };
  HfInput(const Config& config, const std::vector<Weight>& weights, const OpSet& ops,
          const ArchOptions& options)
      : ArchInput(ops, options), config_(&config), weights_(&weights) {}

  const Config* config_;
  const std::vector<Weight>* weights_;
  mutable std::map<std::string, Place, std::less<>> places_;
  std::vector<std::string> unknown_;
};

}  // namespace polaris::hf
