#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "session/open_devices.h"

namespace CLI {
class App;
}

namespace polaris::cli {

/// Options that every command takes.
struct Common {
  std::string device = "auto";
  int threads = 0;
  double gpu_share = 0;              // 0: not given
  std::string vram;                  // "": not given
  std::vector<double> shares;        // of the weights, for each device
  std::vector<std::string> dims;     // NAME=N
  std::vector<std::string> plugins;  // shared libraries, loaded in this order
  std::string log_level = "warning";
  bool json = false;
  bool quiet = false;

  DeviceOptions device_options() const;
  Logger logger() const;
  /// `[cli] what`, of a command line that cannot be meant: main then exits with 2.
  Error usage_error(const std::string& what) const;
  mutable bool wrong_usage = false;
};

/// One command of the command line: declares its options, then runs.
class Action {
 public:
  virtual ~Action() = default;
  virtual void declare(CLI::App& app) = 0;
  virtual Status run(const Common& common) = 0;
};

/// cmd_<name>.cc defines `extern const Command command_<name>`; the build lists them.
struct Command {
  std::string_view name;
  std::string_view doc;
  std::unique_ptr<Action> (*make)() = nullptr;
};

template <class A>
std::unique_ptr<Action> make_action() {
  return std::make_unique<A>();
}

}  // namespace polaris::cli
