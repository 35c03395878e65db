// covers: tests/fuzz/canary_fuzz.cc
// A planted fault: a fuzzing run that does not find it proves nothing about the other targets.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint8_t kMagic[] = {'G', 'G', 'U', 'F'};
  for (std::size_t i = 0; i < sizeof kMagic; ++i) {
    if (i >= size || data[i] != kMagic[i]) return 0;
  }
  std::fputs("the canary sings\n", stderr);
  std::abort();
}
