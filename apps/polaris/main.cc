#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "base/os/terminal.h"
#include "base/strings.h"
#include "command.h"
#include "model_io.h"
#include "number_option.h"
#include "output.h"
#include "size_option.h"

namespace polaris::cli {

extern const Command* const kCommands[];
extern const std::size_t kCommandCount;

DeviceOptions Common::device_options() const {
  DeviceOptions out;
  out.devices.clear();
  for (std::string_view name : split(device, ',')) out.devices.emplace_back(trim(name));
  out.threads = threads;
  if (gpu_share > 0) out.gpu_share = gpu_share;
  out.vram_bytes = vram.empty() ? 0 : parse_size(vram).value_or(0);
  out.log = logger();
  return out;
}

Error Common::usage_error(const std::string& what) const {
  wrong_usage = true;
  return Error::invalid("[cli] " + what + " (--help says more)");
}

Logger Common::logger() const {
  return Logger(log_level_from_name(log_level).value_or(LogLevel::kWarning));
}

namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

constexpr std::int32_t kThreadsMax = 4096;

/// What is wrong with a NAME=N, or nothing.
std::string dim_error(const std::string& text) {
  if (split_dim(text)) return {};
  return "got '" + printable(text, 64) + "', wanted NAME=N with N at least 0";
}

void declare_common(CLI::App& app, Common& common) {
  app.add_option("--device", common.device,
                 "auto, cpu, reference, vulkan[:N or :NAME], or several with commas")
      ->capture_default_str();
  add_number(app, "--threads", common.threads, {0, kThreadsMax},
             "threads of the cpu device, 0 for one per core");
  add_number(app, "--gpu-share", common.gpu_share, {0, 1, true}, "part of the GPU's memory to use");
  app.add_option("--vram", common.vram, "memory that a GPU is taken to have, as 2GiB")
      ->check(size_error, "");
  add_numbers(app, "--shares", common.shares, {0, 1e9, true},
              "parts of the weights for each device of --device, as 3,1; else by speed");
  app.add_option("--dim", common.dims, "size of a free dim, NAME=N, N at least 0")
      ->allow_extra_args(false)
      ->check(dim_error, "");
  app.add_option("--plugin", common.plugins, "shared library with further ops and passes")
      ->allow_extra_args(false);
  app.add_option("--log-level", common.log_level, "error, warning, info or debug")
      ->check(CLI::IsMember({"error", "warning", "info", "debug"}));
  app.add_flag("--json", common.json, "one JSON object a line, with stable keys");
  app.add_flag("-q,--quiet", common.quiet, "results only");
}

int report(const Error& error, int exit_code = kExitFailed) {
  std::string line = error.message();
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  std::fprintf(stderr, "polaris: error: %s\n", line.c_str());
  return exit_code;
}

int run(int argc, char** argv) {
  CLI::App app("PolarisRT: AI models on AMD Polaris cards, through Vulkan, and on CPUs.",
               "polaris");
  app.set_version_flag("--version", "polaris " POLARIS_VERSION);
  app.require_subcommand(1);
  Common common;
  std::vector<std::unique_ptr<Action>> actions;
  std::vector<CLI::App*> commands;
  for (std::size_t i = 0; i < kCommandCount; ++i) {
    CLI::App* command =
        app.add_subcommand(std::string(kCommands[i]->name), std::string(kCommands[i]->doc));
    actions.push_back(kCommands[i]->make());
    actions.back()->declare(*command);
    declare_common(*command, common);
    commands.push_back(command);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    const bool unknown = argc > 1 && argv[1][0] != '-' && app.get_subcommands().empty();
    const std::string what =
        unknown ? "no command '" + std::string(argv[1]) + "'" : std::string(error.what());
    return report(common.usage_error(what), kExitUsage);
  }
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (!commands[i]->parsed()) continue;
    const Status status = actions[i]->run(common);
    if (status) return 0;
    return report(status.error(), common.wrong_usage ? kExitUsage : kExitFailed);
  }
  return kExitUsage;
}

}  // namespace
}  // namespace polaris::cli

int main(int argc, char** argv) {
  polaris::reserve_standard_files();
  try {
    const int code = polaris::cli::run(argc, argv);
    const polaris::Status status = polaris::cli::output_status();
    return code == 0 && !status ? polaris::cli::report(status.error()) : code;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "polaris: error: [cli] host memory ran out\n");
    return 1;
  }
}
