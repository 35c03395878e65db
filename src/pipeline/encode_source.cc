#include "pipeline/encode_source.h"

#include <string>
#include <vector>

#include "session/symbol_binding.h"

namespace polaris {

Status check_source(const LanguageModel& model, const KvPool& pool, const Tensor& source) {
  const auto& encoder = model.contract().encoder;
  if (!encoder) {
    if (!source) return Status::success();
    return Error::invalid("[generate] source, got " + source.type().to_string() +
                          ", wanted none: the model has no encoder");
  }
  const Graph& graph = model.program->find(encoder->function)->graph;
  if (!source || source.shape().elements() == 0) {
    return Error::invalid("[generate] source, got " +
                          (source ? source.type().to_string() : "nothing") + ", wanted " +
                          graph.value(graph.inputs()[encoder->source]).type.to_string());
  }
  auto bound = SymbolBinding(graph).bind_input(encoder->source, source.type());
  if (!bound) return bound.error().with_context("[generate] source");
  if (source.shape()[0] <= pool.source_max()) return Status::success();
  return Error::exhausted("[generate] source, got " + std::to_string(source.shape()[0]) +
                          " positions, wanted at most " + std::to_string(pool.source_max()) +
                          ", which the cache holds");
}

Status encode_source(Session& session, KvPool& pool, Sequence& sequence, const Tensor& source,
                     const RunOptions& options) {
  const DecoderContract& contract = *session.program().decoder();
  const Graph& graph = session.program().find(contract.encoder->function)->graph;
  const auto name = [&](std::size_t input) -> const std::string& {
    return graph.value(graph.inputs()[input]).name;
  };
  const std::int64_t positions = source.shape()[0];
  Bindings bindings;
  bindings.input(name(contract.encoder->source), source);
  for (std::size_t g = 0; g < contract.groups.size(); ++g) {
    if (!contract.groups[g].cross) continue;
    auto slots = Tensor::allocate(DType::kI32, {positions});
    if (!slots) return slots.error();
    for (std::int64_t p = 0; p < positions; ++p) {
      slots->mutable_data<std::int32_t>()[p] = pool.slot(sequence, p, g);
    }
    bindings.input(name(contract.groups[g].slots), slots.take());
  }
  std::vector<Tensor> outputs;
  if (auto s = session.run(contract.encoder->function, bindings, outputs, options); !s) return s;
  pool.commit_source(sequence, positions);
  return Status::success();
}

}  // namespace polaris
