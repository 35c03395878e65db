#pragma once
#include <memory>
#include <string>
#include <vector>

#include "audit/report.h"
#include "gcn/timing.h"
#include "ir/graph.h"
#include "radv/variants.h"
#include "sim/program_cache.h"

namespace polaris::gcn {

/// One dispatch by both models of the card: the simulation, and what the audit's hot loop comes to
/// (every wave's trips, over all SIMDs).
struct TwoTimes {
  std::string variant;  // its name in shaders.json, or that of the nearest there
  std::string node;
  double simulated_us = 0;
  double modelled_us = 0;
  std::string bound;
  /// Whether the two are more than 10 % apart, so that the simulated time is the variant's mark.
  bool disagree() const;
  /// What its mark is called.
  std::string mark() const { return variant + " @ " + node; }
};

/// Times the nodes of graphs by both models.
class TwoModels {
 public:
  /// `shaders` is a shaders.json. Errors: not_found without Mesa's driver. Throws what
  /// radv::read_variants does.
  static Result<std::unique_ptr<TwoModels>> open(const std::string& shaders);
  /// Every dispatch of the node's kernel. Errors: invalid where its shader is not in shaders.json;
  /// the simulation's.
  Result<std::vector<TwoTimes>> time(const Graph& graph, const Node& node);
  const std::string& mesa() const { return device_->mesa(); }

 private:
  /// The variant whose constants differ least: the list has one for those that differ in a flag.
  const radv::Variant* find(const vulkan::Dispatch& dispatch) const;
  Result<double> modelled_us(const vulkan::Dispatch& dispatch, const Timing& timing);
  std::vector<radv::Variant> variants_;
  std::unique_ptr<radv::NullDevice> device_;
  std::unique_ptr<ProgramCache> programs_;
  TimingOptions options_;
};

}  // namespace polaris::gcn
