// classify and detect as a user runs them, held to what onnxruntime, Pillow and numpy make of the
// same files (tests/data/make_vision.py); and what they refuse.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "support/process.h"
#include "support/shared_files.h"
#include "test_paths.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

std::string data(const std::string& name) {
  return std::string(kSourceDir) + "/tests/data/" + name;
}

std::string text_of(const std::string& path) {
  auto text = read_file(path, 64 << 20);
  REQUIRE_MESSAGE(text, text.error().message());
  return text.take();
}

/// A file of a case; nothing where it lies in the shared folder, and that is not here.
std::optional<std::string> path_of(const std::string& name) {
  constexpr std::string_view kShared = "shared/";
  if (!name.starts_with(kShared)) return data(name);
  return shared_file(std::string_view(name).substr(kShared.size()));
}

struct Tolerance {
  double score;
  double pixels;
};

void check_classes(const Json& got, const Json& wanted, const Tolerance& tolerance) {
  REQUIRE(got.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(i);
    const double score = wanted[i].at("score");
    CHECK(std::fabs(got[i].at("score").get<double>() - score) <= tolerance.score);
    // Neighbours whose scores are as near as the tolerance may change places.
    const bool found = std::any_of(got.begin(), got.end(), [&](const Json& one) {
      return one.at("index") == wanted[i].at("index") && one.at("label") == wanted[i].at("label") &&
             std::fabs(one.at("score").get<double>() - score) <= tolerance.score;
    });
    const bool at_the_edge = score - wanted.back().at("score").get<double>() <= tolerance.score;
    CHECK((found || at_the_edge));
    if (i == 0) CHECK(found);
  }
}

void check_boxes(const Json& got, const Json& wanted, const Tolerance& tolerance) {
  REQUIRE(got.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(i);
    const bool found = std::any_of(got.begin(), got.end(), [&](const Json& one) {
      bool same = one.at("index") == wanted[i].at("index") &&
                  one.at("label") == wanted[i].at("label") &&
                  std::fabs(one.at("score").get<double>() - wanted[i].at("score").get<double>()) <=
                      tolerance.score;
      for (std::size_t n = 0; n < 4; ++n) {
        same = same && std::fabs(one.at("box")[n].get<double>() -
                                 wanted[i].at("box")[n].get<double>()) <= tolerance.pixels;
      }
      return same;
    });
    CHECK(found);
  }
}

/// False where its files are not here.
bool check_case(const std::string& name, const std::string& device, const Tolerance& tolerance) {
  CAPTURE(name);
  CAPTURE(device);
  const Json test_case = Json::parse(text_of(data("vision/" + name + ".json")));
  const auto model = path_of(test_case.at("model"));
  if (!model) return false;
  const TemporaryFolder folder;
  std::vector<std::string> arguments = {test_case.at("command"), *model};
  if (!test_case.at("card").is_null()) {
    arguments[1] = folder.file("m.onnx");
    REQUIRE(write_file(arguments[1], text_of(*model)));
    REQUIRE(write_file(arguments[1] + ".card.json", test_case.at("card").dump()));
  }
  std::vector<std::string> files;
  for (const Json& file : test_case.at("files")) files.push_back(path_of(file).value_or(""));
  arguments.insert(arguments.end(), files.begin(), files.end());
  for (const Json& option : test_case.at("arguments")) arguments.push_back(option);
  arguments.insert(arguments.end(), {"--json", "--device", device});
  const ProcessResult result = run_polaris(arguments);
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  std::vector<Json> lines;
  for (const std::string_view line : split(result.out, '\n')) {
    if (!line.empty()) lines.push_back(Json::parse(line));
  }
  const Json& answers = test_case.at("answers");
  REQUIRE(lines.size() == answers.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(files[i]);
    CHECK(lines[i].at("file") == files[i]);
    CHECK(lines[i].at("settings").is_object());
    CHECK(lines[i].at("wall_ms") > 0);
    if (test_case.at("command") == "classify") {
      check_classes(lines[i].at("classes"), answers[i], tolerance);
    } else {
      check_boxes(lines[i].at("detections"), answers[i], tolerance);
    }
  }
  return true;
}

TEST_CASE("small models answer as onnxruntime does on Pillow's pixels") {
  for (const char* device : {"cpu", "reference"}) {
    for (const char* name :
         {"logits", "logits_options", "logits_card", "grey", "bytes", "bytes_mean", "sound", "rows",
          "ssd", "torchvision", "ultraface", "yolov8", "yolov8_rows", "yolov5"}) {
      const bool quantized = std::string_view(name).starts_with("bytes");
      CHECK(check_case(name, device, {quantized ? 0.04 : 2e-4, 0.02}));
    }
  }
}

TEST_CASE("published classifiers answer as onnxruntime does") {
  if (!check_case("shared_squeezenet", "cpu", {0.01, 0})) return;
  check_case("shared_mnist", "cpu", {1e-4, 0});
}

TEST_CASE("published detectors answer as onnxruntime does") {
  if (!check_case("shared_version-RFB-320", "cpu", {1e-3, 0.25})) return;
  check_case("shared_version-RFB-320_simplified", "cpu", {1e-3, 0.25});
  check_case("shared_version-RFB-320_without_postprocessing", "cpu", {1e-3, 0.25});
  check_case("shared_fastestdet", "cpu", {1e-3, 0.25});
}

/// One line on stderr that holds all of `words`.
void check_fails(const std::vector<std::string>& arguments, const std::vector<std::string>& words,
                 int exit_code = 1) {
  const ProcessResult result = run_polaris(arguments);
  CAPTURE(result.err);
  CHECK(result.exit_code == exit_code);
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  for (const std::string& word : words) {
    CAPTURE(word);
    CHECK(result.err.find(word) != std::string::npos);
  }
}

