#pragma once
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "model_io.h"
#include "pipeline/vision/media_model.h"
#include "pipeline/vision/settings.h"

namespace CLI {
class App;
}

namespace polaris::cli {

/// What the commands take that look at pictures and recordings: a model, files, and every key of a
/// card as an option.
class MediaCommand {
 public:
  /// `command`: whose keys (kForClassify ...).
  void declare(CLI::App& app, std::uint8_t command, const std::string& files_doc);
  const std::string& model() const { return model_; }

  struct Ready {
    Opened opened;
    MediaOptions options;
  };
  /// The model and its card, with the options over it. Errors: those of both, and of the file of
  /// labels.
  Result<Ready> open(const Common& common) const;

  /// Calls `look` with the name and the bytes of each file. Errors: the first, with the file's
  /// name.
  Status each_file(
      const std::function<Status(const std::string&, std::span<const std::byte>)>& look) const;

 private:
  std::string model_;
  std::vector<std::string> files_;
  std::map<std::string_view, std::string> given_;  // by key
};

/// "settings: ...": by what the files will be looked at.
void print_settings(const Common& common, const Settings& settings);

}  // namespace polaris::cli
