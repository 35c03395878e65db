#include "profile.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <tuple>

#include "model_io.h"

namespace polaris::cli {

void print_profile(std::vector<NodeTime> times) {
  // Several runs of one node are one row.
  std::map<std::tuple<std::string, std::string, std::string, std::string>, NodeTime> rows;
  double total_us = 0;
  for (const NodeTime& time : times) {
    NodeTime& row = rows[{time.node, time.op, time.kernel, time.device}];
    const NodeTime before = row;
    row = time;
    row.us += before.us;
    row.flops += before.flops;
    row.bytes += before.bytes;
    total_us += time.us;
  }
  times.clear();
  for (auto& [key, row] : rows) times.push_back(row);
  std::stable_sort(times.begin(), times.end(),
                   [](const NodeTime& a, const NodeTime& b) { return a.us > b.us; });
  char line[256];
  std::snprintf(line, sizeof line, "%10s %6s %9s %8s  %-10s %-22s %-26s %s", "us", "share",
                "GFLOP/s", "GB/s", "device", "op", "kernel", "node");
  print_line(line);
  for (const NodeTime& row : times) {
    const double scale = row.us > 0 ? 1e-3 / row.us : 0;
    std::snprintf(line, sizeof line, "%10.1f %5.1f%% %9.2f %8.2f  %-10.10s %-22.22s %-26.26s %.90s",
                  row.us, total_us > 0 ? 100 * row.us / total_us : 0,
                  static_cast<double>(row.flops) * scale, static_cast<double>(row.bytes) * scale,
                  row.device.c_str(), row.op.c_str(), row.kernel.c_str(), row.node.c_str());
    print_line(line);
  }
}

}  // namespace polaris::cli
