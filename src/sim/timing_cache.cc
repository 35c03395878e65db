#include "sim/timing_cache.h"

#include <cmath>
#include <utility>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"

namespace polaris::gcn {
namespace {

// Raised whenever the model of the chip changes.
constexpr std::string_view kHeader = "polaris simulated times 2";
constexpr std::int64_t kBytesMax = 32 << 20;

std::optional<DispatchTime> time_of(const std::vector<std::string_view>& fields) {
  if (fields.size() != 5 || fields[0].size() != 32) return std::nullopt;
  const auto us = parse_f64(fields[1]);
  const auto share = parse_f64(fields[2]);
  const auto bytes = parse_f64(fields[3]);
  if (!us || !share || !bytes || !std::isfinite(*us) || *us < 0) return std::nullopt;
  return DispatchTime{*us, *share, *bytes, printable(fields[4], 16)};
}

}  // namespace

TimingCache::TimingCache(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  const auto text = read_file(path_, kBytesMax);
  if (text && !read(*text)) times_.clear();
}

bool TimingCache::read(std::string_view text) {
  const auto lines = split(text, '\n');
  if (lines.front() != kHeader || lines.size() > kEntriesMax + 2) return false;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty() && i + 1 == lines.size()) break;
    const auto fields = split(lines[i], ' ');
    auto time = time_of(fields);
    if (!time) return false;
    times_.emplace(fields[0], std::move(*time));
  }
  return true;
}

const DispatchTime* TimingCache::find(const Hash128& key) const {
  const auto at = times_.find(key.hex());
  return at == times_.end() ? nullptr : &at->second;
}

void TimingCache::put(const Hash128& key, DispatchTime time) {
  if (times_.size() >= kEntriesMax) times_.clear();
  times_[key.hex()] = std::move(time);
  changed_ = true;
}

Status TimingCache::save() {
  if (!changed_ || path_.empty()) return Status::success();
  std::string text = std::string(kHeader) + '\n';
  for (const auto& [key, time] : times_) {
    text += key + ' ' + format_f64(time.us) + ' ' + format_f64(time.share) + ' ' +
            format_f64(time.dram_bytes) + ' ' + time.bound + '\n';
  }
  if (auto s = make_folder(path_.substr(0, path_.rfind('/'))); !s) return s;
  if (auto s = write_file(path_, text); !s) return s;
  changed_ = false;
  return Status::success();
}

}  // namespace polaris::gcn