const std::string kPicture = data("media/rgb.png");

TEST_CASE("outputs that are not known name what the card must say") {
  const std::string values = "\"detector\": ssd, ultraface, ultraface-raw, torchvision, yolov5, ";
  check_fails({"detect", data("vision/logits.onnx"), kPicture}, {"'y' float32[1, 5]", values});
  // Without the names of its classes it may be of five heads.
  const TemporaryFolder folder;
  const std::string model = folder.file("m.onnx");
  std::string bytes = text_of(data("vision/yolov8_rows.onnx"));
  const std::size_t names = bytes.find("\x05names");
  REQUIRE(names != std::string::npos);
  bytes[names + 1] = 'N';
  REQUIRE(write_file(model, bytes));
  check_fails({"detect", model, kPicture}, {"[1, 84, 7]", "[1, N, K]", values});
  const ProcessResult named =
      run_polaris({"detect", model, kPicture, "--detector", "yolov8", "-q"});
  CHECK(named.exit_code == 0);
  // The card says what the option says, and is held to its keys.
  const auto card = [&](const std::string& text) {
    REQUIRE(write_file(model + ".card.json", text));
  };
  card("{\"detector\": \"yolov8\"}");
  CHECK(run_polaris({"detect", model, kPicture, "-q"}).out == named.out);
  card("{\"detektor\": \"yolov8\"}");
  check_fails({"detect", model, kPicture},
              {"m.onnx.card.json", "'detektor'", "wanted one of output, resize"});
  card("{\"detector\": \"yolov99\"}");
  check_fails({"detect", model, kPicture}, {"detector", "'yolov99'", "yolov5"});
  card("{\"top\": 3, \"top\": 4}");
  check_fails({"detect", model, kPicture}, {"'top'", "twice"});
  card("[]");
  check_fails({"detect", model, kPicture}, {"JSON object"});
  card("{\"labels\": \"../names.txt\", \"detector\": \"yolov8\"}");
  check_fails({"detect", model, kPicture}, {"labels"});
  REQUIRE(write_file(folder.file("names.txt"), "x\ny\nz\n"));
  card("{\"labels\": \"names.txt\", \"detector\": \"yolov8\"}");
  const ProcessResult labelled = run_polaris({"detect", model, kPicture});
  CHECK(labelled.out.find("  x\n") != std::string::npos);
}

TEST_CASE("options and files that do not fit") {
  const std::string model = data("vision/logits.onnx");
  const std::string sound = data("media/mono.flac");
  check_fails({"classify", model, kPicture, "--mean", "1,2"}, {"--mean", "'1,2'"}, 2);
  check_fails({"classify", model, kPicture, "--resize", "0"}, {"--resize", "'0'"}, 2);
  check_fails({"classify", model, kPicture, "--layout", "nhcw"}, {"nhcw", "nchw or nhwc"}, 2);
  check_fails({"classify", model, kPicture, "--std", "0"}, {"--std"}, 2);
  check_fails({"classify", model}, {"file"}, 2);
  check_fails({"classify", model, kPicture, "--detector", "ssd"}, {"--detector"}, 2);
  check_fails({"classify", model, kPicture, "--crop", "11"}, {"11 x 11", "12 x 12"});
  check_fails({"classify", model, kPicture, "--layout", "nhwc"}, {"12 channels"});
  check_fails({"classify", model, sound}, {"mono.flac", "got a recording", "a picture"});
  check_fails({"detect", data("vision/ssd.onnx"), sound}, {"got a recording"});
  check_fails({"classify", data("vision/sound.onnx"), kPicture}, {"got a picture", "a recording"});
  check_fails({"classify", model, data("vision/logits.onnx")},
              {"something else", "PNG, JPEG, BMP or PNM"});
  check_fails({"classify", model, kPicture + ".none"}, {"rgb.png.none"});
  check_fails({"classify", model, kPicture, "--labels", data("media/rgb.png")}, {"labels", "5"});
  check_fails({"classify", data("vision/grey.onnx"), kPicture}, {"sides are open", "\"crop\""});
}

TEST_CASE("what is printed: settings, files, and results alone with -q") {
  const std::string model = data("vision/logits.onnx");
  const std::string other = data("media/grey.jpg");
  const ProcessResult result =
      run_polaris({"classify", model, kPicture, other, "--device", "cpu", "--top", "1"});
  CHECK(
      result.out.starts_with("settings: input x, layout nchw, fit crop, resize 12, crop 12x12, "));
  CHECK(result.out.find("mean 0.485,0.456,0.406") != std::string::npos);
  CHECK(result.out.find("activation softmax, labels 5, top 1\n") != std::string::npos);
  CHECK(result.out.find("\n" + other + " (") != std::string::npos);
  const ProcessResult quiet =
      run_polaris({"classify", model, kPicture, "--device", "cpu", "--top", "1", "-q"});
  CHECK(quiet.out.starts_with(kPicture + "\n  "));
  CHECK(std::count(quiet.out.begin(), quiet.out.end(), '\n') == 2);
  // A recording that is longer than the input, and one that is resampled.
  const std::string sound = data("vision/sound.onnx");
  const ProcessResult cut = run_polaris({"classify", sound, data("media/mono.flac")});
  CHECK(cut.out.find("the first 300 of 400 samples") != std::string::npos);
  const ProcessResult slow =
      run_polaris({"classify", sound, data("media/mono.flac"), "--rate", "4000"});
  CHECK(slow.out.find("200 samples") != std::string::npos);
}

}  // namespace
}  // namespace polaris
