// TensorFlow Lite models against what LiteRT answers (tests/data/make_tflite.py,
// make_tflite_expected.py).

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "base/strings.h"
#include "load/load.h"
#include "support/session_run.h"
#include "support/shared_files.h"
#include "support/skip.h"
#include "tensor/element.h"
#include "test_paths.h"
#include "wire/value_file.h"

using namespace polaris;
using namespace polaris::test;

namespace {

const std::string kFolder = std::string(kSourceDir) + "/tests/data/tflite/";

std::vector<std::string> case_names() {
  std::vector<std::string> out;
  const auto files = list_folder(kFolder, 1000);
  REQUIRE(files);
  for (const std::string& file : *files) {
    if (file.ends_with(".tflite")) out.push_back(file.substr(0, file.size() - 7));
  }
  return out;
}

/// The outputs of each of so many runs of one session.
std::vector<std::vector<Tensor>> run(
    std::shared_ptr<Runtime> runtime, const std::string& path, int times,
    const std::function<Tensor(std::size_t, const TensorType&)>& input) {
  auto model = load_model(path, runtime->ops());
  REQUIRE_MESSAGE(model, model.error().message());
  auto graph = take_function(*model, "main");
  REQUIRE(graph);
  auto program = Program::compile(std::move(runtime), graph.take(), {});
  REQUIRE_MESSAGE(program, program.error().message());
  auto session = Session::create(*program);
  REQUIRE(session);
  const Graph& compiled = (*program)->graph();
  std::vector<Tensor> inputs;
  for (const ValueId id : compiled.inputs()) {
    inputs.push_back(input(inputs.size(), compiled.value(id).type));
  }
  std::vector<std::vector<Tensor>> out(static_cast<std::size_t>(times));
  for (auto& outputs : out) {
    const Status status = (*session)->run(inputs, outputs);
    REQUIRE_MESSAGE(status, status.error().message());
  }
  return out;
}

/// As docs/tflite.md has it: floats within 1e-3 of the largest value; integers of quantized models
/// within one step for 99.5 %, two at most; others equal.
struct Judge {
  bool quantized = false;
  std::int64_t count = 0;
  std::int64_t beyond_one = 0;

  void compare(DType dtype, double got, double wanted, double largest) {
    ++count;
    if (is_float(dtype)) {
      CHECK(std::abs(got - wanted) <= 1e-3 * largest);
      return;
    }
    const double off = std::abs(got - wanted);
    beyond_one += off > 1 ? 1 : 0;
    CHECK(off <= (quantized ? 2 : 0));
  }
  void finish() const {
    CHECK(static_cast<double>(beyond_one) <= 0.005 * static_cast<double>(count));
  }
};

void check_outputs(const std::string& name, const std::vector<Tensor>& outputs,
                   const std::map<std::string, Tensor>& arrays, const std::string& prefix) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    CAPTURE(i);
    const Tensor& wanted = arrays.at(prefix + std::to_string(i));
    REQUIRE(outputs[i].type() == wanted.type());
    Judge judge{.quantized = name.starts_with("quantized")};
    const double largest = largest_magnitude(wanted);
    for (std::int64_t k = 0; k < wanted.elements(); ++k) {
      judge.compare(wanted.dtype(), element_as_f64(outputs[i], k), element_as_f64(wanted, k),
                    largest);
    }
    judge.finish();
  }
}

void check_case(const std::string& device, const std::string& name) {
  auto runtime = make_runtime({device});
  if (!runtime) return;
  // All arrays have types of their own, so that what this says is not asked for.
  auto stored = load_npz(kFolder + name + ".npz",
                         [](const std::string&) { return Result<DType>(DType::kF32); });
  REQUIRE_MESSAGE(stored, stored.error().message());
  std::map<std::string, Tensor> arrays(stored->begin(), stored->end());
  const auto runs =
      run(runtime, kFolder + name + ".tflite", 2,
          [&](std::size_t i, const TensorType&) { return arrays.at("in_" + std::to_string(i)); });
  check_outputs(name, runs[0], arrays, "out_");
  if (arrays.contains("again_0")) check_outputs(name, runs[1], arrays, "again_");
}

