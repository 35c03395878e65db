#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "audit/report.h"
#include "gcn/commands.h"
#include "gcn/marks.h"
#include "gcn/node_setup.h"

namespace polaris::gcn {
namespace {

constexpr std::string_view kUnit = "us, simulated";

struct MarksArgs {
  std::string shaders;
  std::string graphs;  // a folder
  std::string marks;
  std::vector<std::string> raised;
  bool update = false;
};

bool parse(const std::vector<std::string>& args, MarksArgs& out) {
  std::vector<std::string> places;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--update") {
      out.update = true;
    } else if (args[i] == "--raise" && i + 1 < args.size()) {
      out.raised.push_back(args[++i]);
    } else if (args[i].starts_with("--")) {
      return false;
    } else {
      places.push_back(args[i]);
    }
  }
  if (places.size() != 3 || (!out.raised.empty() && !out.update)) return false;
  std::tie(out.shaders, out.graphs, out.marks) = std::tie(places[0], places[1], places[2]);
  return true;
}

/// Times of every node of every graph in the folder, in the order of the files' names.
Result<std::vector<TwoTimes>> time_all(TwoModels& models, const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<TwoTimes> out;
  for (const std::filesystem::path& file : files) {
    auto graph = read_graph(file);
    if (!graph) return graph.error().with_context(file.string());
    for (const NodeId id : graph->order()) {
      auto timed = models.time(*graph, graph->node(id));
      if (!timed) return timed.error().with_context(file.string());
      for (TwoTimes& one : *timed) {
        std::printf("%-44.44s %-36.36s %10.1f %10.1f %6.2f %-8s %s\n", one.variant.c_str(),
                    one.node.c_str(), one.simulated_us, one.modelled_us,
                    one.simulated_us / one.modelled_us, one.bound.c_str(),
                    one.disagree() ? "simulated" : "audit");
        std::fflush(stdout);
        out.push_back(std::move(one));
      }
    }
  }
  return out;
}

}  // namespace

int command_marks(const std::vector<std::string>& args) {
  MarksArgs options;
  if (!parse(args, options)) return kWrongUsage;
  std::vector<std::string> problems;
  auto models = TwoModels::open(options.shaders);
  if (!models) {
    std::fprintf(stderr, "gcn: %s\n", models.error().message().c_str());
    return 1;
  }
  std::printf("%-44s %-36s %10s %10s %6s %-8s %s\n", "variant", "node", "sim. us", "audit us",
              "ratio", "bound", "held by");
  const auto times = time_all(**models, options.graphs);
  if (!times) {
    std::fprintf(stderr, "gcn: %s\n", times.error().message().c_str());
    return 1;
  }
  // A node may use a variant several times over.
  std::map<std::string, double> simulated;
  for (const TwoTimes& one : *times) {
    if (one.disagree()) simulated[one.mark()] += one.simulated_us;
  }
  std::vector<audit::Row> rows;
  for (const auto& [mark, us] : simulated) {
    rows.push_back({.name = mark, .mesa = (*models)->mesa()});
    rows.back().cycles_per_unit = us;
  }
  audit::Ratchet ratchet = audit::read_ratchet(options.marks);
  if (options.update) {
    problems = audit::update(ratchet, rows, options.raised, true, kUnit);
    audit::write_ratchet(options.marks, ratchet);
  } else {
    problems = audit::compare(ratchet, rows, true, kUnit);
    if (!ratchet.contains((*models)->mesa())) {
      std::fprintf(stderr,
                   "gcn: note: no marks for Mesa %s, so none is held (--update makes them)\n",
                   (*models)->mesa().c_str());
    }
  }
  for (const std::string& problem : problems) std::fprintf(stderr, "gcn: %s\n", problem.c_str());
  return problems.empty() ? 0 : 1;
}

}  // namespace polaris::gcn
