#include "ir/decoder_contract.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "ir/model.h"

namespace polaris {
namespace {

Error wrong(const std::string& what, const std::string& got, const std::string& wanted) {
  return Error::invalid("[decoder] " + what + ", got " + got + ", wanted " + wanted);
}

/// The inputs of one function, each to be given a part.
class Parts {
 public:
  Parts(std::string function, const Graph& graph)
      : function_(std::move(function)), graph_(graph), taken_(graph.inputs().size(), false) {}

  Status take(std::size_t input, const std::string& part, int rank) {
    const std::string what = "input of " + part;
    if (input >= taken_.size()) {
      return wrong(what, std::to_string(input),
                   "one of the " + std::to_string(taken_.size()) + " of '" + function_ + "'");
    }
    taken_[input] = true;
    const Value& value = graph_.value(graph_.inputs()[input]);
    if (value.type.dtype == DType::kI32 && value.type.shape.rank() == rank) {
      return Status::success();
    }
    return wrong(what, "'" + printable(value.name) + "' " + value.type.to_string(),
                 "int32 of rank " + std::to_string(rank));
  }
  Status take_source(std::size_t input) {
    if (input >= taken_.size()) return take(input, "source", 1);
    taken_[input] = true;
    const TensorType& type = graph_.value(graph_.inputs()[input]).type;
    if (type.shape.rank() > 0) return Status::success();
    return wrong("input of source", type.to_string(), "[positions, ...]");
  }
  Status all_taken() const {
    const auto left = std::find(taken_.begin(), taken_.end(), false);
    if (left == taken_.end()) return Status::success();
    const ValueId input = graph_.inputs()[static_cast<std::size_t>(left - taken_.begin())];
    return wrong("input '" + printable(graph_.value(input).name) + "' of '" + function_ + "'",
                 "no part", "one that the contract gives it");
  }

 private:
  std::string function_;
  const Graph& graph_;
  std::vector<bool> taken_;
};

Status check_numbers(const DecoderContract& contract, const CacheGroup& group) {
  const std::string what = "cache group '" + printable(group.name) + "'";
  if (group.page_size < 1 || group.page_size > INT32_MAX) {
    return wrong(what + " pages", std::to_string(group.page_size) + " tokens", "1 to 2^31 - 1");
  }
  if (group.window < 0 || group.window > INT32_MAX) {
    return wrong(what + " window", std::to_string(group.window), "0 to 2^31 - 1");
  }
  if (group.cross && (group.window > 0 || !contract.encoder)) {
    return wrong(what, "an encoder's " + std::string(group.window > 0 ? "with a window" : "alone"),
                 "an encoder's function, and all of what it wrote read");
  }
  if (group.positions == contract.positions && (group.cross || group.window > 0)) {
    return wrong(what, "the positions of the tokens", "positions of its own");
  }
  return Status::success();
}

Status check_states(const Model& model, const CacheGroup& group) {
  for (const std::string& name : group.states) {
    const auto held = model.states.find(name);
    const std::string what =
        "state '" + printable(name) + "' of cache group '" + printable(group.name) + "'";
    if (held == model.states.end()) return wrong(what, "none of that name", "one of the model's");
    const TensorType& type = held->second->type;
    if (held->second->paged && type.shape.rank() >= 2 && type.shape[1] == group.page_size) continue;
    return wrong(what, type.to_string() + (held->second->paged ? "" : " that is not paged"),
                 "paged [pages, " + std::to_string(group.page_size) + ", ...]");
  }
  return Status::success();
}

Status check_group(const Model& model, const DecoderContract& contract, const CacheGroup& group,
                   Parts& decoder, Parts* encoder) {
  if (auto s = check_numbers(contract, group); !s) return s;
  const std::string part = " of cache group '" + printable(group.name) + "'";
  if (auto s = decoder.take(group.block_table, "block table" + part, 2); !s) return s;
  if (auto s = decoder.take(group.positions, "positions" + part, 1); !s) return s;
  Parts& writer = group.cross ? *encoder : decoder;
  if (auto s = writer.take(group.slots, "slots" + part, 1); !s) return s;
  return check_states(model, group);
}

Status check_grouped(const Model& model, const DecoderContract& contract) {
  for (const auto& [name, state] : model.states) {
    if (!state->paged) continue;
    const auto groups = std::ranges::count_if(contract.groups, [&](const CacheGroup& group) {
      return std::ranges::count(group.states, name) > 0;
    });
    if (groups != 1) {
      return wrong("paged state '" + printable(name) + "'", std::to_string(groups) + " groups",
                   "one cache group");
    }
  }
  return Status::success();
}

}  // namespace

const CacheGroup* DecoderContract::group_of(std::string_view state) const {
  for (const CacheGroup& group : groups) {
    if (std::ranges::count(group.states, state) > 0) return &group;
  }
  return nullptr;
}

Status check_decoder(const Model& model) {
  if (!model.decoder) return Status::success();
  const DecoderContract& contract = *model.decoder;
  const Graph* graph = model.find("main");
  if (graph == nullptr) return wrong("function", "none", "'main'");
  Parts decoder("main", *graph);
  if (auto s = decoder.take(contract.tokens, "tokens", 1); !s) return s;
  if (auto s = decoder.take(contract.positions, "positions", 1); !s) return s;
  if (auto s = decoder.take(contract.sequences, "sequences", 1); !s) return s;
  if (auto s = decoder.take(contract.logit_rows, "logit rows", 1); !s) return s;
  if (contract.logits >= graph->outputs().size()) {
    return wrong("output of logits", std::to_string(contract.logits),
                 "one of " + std::to_string(graph->outputs().size()));
  }
  const TensorType& logits = graph->value(graph->outputs()[contract.logits]).type;
  if (logits.dtype != DType::kF32 || logits.shape.rank() != 2 || !is_static_dim(logits.shape[1])) {
    return wrong("output of logits", logits.to_string(), "float32[rows, vocabulary]");
  }
  std::optional<Parts> encoder;
  if (contract.encoder) {
    const Graph* source = model.find(contract.encoder->function);
    if (source == nullptr) {
      return wrong("encoder", "none", "'" + printable(contract.encoder->function) + "'");
    }
    encoder.emplace(contract.encoder->function, *source);
    if (auto s = encoder->take_source(contract.encoder->source); !s) return s;
  }
  for (const CacheGroup& group : contract.groups) {
    Parts* writer = encoder ? &*encoder : nullptr;
    if (auto s = check_group(model, contract, group, decoder, writer); !s) return s;
  }
  if (auto s = decoder.all_taken(); !s) return s;
  if (encoder) {
    if (auto s = encoder->all_taken(); !s) return s;
  }
  return check_grouped(model, contract);
}

}  // namespace polaris
