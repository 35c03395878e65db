#include "profile.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <tuple>

#include "output.h"

namespace polaris::cli {
namespace {

/// Several runs of one node are one row; slowest first.
std::vector<NodeTime> rows_of(const std::vector<NodeTime>& times) {
  std::map<std::tuple<std::string, std::string, std::string, std::string>, NodeTime> rows;
  for (const NodeTime& time : times) {
    NodeTime& row = rows[{time.node, time.op, time.kernel, time.device}];
    const NodeTime before = row;
    row = time;
    row.us += before.us;
    row.flops += before.flops;
    row.bytes += before.bytes;
  }
  std::vector<NodeTime> out;
  for (auto& [key, row] : rows) out.push_back(row);
  std::stable_sort(out.begin(), out.end(),
                   [](const NodeTime& a, const NodeTime& b) { return a.us > b.us; });
  return out;
}

}  // namespace

KernelTotals totals_of(const std::vector<NodeTime>& times) {
  KernelTotals out;
  for (const NodeTime& time : times) {
    out.ms += time.us / 1000;
    out.flops += time.flops;
    out.bytes += time.bytes;
  }
  return out;
}

void print_profile(const std::vector<NodeTime>& times) {
  const double total_us = totals_of(times).ms * 1000;
  char line[256];
  std::snprintf(line, sizeof line, "%10s %6s %9s %8s  %-10s %-22s %-26s %s", "us", "share",
                "GFLOP/s", "GB/s", "device", "op", "kernel", "node");
  print_line(line);
  for (const NodeTime& row : rows_of(times)) {
    const double scale = row.us > 0 ? 1e-3 / row.us : 0;
    std::snprintf(line, sizeof line, "%10.1f %5.1f%% %9.2f %8.2f  %-10.10s %-22.22s %-26.26s %.90s",
                  row.us, total_us > 0 ? 100 * row.us / total_us : 0,
                  static_cast<double>(row.flops) * scale, static_cast<double>(row.bytes) * scale,
                  row.device.c_str(), row.op.c_str(), row.kernel.c_str(), row.node.c_str());
    print_line(line);
  }
}

void write_profile(JsonWriter& json, const std::vector<NodeTime>& times) {
  json.begin_array();
  for (const NodeTime& row : rows_of(times)) {
    json.begin_object().field("node", row.node).field("op", row.op).field("kernel", row.kernel);
    json.field("device", row.device).field("us", row.us).field("flops", row.flops);
    json.field("bytes", row.bytes).end_object();
  }
  json.end_array();
}

}  // namespace polaris::cli
