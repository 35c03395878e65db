#pragma once
#include <map>
#include <optional>
#include <string>

#include "base/hash.h"
#include "base/result.h"

namespace polaris::gcn {

/// What is kept of the simulation of a dispatch.
struct DispatchTime {
  double us = 0;
  double share = 0;  // of the limit named
  double dram_bytes = 0;
  std::string bound;  // "valu", "dram" ...
};

/// Simulated times by the hash of all that they depend on, kept in a file.
class TimingCache {
 public:
  /// Reads the file; one that is missing, damaged or of another version counts as empty.
  explicit TimingCache(std::string path);
  const DispatchTime* find(const Hash128& key) const;
  void put(const Hash128& key, DispatchTime time);
  /// Writes the file where something new was put. Errors: io.
  Status save();

  static constexpr std::size_t kEntriesMax = 100'000;

 private:
  bool read(std::string_view text);
  std::string path_;
  std::map<std::string, DispatchTime, std::less<>> times_;  // by the hash in hexadecimal
  bool changed_ = false;
};

}  // namespace polaris::gcn
