// covers: src/base src/tensor src/ir
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ir/op_set.h"
#include "ir/text/model_text.h"

// Text IR is what plugins hand in, and a format of model files: whatever parses must verify without
// a crash and print to text that parses again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace polaris;
  const OpSet ops = OpSet::builtin();
  ParseOptions options;
  options.constant_bytes_max = 1 << 20;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto model = parse_model(text, ops, options);
  if (!model) return 0;
  static_cast<void>(verify_model(*model));
  const std::string printed = print_model(*model, {.constants = PrintOptions::Constants::kFull});
  auto again = parse_model(printed, ops, options);
  if (again && print_model(*again, {.constants = PrintOptions::Constants::kFull}) != printed) {
    __builtin_trap();
  }
  return 0;
}
