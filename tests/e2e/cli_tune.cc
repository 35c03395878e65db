// The command line measuring kernels, and choosing by what it measured.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "support/process.h"
#include "support/vulkan.h"
#include "test_paths.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

/// The command line with a cache folder of its own.
ProcessResult run_with_cache(const std::string& cache, std::vector<std::string> arguments) {
  std::vector<std::string> all = {"/usr/bin/env", "XDG_CACHE_HOME=" + cache,
                                  std::string(kBuildDir) + "/polaris"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_process(all);
}

/// The files of tunings in a folder of caches.
std::vector<std::string> tuned_files(const std::string& cache) {
  std::vector<std::string> out;
  if (!std::filesystem::exists(cache + "/polaris")) return out;
  for (const auto& entry : std::filesystem::directory_iterator(cache + "/polaris")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("tuning-")) out.push_back(entry.path().string());
  }
  return out;
}

std::string cnn() { return std::string(kSourceDir) + "/tests/data/onnx/qdq_cnn.onnx"; }

TEST_CASE("tune measures a model's kernels and leaves a file that later runs read") {
  const std::string device = test_vulkan_id();
  if (device.empty()) return;
  const TemporaryFolder folder;
  const std::vector<std::string> tune = {"tune", cnn(),      "--json", "--runs",
                                         "3",    "--device", device};
  const ProcessResult tuned = run_with_cache(folder.path(), tune);
  REQUIRE_MESSAGE(tuned.exit_code == 0, tuned.err);
  CHECK(tuned.err.empty());
  const Json json = Json::parse(tuned.out);
  CHECK(json.at("choices").get<int>() > 0);
  CHECK(json.at("trials").get<int>() > 0);
  CHECK(json.at("failed") == 0);
  CHECK(json.at("nodes").size() == json.at("choices").get<std::size_t>());
  for (const Json& node : json.at("nodes")) {
    const bool changed = node.at("usual") != node.at("fastest");
    if (changed) CHECK(node.at("fastest_us") < node.at("usual_us"));
  }
  if (!json.at("kept").get<bool>()) CHECK(json.at("tuned_ms").get<double>() > 0);
  const std::vector<std::string> files = tuned_files(folder.path());
  REQUIRE(files.size() == 1);
  CHECK(json.at("files") == Json(files));
  const std::string text = read_file(files[0], 1 << 20).take();
  CHECK(text.starts_with("polaris tuning 1\ndevice vulkan "));
  CHECK(text.find("shaders ") != std::string::npos);

  const std::vector<std::string> run = {"bench", cnn(),      "--json", "--runs",
                                        "2",     "--device", device};
  const ProcessResult again = run_with_cache(folder.path(), run);
  CHECK(again.exit_code == 0);
  CHECK(again.err.empty());

  // Another driver's or build's figures, and damage: said, and no more than that.
  std::string other = text;
  char& digit = other[other.find("shaders ") + 8];
  digit = digit == '9' ? '1' : '9';
  for (const std::string& bad : {other, text.substr(0, text.size() / 2),
                                 std::string("\x7f"
                                             "ELF")}) {
    REQUIRE(write_file(files[0], bad).ok());
    const ProcessResult warned = run_with_cache(folder.path(), run);
    CHECK(warned.exit_code == 0);
    CHECK(warned.err.find("warning: [tuning] '" + files[0] + "' is not used: ") !=
          std::string::npos);
  }
  // The next tuning replaces it.
  REQUIRE(run_with_cache(folder.path(), tune).exit_code == 0);
  CHECK(run_with_cache(folder.path(), run).err.empty());
}

TEST_CASE("tune says what it cannot do") {
  const TemporaryFolder folder;
  const ProcessResult nowhere =
      run_process({"/usr/bin/env", "-u", "HOME", "-u", "XDG_CACHE_HOME",
                   std::string(kBuildDir) + "/polaris", "tune", cnn(), "--device", "cpu"});
  CHECK(nowhere.exit_code == 1);
  CHECK(nowhere.err.find("[tune] a folder of caches, got none") != std::string::npos);
  const ProcessResult runs = run_with_cache(folder.path(), {"tune", cnn(), "--runs", "1"});
  CHECK(runs.exit_code == 2);
  // A device that offers no choice: nothing to measure, nothing kept, no file.
  const ProcessResult none =
      run_with_cache(folder.path(), {"tune", cnn(), "--json", "--device", "reference"});
  REQUIRE_MESSAGE(none.exit_code == 0, none.err);
  CHECK(Json::parse(none.out).at("choices") == 0);
  CHECK(Json::parse(none.out).at("kept") == false);
  CHECK(tuned_files(folder.path()).empty());
}

}  // namespace
}  // namespace polaris
