#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "base/strings.h"
#include "command.h"

namespace polaris::cli {

extern const Command* const kCommands[];
extern const std::size_t kCommandCount;

Result<DeviceOptions> Common::device_options() const {
  DeviceOptions out;
  out.devices.clear();
  for (std::string_view name : split(device, ',')) out.devices.emplace_back(trim(name));
  out.threads = threads;
  if (threads < 0)
    return Error::invalid("[cli] --threads, got a negative number, wanted 0 or more");
  if (gpu_share != 0) out.gpu_share = gpu_share;
  return out;
}

Logger Common::logger() const {
  return Logger(log_level_from_name(log_level).value_or(LogLevel::kWarning));
}

namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

void declare_common(CLI::App& app, Common& common) {
  app.add_option("--device", common.device,
                 "auto, cpu, reference, vulkan[:N or :NAME], or several with commas")
      ->capture_default_str();
  app.add_option("--threads", common.threads, "threads of the cpu device (0: one per core)");
  app.add_option("--gpu-share", common.gpu_share, "part of the GPU's memory to use, 0 to 1");
  app.add_option("--shares", common.shares,
                 "parts of the weights for each device of --device, as 3,1 (default: by speed)")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  app.add_option("--dim", common.dims, "size of a free dim, NAME=N")->allow_extra_args(false);
  app.add_option("--plugin", common.plugins, "shared library with further ops and passes")
      ->allow_extra_args(false);
  app.add_option("--log-level", common.log_level, "error, warning, info or debug")
      ->check(CLI::IsMember({"error", "warning", "info", "debug"}));
  app.add_flag("--json", common.json, "one JSON object a line, with stable keys");
  app.add_flag("-q,--quiet", common.quiet, "results only");
}

int report(const Error& error) {
  std::string line = error.message();
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  std::fprintf(stderr, "polaris: error: %s\n", line.c_str());
  return kExitFailed;
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
    (void)report(Error::invalid("[cli] " + what + " (--help says more)"));
    return kExitUsage;
  }
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (!commands[i]->parsed()) continue;
    const Status status = actions[i]->run(common);
    return status ? 0 : report(status.error());
  }
  return kExitUsage;
}

}  // namespace
}  // namespace polaris::cli

int main(int argc, char** argv) {
  try {
    return polaris::cli::run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "polaris: error: [cli] host memory ran out\n");
    return 1;
  }
}
