// Cards, labels, boxes, and which detector is which: on texts and graphs made here.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "pipeline/vision/box_nms.h"
#include "pipeline/vision/detector_head.h"
#include "pipeline/vision/label_list.h"
#include "pipeline/vision/model_card.h"
#include "pipeline/vision/picture_input.h"
#include "pipeline/vision/sound_input.h"

namespace polaris {
namespace {

ModelCard card_of(const std::string& text) {
  ModelCard card;
  const auto status = apply_card(text, card);
  REQUIRE_MESSAGE(status, status.error().message());
  return card;
}

std::string card_error(const std::string& text) {
  ModelCard card;
  const auto status = apply_card(text, card);
  REQUIRE_MESSAGE(!status, text);
  return status.error().message();
}

bool has(const std::string& text, const std::string& word) {
  return text.find(word) != std::string::npos;
}

TEST_CASE("a card sets what it says") {
  const ModelCard card = card_of(R"({"resize": 256, "crop": "320x240", "mean": [1, 2.5, -3],
    "std": 2, "bgr": true, "layout": "nhwc", "labels": {"0": "cat", "1": ["n1", "dog"]},
    "top": 7, "detector": "ultraface-raw", "score_min": 0.25, "filter": "lanczos"})");
  CHECK(card.resize->shorter == 256);
  CHECK(card.crop->width == 320);
  CHECK(card.crop->height == 240);
  CHECK(*card.mean == std::vector<double>{1, 2.5, -3});
  CHECK(*card.std == std::vector<double>{2});
  CHECK(*card.bgr);
  CHECK(*card.layout == PictureLayout::kNhwc);
  CHECK(*card.labels == std::vector<std::string>{"cat", "dog"});
  CHECK(*card.detector == DetectorHead::kUltraFaceRaw);
  CHECK(*card.filter == ResizeFilter::kLanczos);
  CHECK_FALSE(card.rate);
  CHECK(*card_of(R"({"labels": "names.txt"})").labels_file == "names.txt");
}

TEST_CASE("a card is held to its keys and their values") {
  CHECK(has(card_error(R"({"men": 1})"), "'men', wanted one of output, resize, crop"));
  CHECK(has(card_error(R"({"top": 0})"), "top, wanted a whole number, 1 to 100000"));
  for (const char* text : {R"({"resize": 0})",
                           R"({"resize": 70000})",
                           R"({"resize": "12"})",
                           R"({"resize": "1x2x3"})",
                           R"({"crop": 1.5})",
                           R"({"mean": [1, 2]})",
                           R"({"mean": []})",
                           R"({"mean": "1,2,3"})",
                           R"({"mean": [1, 2, 3, 4]})",
                           R"({"mean": 1e300})",
                           R"({"std": 0})",
                           R"({"std": [1, -1, 1]})",
                           R"({"bgr": 1})",
                           R"({"labels": []})",
                           R"({"labels": ["a", 1]})",
                           R"({"labels": {"1": "a"}})",
                           R"({"labels": {"0": "a", "00": "b"}})",
                           R"({"iou_max": 1.01})",
                           R"({"pad": 256})",
                           R"({"output": ""})",
                           R"({"scale": "1"})",
                           R"({"rate": 0})",
                           R"({"activation": null})"}) {
    CAPTURE(text);
    const bool empty = std::string(text).find("[]}") != std::string::npos;
    ModelCard card;
    const auto status = apply_card(text, card);
    // A list of no labels is a list.
    CHECK(status.ok() == (empty && has(text, "labels")));
  }
  for (const char* text : {"", "[", "{\"top\": 1", "1", "[{}]"}) CHECK(!card_error(text).empty());
}

TEST_CASE("options say the same as cards") {
  ModelCard card;
  const auto set = [&](std::string_view name, std::string_view text) {
    for (const CardKey& key : card_keys()) {
      if (key.name == name) return apply_option(key, text, card).ok();
    }
    return false;
  };
  CHECK(set("mean", "1, 2,3"));
  CHECK(*card.mean == std::vector<double>{1, 2, 3});
  CHECK(set("resize", "64x32"));
  CHECK(card.resize->size.height == 32);
  CHECK(set("resize", "64"));
  CHECK(card.resize->shorter == 64);
  CHECK(set("label_offset", "-1"));
  CHECK(set("output", "it's \"x\""));
  CHECK(*card.output == "it's \"x\"");
  for (const char* wrong : {"", "1,", "a", "1,2", "1;2;3", "[1]", "nan", "inf", "0x10"}) {
    CAPTURE(wrong);
    CHECK_FALSE(set("mean", wrong));
    CHECK_FALSE(set("top", wrong));
  }
  CHECK_FALSE(set("top", "1.5"));
  CHECK_FALSE(set("top", " 1"));
  CHECK_FALSE(set("scale", "0"));
  CHECK_FALSE(set("fit", "Stretch"));
}

TEST_CASE("labels: lines, JSON, and what a model's metadata says") {
  CHECK(*parse_labels("a\r\nb c\n\n") == std::vector<std::string>{"a", "b c"});
  CHECK(*parse_labels(" [\"a\",\"b\"]") == std::vector<std::string>{"a", "b"});
  CHECK(*parse_labels("{\"a\": 1, \"b\": 0}") == std::vector<std::string>{"b", "a"});
  for (const char* wrong : {"", "\n\n", "[1]", "{\"a\": 0, \"b\": 0}", "{\"x\": \"a\"}", "[",
                            "{\"99999999999\": \"a\"}", "{\"-1\": \"a\"}"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_labels(wrong));
  }
  const auto named = [](const std::string& text) {
    Metadata metadata;
    metadata.emplace("names", text);
    return labels_of(metadata);
  };
  CHECK(*named("{0: 'a', 1: \"b's\", 2: 'c\\'d',}") == std::vector<std::string>{"a", "b's", "c'd"});
  CHECK(*named("['a', 'b']") == std::vector<std::string>{"a", "b"});
  CHECK(*named("{\"1\": \"b\", \"0\": \"a\"}") == std::vector<std::string>{"a", "b"});
  const std::string whole = "{0: 'a', 1: \"b's\", 2: 'c\\'d'}";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CHECK_FALSE(named(whole.substr(0, length)));
  }
  for (const char* wrong : {"{0: 'a'} x", "{1: 'a'}", "{0 'a'}", "{0: 'a' 1: 'b'}", "{'a': 0}"}) {
    CAPTURE(wrong);
    CHECK_FALSE(named(wrong));
  }
  CHECK(label_at({"a"}, 0) == "a");
  CHECK(label_at({"a"}, 1).empty());
  CHECK(label_at({"a"}, -1).empty());
}

