// covers: src/wire
#include <cstdint>
#include <cstdlib>

#include "support/fuzz_bytes.h"
#include "wire/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = polaris::test::fuzz_bytes(data, size);
  const auto file = polaris::parse_safetensors(bytes);
  if (!file) return 0;
  // Bytes are those of the types, one tensor's behind the other's, to the end of the file.
  const std::byte* at = file->tensors.empty() ? nullptr : file->tensors.front().bytes.data();
  for (const polaris::SafetensorsTensor& tensor : file->tensors) {
    if (tensor.bytes.data() != at) std::abort();
    at += tensor.bytes.size();
    if (tensor.type.bytes() != static_cast<std::int64_t>(tensor.bytes.size())) std::abort();
  }
  if (at != nullptr && at != bytes.data() + bytes.size()) std::abort();
  return 0;
}
