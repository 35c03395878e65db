#include "base/os/cpu_features.h"

#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <set>

#include "base/os/files.h"
#include "base/strings.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace polaris {
namespace {

#if defined(__x86_64__) || defined(__i386__)

bool bit(std::uint32_t word, int index) { return ((word >> index) & 1u) != 0; }

// Which register files the system saves: a CPU may have AVX that its kernel does not enable.
std::uint64_t saved_state() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

std::string brand() {
  std::uint32_t words[12] = {};
  if (__get_cpuid_max(0x80000000u, nullptr) < 0x80000004u) return {};
  for (std::uint32_t i = 0; i < 3; ++i) {
    std::uint32_t* w = words + std::size_t{i} * 4;
    __get_cpuid(0x80000002u + i, &w[0], &w[1], &w[2], &w[3]);
  }
  char text[sizeof(words) + 1] = {};
  std::memcpy(text, words, sizeof(words));
  return std::string(trim(text));
}

CpuFeatures ask() {
  CpuFeatures out;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;
  std::uint32_t d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return out;
  out.sse2 = bit(d, 26);
  out.ssse3 = bit(c, 9);
  out.sse41 = bit(c, 19);
  const std::uint64_t saved = bit(c, 27) ? saved_state() : 0;
  const bool ymm = (saved & 0x6u) == 0x6u;
  const bool zmm = (saved & 0xE6u) == 0xE6u;
  out.avx = ymm && bit(c, 28);
  out.f16c = out.avx && bit(c, 29);
  out.fma = out.avx && bit(c, 12);
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) {
    out.avx2 = out.avx && bit(b, 5);
    out.avx512f = zmm && bit(b, 16);
    out.avx512dq = out.avx512f && bit(b, 17);
    out.avx512bw = out.avx512f && bit(b, 30);
    out.avx512vl = out.avx512f && bit(b, 31);
    out.avx512_vnni = out.avx512f && bit(c, 11);
  }
  out.model = brand();
  return out;
}

#else

CpuFeatures ask() { return {}; }

#endif

// Whole processors that a container's quota allows, or `limit` where there is none.
int quota_processors(int limit) {
  const auto text = read_file("/sys/fs/cgroup/cpu.max", 128);
  if (!text) return limit;
  const auto parts = split(trim(*text), ' ');
  if (parts.size() != 2) return limit;
  const auto quota = parse_i64(parts[0]);
  const auto period = parse_i64(parts[1]);
  if (!quota || !period || *quota <= 0 || *period <= 0) return limit;
  return static_cast<int>(std::clamp<std::int64_t>((*quota + *period - 1) / *period, 1, limit));
}

}  // namespace

CpuFeatures cpu_features() { return ask(); }

std::vector<std::string> CpuFeatures::names() const {
  struct Row {
    const char* name;
    bool present;
  };
  const Row rows[] = {
      {"sse2", sse2},         {"ssse3", ssse3},       {"sse4.1", sse41},
      {"avx", avx},           {"f16c", f16c},         {"fma", fma},
      {"avx2", avx2},         {"avx512f", avx512f},   {"avx512bw", avx512bw},
      {"avx512vl", avx512vl}, {"avx512dq", avx512dq}, {"avx512_vnni", avx512_vnni},
  };
  std::vector<std::string> out;
  for (const Row& row : rows) {
    if (row.present) out.emplace_back(row.name);
  }
  return out;
}

int usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  int logical = 0;
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &set)) continue;
    ++logical;
    const std::string topology = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    const auto siblings = read_file(topology + "thread_siblings_list", 256);
    cores.insert(siblings ? *siblings : std::to_string(cpu));
  }
  const int physical = std::clamp(static_cast<int>(cores.size()), 1, std::max(logical, 1));
  return quota_processors(physical);
}

}  // namespace polaris
