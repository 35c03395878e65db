#include <string_view>

#include "ir/text/model_text.h"
#include "load/loader.h"

namespace polaris {
namespace {

std::string_view text_of(const Source& source) {
  const auto bytes = source.main().bytes;
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Whether the text begins, after spaces and comments, with `graph` or `state`.
bool detect(const Source& source) {
  std::string_view text = text_of(source);
  while (!text.empty()) {
    const std::size_t at = text.find_first_not_of(" \t\r\n");
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at);
    if (!text.starts_with('#')) break;
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  }
  if (!text.starts_with("graph") && !text.starts_with("state")) return false;
  constexpr std::string_view kAfter = " \t\r\n{\"#";
  return text.size() > 5 && kAfter.find(text[5]) != std::string_view::npos;
}

Result<Model> load(Source& source, const OpSet& ops, const LoadOptions&) {
  auto model = parse_model(text_of(source), ops);
  if (!model) return model;
  if (model->functions.empty()) model->no_function_reason = "the text declares states only";
  for (const auto& [name, graph] : model->functions) {
    for (ValueId id : graph.value_ids()) {
      const auto& constant = graph.value(id).constant;
      if (constant) model->parameter_count += constant->data.elements();
    }
  }
  return model;
}

}  // namespace

extern constinit const Loader loader_text{
    .name = "text",
    .detect = detect,
    .load = load,
};

}  // namespace polaris
