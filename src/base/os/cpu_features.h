#pragma once
#include <string>
#include <vector>

namespace polaris {

/// What this processor and its operating system let a program use.
struct CpuFeatures {
  bool sse2 = false;
  bool ssse3 = false;
  bool sse41 = false;
  bool avx = false;
  bool f16c = false;
  bool fma = false;
  bool avx2 = false;
  bool avx512f = false;
  bool avx512bw = false;
  bool avx512vl = false;
  bool avx512dq = false;
  bool avx512_vnni = false;
  std::string model;  // "AMD Ryzen 5 2600 Six-Core Processor"; empty where unknown

  /// What the kernels compiled as _avx2, _avx512 and _vnni need.
  bool has_avx2_tier() const { return avx2 && fma && f16c; }
  bool has_avx512_tier() const {
    return has_avx2_tier() && avx512f && avx512bw && avx512vl && avx512dq;
  }
  bool has_vnni_tier() const { return has_avx512_tier() && avx512_vnni; }
  /// Names of the features present, oldest first.
  std::vector<std::string> names() const;
};

/// Asks the processor; a few microseconds, so keep the answer.
CpuFeatures cpu_features();

/// Physical cores that this process may run on (affinity and container quota counted); at least 1.
int usable_processors();

}  // namespace polaris
