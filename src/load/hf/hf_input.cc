#include "load/hf/hf_input.h"

#include <utility>

#include "base/strings.h"
#include "load/hf/weight_form.h"

namespace polaris::hf {
namespace {

std::string quoted(std::string_view name) { return "'" + printable(name) + "'"; }

}  // namespace

Result<HfInput> HfInput::create(const HfArchitecture& architecture, const Config& config,
                                const std::vector<Weight>& weights, const OpSet& ops,
                                const ArchOptions& options) {
  HfInput out(config, weights, ops, options);
  const bool tied = config.get("tie_word_embeddings").boolean().value_or(false);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto name = map_name(architecture, weights[i].name);
    if (!name) {
      out.unknown_.push_back(weights[i].name);
      continue;
    }
    if (name->ours.empty() || (tied && name->ours == "output.weight")) continue;
    const auto [at, added] = out.places_.emplace(name->ours, Place{i, name->form, nullptr, false});
    if (!added) {
      return Error::invalid("[hf] tensor " + quoted(weights[i].name) + ", got it besides " +
                            quoted(weights[at->second.weight].name) + ", wanted one of both");
    }
  }
  return out;
}

bool HfInput::has_weight(std::string_view name) const {
  return places_.contains(name) || config_->weights().contains(name);
}

Result<std::shared_ptr<const Constant>> HfInput::weight(std::string_view name) const {
  if (const auto made = config_->weights().find(name); made != config_->weights().end()) {
    auto out = std::make_shared<Constant>();
    out->name = made->first;
    out->data = made->second;
    return std::shared_ptr<const Constant>(std::move(out));
  }
  const auto at = places_.find(name);
  if (at == places_.end()) {
    return Error::not_found("[hf] the tensor that is '" + printable(name) + "' is missing");
  }
  Place& place = at->second;
  place.taken = true;
  if (!place.made) {
    const auto first_row = config_->value_of(kFirstRow).value_or(0.0);
    auto made = in_form((*weights_)[place.weight].constant, place.form,
                        static_cast<std::int64_t>(first_row));
    if (!made) return made.error();
    place.made = made.take();
  }
  return place.made;
}

std::string HfInput::left_over() const {
  std::vector<std::string> names = unknown_;
  for (const auto& [name, place] : places_) {
    if (!place.taken) names.push_back((*weights_)[place.weight].name);
  }
  if (names.empty()) return {};
  return "tensors, got " + std::to_string(names.size()) +
         " that the network has no place for, such as " + quoted(names.front()) +
         ", wanted none left over";
}

}  // namespace polaris::hf