TEST_CASE("of boxes of one class that overlap the likelier stays") {
  const Detection a{0, 0, 10, 10, 0.9, 1};
  Detection b{0, 0, 10, 8, 0.8, 1};  // 0.8 of the area of both
  const Detection apart{20, 20, 30, 30, 0.95, 1};
  CHECK(overlap_of(a, b) == doctest::Approx(0.8));
  CHECK(overlap_of(a, apart) == 0);
  CHECK(overlap_of({0, 0, 0, 0}, {0, 0, 0, 0}) == 0);
  const auto scores = [](const std::vector<Detection>& found) {
    std::vector<double> out;
    for (const Detection& one : found) out.push_back(one.score);
    return out;
  };
  CHECK(scores(likeliest({b, a, apart}, 0.5, 10)) == std::vector<double>{0.95, 0.9});
  CHECK(scores(likeliest({b, a, apart}, 0.8, 10)) == std::vector<double>{0.95, 0.9, 0.8});
  b.index = 2;
  CHECK(scores(likeliest({b, a, apart}, 0.5, 10)) == std::vector<double>{0.95, 0.9, 0.8});
  CHECK(scores(likeliest({b, a, apart}, 0.5, 1)) == std::vector<double>{0.95});
  // Many candidates take bounded time.
  std::vector<Detection> many(200000, a);
  CHECK(likeliest(many, 0.5, 100).size() == 1);
}

MediaPort port(const std::string& name, const Shape& shape, std::size_t index,
               DType dtype = DType::kF32) {
  return {name, index, dtype, shape};
}

const MediaPort kInput = port("images", {1, 3, 640, 640}, 0);
constexpr std::int64_t kCells = 80 * 80 + 40 * 40 + 20 * 20;

std::string recognized(const std::vector<MediaPort>& outputs, const ModelCard& card = {},
                       std::size_t labels = 0) {
  Graph graph;
  for (const MediaPort& one : outputs) {
    graph.mark_output(graph.add_input(one.name, {one.dtype, one.shape, {}}), one.name);
  }
  const auto plan = recognize_detector(graph, outputs, kInput, card, labels);
  if (!plan) return plan.error().message();
  return std::string(detector_head_name(plan->head)) + (plan->transposed ? " transposed" : "");
}

