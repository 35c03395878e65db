#include "ir/decoder_contract.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "ir/contract_parts.h"
#include "ir/model.h"

namespace polaris {
namespace {

Error wrong(const std::string& what, const std::string& got, const std::string& wanted) {
  return contract_error("decoder", what, got, wanted);
}

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
                   ContractParts& decoder, ContractParts* encoder) {
  if (auto s = check_numbers(contract, group); !s) return s;
  const std::string part = " of cache group '" + printable(group.name) + "'";
  if (auto s = decoder.take(group.block_table, "block table" + part, 2); !s) return s;
  if (auto s = decoder.take(group.positions, "positions" + part, 1); !s) return s;
  ContractParts& writer = group.cross ? *encoder : decoder;
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
  ContractParts decoder("decoder", "main", *graph);
  if (auto s = decoder.take(contract.tokens, "tokens", 1); !s) return s;
  if (auto s = decoder.take(contract.positions, "positions", 1); !s) return s;
  if (auto s = decoder.take(contract.sequences, "sequences", 1); !s) return s;
  if (auto s = decoder.take(contract.logit_rows, "logit rows", 1); !s) return s;
  if (contract.adapters) {
    if (auto s = decoder.take(contract.adapters->input, "adapters", 2); !s) return s;
  }
  if (auto s = decoder.check_rows(contract.logits, "logits", "float32[rows, vocabulary]"); !s) {
    return s;
  }
  std::optional<ContractParts> encoder;
  if (contract.encoder) {
    const Graph* source = model.find(contract.encoder->function);
    if (source == nullptr) {
      return wrong("encoder", "none", "'" + printable(contract.encoder->function) + "'");
    }
    encoder.emplace("decoder", contract.encoder->function, *source);
    if (auto s = encoder->take_source(contract.encoder->source); !s) return s;
  }
  for (const CacheGroup& group : contract.groups) {
    ContractParts* writer = encoder ? &*encoder : nullptr;
    if (auto s = check_group(model, contract, group, decoder, writer); !s) return s;
  }
  if (auto s = decoder.all_taken(); !s) return s;
  if (encoder) {
    if (auto s = encoder->all_taken(); !s) return s;
  }
  return check_grouped(model, contract);
}

}  // namespace polaris
