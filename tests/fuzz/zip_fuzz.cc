// covers: src/wire
#include <cstdint>
#include <cstdlib>

#include "support/fuzz_bytes.h"
#include "wire/zip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace polaris;
  const auto bytes = test::fuzz_bytes(data, size);
  const auto entries = list_zip(bytes);
  if (!entries) return 0;
  // What was read is written and read again to the same data.
  ZipWriter writer;
  std::vector<std::vector<std::byte>> read;
  for (const ZipEntry& entry : *entries) {
    auto one = read_zip(bytes, entry);
    if (!one || !writer.add(entry.name, *one)) return 0;
    read.push_back(one.take());
  }
  const auto written = writer.finish();
  const auto again = list_zip(written);
  if (!again || again->size() != read.size()) std::abort();
  for (std::size_t i = 0; i < read.size(); ++i) {
    const auto one = read_zip(written, (*again)[i]);
    if (!one || *one != read[i]) std::abort();
  }
  return 0;
}
