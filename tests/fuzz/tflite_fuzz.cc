// covers: src/wire src/ir src/load
#include <cstdint>

#include "load/load.h"
#include "load/tflite/schema.h"
#include "support/fuzz_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const polaris::OpSet ops = polaris::OpSet::builtin();
  auto source = polaris::Source::in_memory("fuzz.tflite", polaris::test::fuzz_bytes(data, size));
  // Detection is narrow; the parser must stand bytes that it would not let through too.
  polaris::FlatBuffer buffer(source.main().bytes);
  (void)polaris::tflite::parse_model(buffer);
  (void)polaris::load_model(source, ops);
  return 0;
}