TEST_CASE("heads are told by names and shapes") {
  CHECK(recognized({port("o", {1, 84, kCells}, 0)}) == "yolov8 transposed");
  CHECK(recognized({port("o", {1, 84, kCells}, 0)}, {}, 80) == "yolov8 transposed");
  CHECK(recognized({port("o", {1, 84, kUnknownDim}, 0)}) == "yolov8 transposed");
  CHECK(recognized({port("o", {1, 3 * kCells, 85}, 0)}) == "yolov5");
  CHECK(recognized({port("o", {1, 3 * kCells, 85}, 0)}, {}, 80) == "yolov5");
  CHECK(recognized({port("o", {1, kCells, 84}, 0)}, {}, 80) == "yolov8");
  CHECK(recognized({port("o", {1, 85, 40, 40}, 0)}) == "fastestdet");
  CHECK(recognized({port("boxes", {1, 9, 4}, 0), port("scores", {1, 9, 2}, 1)}) == "ultraface");
  CHECK(recognized({port("a", {7, 4}, 0), port("b", {7}, 1, DType::kI64), port("c", {7}, 2)}) ==
        "torchvision");
  CHECK(recognized({port("TFLite_Detection_PostProcess", {1, 10, 4}, 0),
                    port("TFLite_Detection_PostProcess:1", {1, 10}, 1),
                    port("TFLite_Detection_PostProcess:2", {1, 10}, 2),
                    port("TFLite_Detection_PostProcess:3", {1}, 3)}) == "ssd");
}

TEST_CASE("what may be several heads is none, and the error names the card's key") {
  const std::vector<std::vector<MediaPort>> cases = {
      {port("o", {1, kCells, 85}, 0)},  // YOLOX, YOLOv6, or YOLOv8 in rows
      {port("o", {1, 300, 6}, 0)},
      {port("o", {1, 84, 3 * kCells}, 0)},
      {port("o", {1, 85, 20, 20}, 0)},
      {port("o", {1, 1000}, 0)},
      {port("logits", {1, 100, 92}, 0), port("pred_boxes", {1, 100, 4}, 1)},
      {port("a", {1, 7, 4}, 0), port("b", {1, 7}, 1, DType::kI64), port("c", {1, 7}, 2)},
      {port("a", {1, 10, 4}, 0), port("b", {1, 10}, 1), port("c", {1, 10}, 2), port("d", {1}, 3)}};
  for (const auto& outputs : cases) {
    CAPTURE(port_text(outputs[0]));
    const std::string said = recognized(outputs);
    CHECK(has(said, "the card must say \"detector\": ssd, ultraface"));
    CHECK(has(said, outputs[0].name));
  }
  // Names of classes rule a head out that would need others.
  CHECK(has(recognized({port("o", {1, 84, kCells}, 0)}, {}, 7), "\"detector\""));
  CHECK(has(recognized({port("o", {1, 3 * kCells, 85}, 0)}, {}, 7), "\"detector\""));
  CHECK(has(recognized({port("o", {1, kUnknownDim, 85}, 0)}, {}, 80), "\"detector\""));
  ModelCard card;
  card.detector = DetectorHead::kYoloV8;
  CHECK(recognized({port("o", {1, kCells, 84}, 0)}, card) == "yolov8");
  card.detector = DetectorHead::kTorchvision;
  CHECK(recognized(cases[6], card) ==
        "[detect] outputs, got 'a' float32[1, 7, 4], 'b' int64[1, 7], 'c' float32[1, 7]: none is "
        "called boxes; the card must say \"boxes\"");
  card.boxes = "a";
  card.classes = "b";
  card.scores = "c";
  CHECK(recognized(cases[6], card) == "torchvision");
  card.scores = "d";
  CHECK(has(recognized(cases[6], card), "'d' is not there"));
}

PictureInput::Placed placed_on(std::int64_t width, std::int64_t height) {
  PictureInput::Placed out;
  out.width = width;
  out.height = height;
  return out;
}

Tensor tensor_of(const Shape& shape, const std::vector<float>& values) {
  auto out = Tensor::from(DType::kF32, shape, std::span<const float>(values));
  REQUIRE(out);
  return out.take();
}

