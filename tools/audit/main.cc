// audit SHADERS_JSON [--json] [--ratchet FILE [--update [--raise NAME]...]] [--simulated FILE]
//       [--seconds N] [--icd FILE] [--only NAME]
// Compiles every shipped shader variant for POLARIS10 with no card present and prints what the
// driver made of it. Exit 1: a variant breaks a hard limit, fails to compile, takes longer than
// N seconds (20), or is modelled slower than the ratchet allows. --update adds, drops and lowers
// marks; one rises only where --raise gives a part of its variant's name. --only NAME takes the
// variants with NAME in theirs, and leaves the marks of others alone. Exit 2: wrong usage.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "radv/variants.h"
#include "report.h"
#include "workers.h"

namespace polaris::audit {
namespace {

using radv::Variant;

struct Options {
  std::string shaders;
  std::string ratchet;
  std::string simulated;
  std::string icd = radv::kDefaultIcd;
  std::string only;
  std::vector<std::string> raised;
  int seconds = 20;
  bool json = false;
  bool update = false;
};

bool parse_options(int argc, char** argv, Options& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    std::string* text = arg == "--ratchet"     ? &out.ratchet
                        : arg == "--simulated" ? &out.simulated
                        : arg == "--icd"       ? &out.icd
                        : arg == "--only"      ? &out.only
                                               : nullptr;
    std::string raised;
    if (arg == "--raise") text = &raised;
    if (arg == "--json") {
      out.json = true;
    } else if (arg == "--update") {
      out.update = true;
    } else if (text != nullptr || arg == "--seconds") {
      if (++i == argc) return false;
      if (text != nullptr) *text = argv[i];
      if (text == nullptr) out.seconds = static_cast<int>(std::strtol(argv[i], nullptr, 10));
      if (text == &raised) {
        if (raised.empty()) return false;  // in every name
        out.raised.push_back(raised);
      }
    } else if (arg.starts_with("-") || !out.shaders.empty()) {
      return false;
    } else {
      out.shaders = arg;
    }
  }
  return !out.shaders.empty() && out.seconds > 0 && (!out.update || !out.ratchet.empty()) &&
         (out.raised.empty() || out.update);
}

/// Names of .spv files beside shaders.json that no variant names: shipped, yet not audited.
std::vector<std::string> unlisted(const std::vector<Variant>& variants, const Options& options) {
  std::vector<std::string> out;
  const auto folder = std::filesystem::absolute(options.shaders).parent_path();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    const bool listed = std::any_of(variants.begin(), variants.end(),
                                    [&](const Variant& v) { return v.file == file; });
    if (entry.path().extension() == ".spv" && !listed) out.push_back(file);
  }
  return out;
}

int report(std::vector<Row> rows, std::vector<std::string> problems, const Options& options) {
  if (options.json) {
    for (const Row& row : rows) std::printf("%s\n", to_json(row).c_str());
  } else {
    std::fputs(to_table(rows).c_str(), stdout);
  }
  for (const Row& row : rows) {
    for (const std::string& fault : row.faults) problems.push_back(row.name + ": " + fault);
  }
  const std::string mesa = rows.front().mesa;
  if (!options.simulated.empty()) drop_simulated(rows, read_ratchet(options.simulated));
  if (options.update) {
    Ratchet ratchet = read_ratchet(options.ratchet);
    for (std::string& slow : update(ratchet, rows, options.raised, options.only.empty())) {
      problems.push_back(std::move(slow));
    }
    write_ratchet(options.ratchet, ratchet);
  } else if (!options.ratchet.empty() && problems.empty()) {
    const Ratchet ratchet = read_ratchet(options.ratchet);
    problems = compare(ratchet, rows, options.only.empty());
    if (!ratchet.contains(mesa)) {
      std::fprintf(stderr,
                   "audit: note: no marks for Mesa %s, so none is held (--update makes them)\n",
                   mesa.c_str());
    }
  }
  for (const std::string& problem : problems) std::fprintf(stderr, "audit: %s\n", problem.c_str());
  return problems.empty() ? 0 : 1;
}

int run(int argc, char** argv) {
  Options options;
  if (!parse_options(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: audit SHADERS_JSON [--json] [--ratchet FILE [--update [--raise NAME]...]] "
                 "[--simulated FILE] [--seconds N] [--icd FILE] [--only NAME]\n");
    return 2;
  }
  try {
    std::vector<Variant> variants = radv::read_variants(options.shaders);
    std::vector<std::string> problems;
    if (options.only.empty()) {
      for (const std::string& file : unlisted(variants, options)) {
        problems.push_back(file + ": shipped, but no variant in the list names it");
      }
    }
    std::erase_if(variants,
                  [&](const Variant& v) { return v.name.find(options.only) == std::string::npos; });
    if (variants.empty()) {
      std::fprintf(stderr, "audit: no variant with '%s' in its name in %s\n", options.only.c_str(),
                   options.shaders.c_str());
      return 1;
    }
    std::vector<Row> rows =
        judge_all(variants, options.shaders, options.icd, std::chrono::seconds(options.seconds));
    return report(std::move(rows), std::move(problems), options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "audit: %s: %s\n", options.shaders.c_str(), error.what());
    return 1;
  }
}

}  // namespace
}  // namespace polaris::audit

int main(int argc, char** argv) { return polaris::audit::run(argc, argv); }
