// audit SHADERS_JSON [--json] [--ratchet FILE [--update [--raise NAME]...]] [--seconds N]
//       [--icd FILE] [--only NAME]
// Compiles every shipped shader variant for POLARIS10 with no card present and prints what the
// driver made of it. Exit 1: a variant breaks a hard limit, fails to compile, takes longer than
// N seconds (20), or is modelled slower than the ratchet allows. --update adds, drops and lowers
// marks; one rises only where --raise gives a part of its variant's name. --only NAME takes the
// variants with NAME in theirs, and leaves the marks of others alone. Exit 2: wrong usage.
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <utility>

#include "radv/variants.h"
#include "report.h"

namespace polaris::audit {
namespace {

using radv::Compiled;
using radv::Variant;

using Clock = std::chrono::steady_clock;

struct Options {
  std::string shaders;
  std::string ratchet;
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
    std::string* text = arg == "--ratchet" ? &out.ratchet
                        : arg == "--icd"   ? &out.icd
                        : arg == "--only"  ? &out.only
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

/// A variant being compiled in a process of its own: a driver that hangs or dies takes only that
/// process with it.
struct Job {
  std::size_t index = 0;
  pid_t pid = 0;
  int pipe = -1;
  std::string text;
  Clock::time_point deadline;
};

Job start(const Variant& variant, std::size_t index, const Options& options) {
  int ends[2];
  if (pipe(ends) != 0) {
    std::perror("audit: pipe");
    _exit(1);
  }
  Job job{.index = index, .pipe = ends[0]};
  job.deadline = Clock::now() + std::chrono::seconds(options.seconds);
  job.pid = fork();
  if (job.pid == 0) {
    close(ends[0]);
    const auto folder = std::filesystem::path(options.shaders).parent_path();
    const std::vector<std::uint32_t> words = radv::read_words(folder / variant.file);
    const Compiled compiled = radv::compile_for_polaris(variant, words, options.icd);
    const std::string text = to_json(judge(variant, words, compiled));
    std::size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t n = write(ends[1], text.data() + sent, text.size() - sent);
      if (n <= 0) _exit(1);
      sent += static_cast<std::size_t>(n);
    }
    _exit(0);  // past the driver's exit handlers
  }
  close(ends[1]);
  return job;
}

/// Reads what has come; true once the job is over, with its row filled in.
bool advance(Job& job, const Variant& variant, const Options& options, Row& row) {
  char buffer[4096];
  pollfd poll_one{.fd = job.pipe, .events = POLLIN, .revents = 0};
  const bool late = Clock::now() > job.deadline;
  if (!late && poll(&poll_one, 1, 10) <= 0) return false;
  const ssize_t n = late ? 0 : read(job.pipe, buffer, sizeof buffer);
  if (n > 0) {
    job.text.append(buffer, static_cast<std::size_t>(n));
    return false;
  }
  if (late) kill(job.pid, SIGKILL);
  int status = 0;
  waitpid(job.pid, &status, 0);
  close(job.pipe);
  if (late) {
    row = {.name = variant.name, .faults = {"took over " + std::to_string(options.seconds) + " s"}};
  } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    row = {.name = variant.name, .faults = {"the driver died while compiling it"}};
  } else {
    row = from_json(job.text);
  }
  return true;
}

std::vector<Row> run_all(const std::vector<Variant>& variants, const Options& options) {
  const std::size_t at_once = std::max(1u, std::thread::hardware_concurrency());
  std::vector<Row> rows(variants.size());
  std::vector<Job> jobs;
  std::size_t next = 0;
  while (next < variants.size() || !jobs.empty()) {
    while (next < variants.size() && jobs.size() < at_once) {
      jobs.push_back(start(variants[next], next, options));
      ++next;
    }
    std::erase_if(jobs, [&](Job& job) {
      return advance(job, variants[job.index], options, rows[job.index]);
    });
  }
  return rows;
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

int report(const std::vector<Row>& rows, std::vector<std::string> problems,
           const Options& options) {
  if (options.json) {
    for (const Row& row : rows) std::printf("%s\n", to_json(row).c_str());
  } else {
    std::fputs(to_table(rows).c_str(), stdout);
  }
  for (const Row& row : rows) {
    for (const std::string& fault : row.faults) problems.push_back(row.name + ": " + fault);
  }
  if (options.update) {
    Ratchet ratchet = read_ratchet(options.ratchet);
    for (std::string& slow : update(ratchet, rows, options.raised, options.only.empty())) {
      problems.push_back(std::move(slow));
    }
    write_ratchet(options.ratchet, ratchet);
  } else if (!options.ratchet.empty() && problems.empty()) {
    const Ratchet ratchet = read_ratchet(options.ratchet);
    problems = compare(ratchet, rows, options.only.empty());
    if (!ratchet.contains(rows.front().mesa)) {
      std::fprintf(stderr,
                   "audit: note: no marks for Mesa %s, so none is held (--update makes them)\n",
                   rows.front().mesa.c_str());
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
                 "[--seconds N] [--icd FILE] [--only NAME]\n");
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
    return report(run_all(variants, options), std::move(problems), options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "audit: %s: %s\n", options.shaders.c_str(), error.what());
    return 1;
  }
}

}  // namespace
}  // namespace polaris::audit

int main(int argc, char** argv) { return polaris::audit::run(argc, argv); }