TEST_CASE("outputs with other shapes or numbers than their head's do no harm") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  DetectorPlan plan;
  plan.head = DetectorHead::kTorchvision;
  plan.boxes = 0, plan.scores = 1, plan.classes = 2, plan.count = 0;
  const auto found = [&](const std::vector<Tensor>& outputs) {
    return decode_detections(plan, outputs, placed_on(10, 10));
  };
  const Tensor two = tensor_of({2, 4}, {0, 0, 5, 5, 1, 1, 2, 2});
  CHECK(found({two, tensor_of({2}, {0.9f, 0.6f}), tensor_of({2}, {1, 2})})->size() == 2);
  CHECK(found({two, tensor_of({2}, {nan, 0.6f}), tensor_of({2}, {1, 2})})->size() == 1);
  CHECK(found({tensor_of({1, 4}, {0, 0, inf, nan}), tensor_of({1}, {1}), tensor_of({1}, {0})})
            ->empty());
  CHECK_FALSE(found({two, tensor_of({3}, {1, 1, 1}), tensor_of({3}, {0, 0, 0})}));
  CHECK_FALSE(found({two, tensor_of({2}, {1, 1}), tensor_of({1}, {0})}));
  CHECK_FALSE(found({two, tensor_of({2}, {1, 1}), tensor_of({2}, {0, nan})}));
  CHECK_FALSE(found({two, tensor_of({2}, {1, 1}), tensor_of({2}, {0, 1e30f})}));
  plan.has_count = true;
  plan.count = 3;
  plan.head = DetectorHead::kSsd;
  const std::vector<Tensor> outputs = {two, tensor_of({2}, {1, 1}), tensor_of({2}, {0, 1})};
  const auto counted = [&](float count) {
    std::vector<Tensor> all = outputs;
    all.push_back(tensor_of({1}, {count}));
    return found(all);
  };
  CHECK(counted(1)->size() == 1);
  CHECK(counted(1e30f)->size() == 2);
  CHECK_FALSE(counted(-1));
  CHECK_FALSE(counted(nan));
  plan.head = DetectorHead::kYoloV5;
  CHECK_FALSE(decode_detections(
      plan, std::vector<Tensor>(4, tensor_of({1, 2, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})),
      placed_on(10, 10)));
  plan.head = DetectorHead::kUltraFaceRaw;
  const std::vector<Tensor> raw(4, tensor_of({1, 2, 4}, {1, 1, 1, 1, 1, 1, 1, 1}));
  CHECK_FALSE(decode_detections(plan, raw, placed_on(10, 10)));
}

Graph picture_graph(const Shape& shape, DType dtype) {
  Graph graph;
  graph.mark_output(graph.add_input("x", {dtype, shape, {}}), "y");
  return graph;
}

Result<PictureInput> picture_input(const Shape& shape, DType dtype = DType::kF32,
                                   const ModelCard& card = {},
                                   const PictureDefaults& defaults = {}) {
  const Graph graph = picture_graph(shape, dtype);
  return PictureInput::create(graph, {}, port("x", shape, 0, dtype), card, defaults);
}

Image picture_of(std::int64_t width, std::int64_t height, std::uint8_t red) {
  auto out = make_image("test", width, height);
  REQUIRE(out);
  for (std::size_t i = 0; i < out->rgb.size(); i += 3) {
    out->rgb[i] = red;
    out->rgb[i + 1] = 10;
    out->rgb[i + 2] = 20;
  }
  return out.take();
}

TEST_CASE("pictures become tensors of the input's layout, order and type") {
  const Image image = picture_of(4, 4, 255);
  const auto value = [&](const Result<PictureInput>& input, std::int64_t at) {
    REQUIRE_MESSAGE(input, input.error().message());
    const auto placed = input->place(image);
    REQUIRE(placed);
    return element_as_f64(placed->tensor, at);
  };
  CHECK(value(picture_input({1, 3, 4, 4}), 0) == 1);
  CHECK(value(picture_input({1, 3, 4, 4}), 16) == doctest::Approx(10 / 255.0));
  CHECK(value(picture_input({1, 4, 4, 3}), 1) == doctest::Approx(10 / 255.0));
  CHECK(value(picture_input({4, 4, 3}), 2) == doctest::Approx(20 / 255.0));
  ModelCard card;
  card.bgr = true;
  CHECK(value(picture_input({1, 4, 4, 3}, DType::kF32, card), 0) == doctest::Approx(20 / 255.0));
  CHECK(value(picture_input({1, 4, 4, 3}, DType::kU8), 0) == 255);
  CHECK(value(picture_input({1, 4, 4, 3}, DType::kI8), 0) == 127);
  CHECK(value(picture_input({1, 4, 4, 3}, DType::kI8), 1) == -118);
  CHECK(value(picture_input({1, 3, 4, 4}, DType::kF16), 0) == 1);
  // 0.299 red + 0.587 green + 0.114 blue
  CHECK(value(picture_input({1, 1, 4, 4}, DType::kU8), 0) == 84);
  card = {};
  card.mean = std::vector<double>{100};
  CHECK(value(picture_input({1, 3, 4, 4}, DType::kF32, card), 0) == 155);
  card.std = std::vector<double>{1, 2, 5};
  CHECK(value(picture_input({1, 3, 4, 4}, DType::kF32, card), 16) == -45);
  CHECK_FALSE(picture_input({1, 1, 4, 4}, DType::kF32, card));
  card.bgr = true;  // in the order of R,G,B even so
  CHECK(value(picture_input({1, 3, 4, 4}, DType::kF32, card), 0) == -16);
}

