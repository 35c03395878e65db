// covers: src/wire src/ir src/arch src/load
#include <cstdint>

#include "load/load.h"
#include "support/fuzz_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const polaris::OpSet ops = polaris::OpSet::builtin();
  polaris::LoadOptions options;
  options.arch.context_max = 256;  // tables of positions would take most of the time
  auto source = polaris::Source::in_memory("fuzz.gguf", polaris::test::fuzz_bytes(data, size));
  if (source.main().bytes.size() < 4) return 0;
  (void)polaris::load_model(source, ops, options);
  return 0;
}
