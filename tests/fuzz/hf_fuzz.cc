// covers: src/load/hf src/wire src/arch
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "load/load.h"
#include "support/fuzz_bytes.h"

// A folder: its files follow each other, each but the last ended by a byte that is no part of JSON.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const polaris::OpSet ops = polaris::OpSet::builtin();
  constexpr const char* kNames[] = {
      "config.json",           "generation_config.json",       "modules.json",
      "1_Pooling/config.json", "model.safetensors.index.json", "model.safetensors"};
  std::map<std::string, std::vector<std::byte>, std::less<>> files;
  std::vector<std::byte> rest = polaris::test::fuzz_bytes(data, size);
  for (const char* name : kNames) {
    std::size_t end = 0;
    const bool last = name == kNames[5];
    while (end < rest.size() && (last || rest[end] != std::byte{0xFF})) ++end;
    if (end > 0)
      files.emplace(name, std::vector<std::byte>(rest.begin(),
                                                 rest.begin() + static_cast<std::ptrdiff_t>(end)));
    rest.erase(rest.begin(),
               rest.begin() + static_cast<std::ptrdiff_t>(std::min(end + 1, rest.size())));
  }
  if (!files.contains("config.json")) return 0;
  std::vector<std::byte> main = std::move(files["config.json"]);
  polaris::LoadOptions options;
  options.arch.context_max = 256;  // tables of positions would take most of the time
  auto source = polaris::Source::in_memory("folder", std::move(main), std::move(files));
  (void)polaris::load_model(source, ops, options);
  return 0;
}
