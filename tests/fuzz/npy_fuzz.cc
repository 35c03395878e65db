// covers: src/wire
#include <cstdint>
#include <cstdlib>

#include "support/fuzz_bytes.h"
#include "wire/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = polaris::test::fuzz_bytes(data, size);
  const auto tensor = polaris::read_npy(bytes);
  if (!tensor) return 0;
  // What was read is written and read again to the same tensor.
  const auto written = polaris::format_npy(*tensor);
  if (!written) std::abort();
  const auto again = polaris::read_npy(*written);
  if (!again || again->type() != tensor->type()) std::abort();
  return 0;
}
