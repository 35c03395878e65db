// covers: src/wire src/ir src/load
#include <cstdint>

#include "load/load.h"
#include "load/onnx/proto.h"
#include "support/fuzz_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const polaris::OpSet ops = polaris::OpSet::builtin();
  auto source = polaris::Source::in_memory("fuzz.onnx", polaris::test::fuzz_bytes(data, size));
  // Detection is narrow; the parser must stand bytes that it would not let through too.
  (void)polaris::onnx::parse_model(source.main().bytes);
  (void)polaris::load_model(source, ops);
  polaris::LoadOptions generate;
  generate.arch.generate = true;
  (void)polaris::load_model(source, ops, generate);
  return 0;
}
