// covers: src/wire src/text src/pipeline/tokenizer_file src/load/source.cc
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "load/source.h"
#include "pipeline/tokenizer_file/tokenizer_file.h"
#include "support/fuzz_bytes.h"
#include "text/tokenizer.h"

namespace {

void use(polaris::Result<polaris::TokenizerSettings> settings, std::string_view text) {
  if (!settings) return;
  const auto tokenizer = polaris::Tokenizer::create(settings.take());
  if (!tokenizer) return;
  for (const bool parse : {false, true}) {
    const auto ids = (*tokenizer)->encode(text, {.parse_special = parse});
    if (ids) (void)(*tokenizer)->decode(*ids);
  }
  (void)(*tokenizer)->end_tokens();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view whole(reinterpret_cast<const char*>(data), size);
  // The file's own end is the text, so that it meets the file's tokens.
  const std::string_view text = whole.substr(size - std::min<std::size_t>(size, 64));
  auto source = polaris::Source::in_memory("fuzz", polaris::test::fuzz_bytes(data, size));
  auto settings = polaris::read_tokenizer_file(source);
  if (settings && *settings) use(std::move(**settings), text);
  // Two files in one, around a byte that neither can hold.
  const std::size_t between = whole.find('\xFE');
  if (between != std::string_view::npos) {
    use(polaris::read_vocabulary_and_merges(whole.substr(0, between), whole.substr(between + 1),
                                            {}),
        text);
  }
  return 0;
}