/// splitmix64: the same numbers in Python and here.
double uniform(std::uint64_t i) {
  std::uint64_t z = (i + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return static_cast<double>(z >> 40) / static_cast<double>(1 << 24);
}

Tensor made_input(std::size_t index, const TensorType& type) {
  Shape shape = type.shape;
  for (int i = 0; i < shape.rank(); ++i) shape[i] = shape[i] < 0 ? 1 : shape[i];
  auto out = Tensor::allocate(type.dtype, shape);
  REQUIRE(out);
  std::byte* to = out->mutable_bytes().data();
  for (std::int64_t i = 0; i < out->elements(); ++i) {
    const double u =
        uniform((static_cast<std::uint64_t>(index) << 32) + static_cast<std::uint64_t>(i));
    const int bits = dtype_info(type.dtype).bits;
    if (is_float(type.dtype)) {
      store_f64(type.dtype, to, i, 2 * u - 1);
    } else if (type.dtype == DType::kBool) {
      store_i64(type.dtype, to, i, u < 0.5 ? 1 : 0);
    } else if (bits > 16) {
      store_i64(type.dtype, to, i, static_cast<std::int64_t>(std::floor(u * 3)));
    } else {
      const double low = is_signed_integer(type.dtype) ? -std::ldexp(1.0, bits - 1) : 0;
      store_i64(type.dtype, to, i,
                static_cast<std::int64_t>(std::floor(low + u * std::ldexp(1.0, bits))));
    }
  }
  return out.take();
}

}  // namespace

TEST_CASE("TensorFlow Lite's operators give what LiteRT gives") {
  for (const std::string& name : case_names()) {
    CAPTURE(name);
    for (const std::string device : {"reference", "cpu"}) {
      CAPTURE(device);
      check_case(device, name);
    }
  }
}

TEST_CASE("TensorFlow Lite models of the shared folder give what LiteRT gives") {
  std::map<std::string, std::vector<Tensor>> outputs;
  int models = 0;
  for (const auto& row : read_table("data/tflite_expected.tsv")) {
    REQUIRE(row.size() == 6);
    CAPTURE(row[0]);
    const auto path = shared_file("models/" + row[0]);
    if (!path) return;
    if (!outputs.contains(row[0])) {
      outputs[row[0]] = run(make_runtime({"cpu"}), *path, 1, made_input)[0];
      ++models;
    }
    const auto index = static_cast<std::size_t>(*parse_i64(row[1]));
    CAPTURE(index);
    REQUIRE(index < outputs[row[0]].size());
    const Tensor& got = outputs[row[0]][index];
    CHECK(dtype_name(got.dtype()) == row[2]);
    REQUIRE(got.elements() == *parse_i64(row[3]));
    const auto samples = split(row[5], ',');
    const double largest = *parse_f64(row[4]);
    Judge judge{.quantized = true};
    for (std::size_t j = 0; j < samples.size(); ++j) {
      const auto at =
          static_cast<std::int64_t>(j) * got.elements() / static_cast<std::int64_t>(samples.size());
      judge.compare(got.dtype(), element_as_f64(got, at), *parse_f64(samples[j]), largest);
    }
    judge.finish();
  }
  MESSAGE(models << " models");
}

TEST_CASE("TensorFlow Lite models with strings are refused by name") {
  for (const auto& [file, name] : {std::pair("gather_string", "GATHER"),
                                   std::pair("dynamic_string_custom_ops", "CUSTOM 'Normalize'")}) {
    const auto path = shared_file("models/tflite/litert/testdata/" + std::string(file) + ".tflite");
    if (!path) return;
    const auto model = load_model(*path, OpSet::builtin());
    REQUIRE_FALSE(model);
    CHECK(model.error().code() == ErrorCode::kUnsupported);
    CHECK(model.error().message().find(name) != std::string::npos);
  }
}

TEST_CASE("cut and changed TensorFlow Lite models are errors or load") {
  const OpSet ops = OpSet::builtin();
  const auto load = [&](std::vector<std::byte> bytes) {
    auto source = Source::in_memory("changed.tflite", std::move(bytes));
    (void)load_model(source, ops);
  };
  for (const std::string& name : case_names()) {
    CAPTURE(name);
    const auto text = read_file(kFolder + name + ".tflite", 1 << 24);
    REQUIRE(text);
    const auto* data = reinterpret_cast<const std::byte*>(text->data());
    const std::vector<std::byte> whole(data, data + text->size());
    const auto number = [&](std::uint64_t i, std::size_t below) {
      return static_cast<std::size_t>(uniform(i) * static_cast<double>(below));
    };
    for (std::uint64_t i = 0; i < 50; ++i) {
      const auto size = static_cast<std::ptrdiff_t>(number(i, whole.size()));
      load({whole.begin(), whole.begin() + size});
    }
    // Words are what offsets, sizes and indices are made of.
    constexpr std::uint32_t kWords[] = {0,    1,      2,          4,          0x7F,
                                        0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
    for (std::uint64_t i = 0; i < 120; ++i) {
      std::vector<std::byte> changed = whole;
      const std::size_t at = number(1000 + i, whole.size() / 4) * 4;
      std::uint32_t word = kWords[number(2000 + i, std::size(kWords))];
      if (i % 3 == 0) {
        std::memcpy(&word, changed.data() + at, sizeof(word));
        word += static_cast<std::uint32_t>(number(3000 + i, 9)) - 4;
      }
      std::memcpy(changed.data() + at, &word, i % 2 == 0 ? sizeof(word) : 1);
      load(std::move(changed));
    }
  }
}