TEST_CASE("inputs that are none of pictures, or leave something open, name the key") {
  const auto error = [](const Result<PictureInput>& input) {
    REQUIRE_FALSE(input);
    return input.error().message();
  };
  CHECK(has(error(picture_input({1, 3, 8, 3})), "\"layout\""));
  CHECK(has(error(picture_input({1, 5, 8, 6})), "\"layout\""));
  CHECK(has(error(picture_input({1, 3, kUnknownDim, 8})), "\"crop\""));
  CHECK(has(error(picture_input({2, 3, 8, 8})), "one picture a run"));
  CHECK(has(error(picture_input({1, 3, 65535, 65535})), "65535"));
  CHECK(has(error(picture_input({1, 3, 0, 8})), "0"));
  CHECK(has(error(picture_input({1, 3, 8, 8}, DType::kBool)), "numbers"));
  CHECK(has(error(picture_input({8, 8})), "[N, C, H, W]"));
  PictureDefaults own;
  own.fit = PictureFit::kStretch;
  own.free_side = 0;
  const auto open = picture_input({1, 3, kUnknownDim, kUnknownDim}, DType::kF32, {}, own);
  REQUIRE(open);
  const auto placed = open->place(picture_of(7, 5, 1));
  REQUIRE(placed);
  CHECK(placed->tensor.shape() == Shape{1, 3, 5, 7});
}

TEST_CASE("where a picture is in its input") {
  PictureDefaults letterbox;
  letterbox.fit = PictureFit::kLetterbox;
  letterbox.pad = 114;
  const auto boxed = picture_input({1, 3, 8, 8}, DType::kU8, {}, letterbox);
  REQUIRE(boxed);
  const auto placed = boxed->place(picture_of(16, 8, 200));
  REQUIRE(placed);
  CHECK(placed->map.scale_x == 0.5);
  CHECK(placed->map.shift_x == 0);
  CHECK(placed->map.shift_y == 2);
  CHECK(element_as_f64(placed->tensor, 0) == 114);
  CHECK(element_as_f64(placed->tensor, 2 * 8) == 200);
  CHECK(element_as_f64(placed->tensor, 6 * 8) == 114);
  ModelCard card;
  card.resize = ResizeTo{12, {12, 12}};
  const auto cut = picture_input({1, 3, 8, 8}, DType::kU8, card);
  REQUIRE(cut);
  const auto middle = cut->place(picture_of(24, 12, 200));
  REQUIRE(middle);
  CHECK(middle->map.scale_x == 1);
  CHECK(middle->map.shift_x == -8);
  CHECK(middle->map.shift_y == -2);
  // A picture that is smaller than the part to be cut gets a black margin, as torchvision has it.
  card.resize = ResizeTo{4, {4, 4}};
  const auto small = picture_input({1, 3, 8, 8}, DType::kU8, card);
  REQUIRE(small);
  const auto margin = small->place(picture_of(4, 4, 200));
  REQUIRE(margin);
  CHECK(element_as_f64(margin->tensor, 0) == 0);
  CHECK(element_as_f64(margin->tensor, 2 * 8 + 2) == 200);
}

TEST_CASE("waveforms: which dim is time") {
  const auto samples = [](const Shape& shape, DType dtype = DType::kF32) {
    const auto input = SoundInput::create(port("x", shape, 0, dtype), {});
    if (!input) return std::string("none");
    const auto placed = input->place({8000, {0.5f, -1, 2}});
    REQUIRE(placed);
    return placed->tensor.type().to_string() + " " + std::to_string(placed->taken) + " " +
           std::to_string(element_as_i64(placed->tensor, 2));
  };
  CHECK(samples({kUnknownDim}) == "float32[3] 3 2");
  CHECK(samples({1, kUnknownDim}) == "float32[1, 3] 3 2");
  CHECK(samples({kUnknownDim, kUnknownDim}) == "float32[1, 3] 3 2");
  CHECK(samples({kUnknownDim, 5, 1}) == "float32[1, 5, 1] 3 2");
  CHECK(samples({1, 1, 5}, DType::kI16) == "int16[1, 1, 5] 3 32767");
  CHECK(samples({2, 5}) == "none");
  CHECK(samples({}) == "none");
  CHECK(samples({0}) == "none");
  CHECK(samples({1, 5}, DType::kI64) == "none");
}

}  // namespace
}  // namespace polaris
