#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "pipeline/layer_fit.h"

namespace polaris::cli {

/// What fits at one context.
struct ContextRow {
  std::int64_t context = 0;
  LayerFit fit;
};

/// What fits of a language model on one set of devices.
struct ContextTable {
  std::string card;  // which, where it is not here: "rx580, 8.0 GiB"
  std::vector<ContextRow> rows;
  std::int64_t whole_context = 0;  // the largest at which the cards hold everything; 0: none
};

/// How a model of this context is dealt; nothing where it cannot be told. Where all is asked for,
/// it is dealt to the cards whole, whether it fits or not.
using FitAt = std::function<Result<std::optional<LayerFit>>(std::int64_t context, bool all)>;

/// Rows for powers of two up to `most`, for `most`, and for `asked` where it is not 0. Empty where
/// layers cannot be told. Errors: what `fit_at` finds.
Result<ContextTable> context_table(std::int64_t most, std::int64_t asked, const FitAt& fit_at);

void print_contexts(const ContextTable& table);
/// {"card","whole_context","rows":[{"context","layers","card_layers","whole","fits","embedding",
/// "head","devices":[{"device","layers","weight_bytes","state_bytes","working_bytes","bytes",
/// "budget_bytes"}]}]}
void write_contexts(JsonWriter& json, const ContextTable& table);

}  // namespace polaris::cli
