// covers: src/text/jinja src/pipeline/chat
#include <cstdint>
#include <string_view>

#include "pipeline/chat/chat_values.h"
#include "text/jinja/template.h"
#include "wire/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view whole(reinterpret_cast<const char*>(data), size);
  // What the template is given, and the template, around a byte that neither can hold.
  const std::size_t between = whole.find('\xFE');
  const std::string_view given =
      between == std::string_view::npos ? R"({"messages":[]})" : whole.substr(0, between);
  const std::string_view source =
      between == std::string_view::npos ? whole : whole.substr(between + 1);
  // As a run has them, but that a run of the fuzzer must be short.
  polaris::jinja::Limits limits;
  limits.steps = 1 << 17;
  limits.memory_bytes = 1 << 24;
  const auto parsed = polaris::jinja::Template::parse(source, limits);
  const auto document = polaris::JsonDocument::parse(given);
  if (!parsed || !document) return 0;
  polaris::jinja::Machine machine(limits);
  const polaris::jinja::Value value = polaris::chat_value(machine, (*document).root());
  const bool is_dict = value.is(polaris::jinja::Kind::kDict);
  (void)(*parsed).render(machine, is_dict ? value : machine.dict());
  return 0;
}
