// A file that is cut while it is mapped: an error, and never the end of the process.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/os/files.h"
#include "base/os/mapped_file.h"
#include "base/os/mapping_guard.h"
#include "load/load.h"
#include "session/open_devices.h"
#include "session/session.h"
#include "support/onnx_builder.h"
#include "support/process.h"
#include "test_paths.h"
#include "wire/npy.h"

namespace polaris {
namespace {

using test::TemporaryFolder;

std::string whole(const std::string& path) {
  auto text = read_file(path, std::int64_t{1} << 26);
  REQUIRE(text.ok());
  return text.take();
}

int sum(std::span<const std::byte> bytes) {
  int out = 0;
  for (std::byte b : bytes) out += std::to_integer<int>(b);
  return out;
}

TEST_CASE("what a cut file no longer holds reads as zeros, and check tells") {
  const TemporaryFolder folder;
  const std::string path = folder.file("f");
  constexpr std::size_t kPage = 4096;
  for (const std::size_t left :
       {std::size_t{0}, std::size_t{1}, kPage, 2 * kPage + 5, 4 * kPage - 1}) {
    CAPTURE(left);
    REQUIRE(write_file(path, std::string(4 * kPage, '\1')).ok());
    const auto file = MappedFile::open(path);
    REQUIRE(file.ok());
    CHECK(check_mapping(**file).ok());
    REQUIRE(::truncate(path.c_str(), static_cast<off_t>(left)) == 0);
    const int got = sum((*file)->bytes());
    CHECK(got == static_cast<int>(left));
    const Status status = check_mapping(**file);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code() == ErrorCode::kIo);
    CHECK(status.error().message().find(path) != std::string::npos);
  }
}

TEST_CASE("a file that is replaced, or grows, is no loss") {
  const TemporaryFolder folder;
  const std::string path = folder.file("f");
  REQUIRE(write_file(path, std::string(9000, '\1')).ok());
  const auto file = MappedFile::open(path);
  REQUIRE(file.ok());
  REQUIRE(write_file(path, "short").ok());  // by renaming
  CHECK(sum((*file)->bytes()) == 9000);
  CHECK(check_mapping(**file).ok());
  REQUIRE(::unlink(path.c_str()) == 0);
  CHECK(check_mapping(**file).ok());
}

TEST_CASE("only the mapping that was cut is damaged, in every thread") {
  const TemporaryFolder folder;
  REQUIRE(write_file(folder.file("a"), std::string(1 << 20, '\1')).ok());
  REQUIRE(write_file(folder.file("b"), std::string(1 << 20, '\1')).ok());
  const auto a = MappedFile::open(folder.file("a"));
  const auto b = MappedFile::open(folder.file("b"));
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  REQUIRE(::truncate(folder.file("a").c_str(), 0) == 0);
  std::vector<std::thread> threads;
  std::vector<int> sums(4);
  for (std::size_t t = 0; t < sums.size(); ++t) {
    threads.emplace_back([&, t] { sums[t] = sum((*a)->bytes()) + sum((*b)->bytes()); });
  }
  for (std::thread& thread : threads) thread.join();
  for (int s : sums) CHECK(s == 1 << 20);
  CHECK(is_damaged(**a));
  CHECK_FALSE(is_damaged(**b));
}

TEST_CASE("more mappings than are guarded at once do no harm, and their places are used again") {
  const TemporaryFolder folder;
  const std::string path = folder.file("f");
  REQUIRE(write_file(path, std::string(5000, '\1')).ok());
  {
    std::vector<std::shared_ptr<const MappedFile>> files;
    for (int i = 0; i < kGuardsMax + 10; ++i) {
      auto file = MappedFile::open(path);
      REQUIRE(file.ok());
      files.push_back(file.take());
    }
    CHECK(sum(files.back()->bytes()) == 5000);
  }
  const auto file = MappedFile::open(path);
  REQUIRE(file.ok());
  REQUIRE(::truncate(path.c_str(), 0) == 0);
  CHECK(sum((*file)->bytes()) == 0);
  CHECK(is_damaged(**file));
}

TEST_CASE("every loader refuses a file that is cut between opening and reading") {
  const TemporaryFolder folder;
  const std::string source_dir = test::kSourceDir;
  for (const std::string& original : {source_dir + "/models/stories/stories-q4_0.gguf",
                                      source_dir + "/tests/data/onnx/qdq_cnn.onnx"}) {
    const std::string text = whole(original);
    const std::string path = folder.file("model");
    for (const std::size_t left :
         {std::size_t{0}, std::size_t{100}, text.size() / 2, text.size() - 1}) {
      CAPTURE(original);
      CAPTURE(left);
      REQUIRE(write_file(path, text).ok());
      auto source = Source::open(path);
      REQUIRE(source.ok());
      // Detection has seen the beginning already.
      CHECK(source->main().bytes[0] != std::byte{0});
      REQUIRE(::truncate(path.c_str(), static_cast<off_t>(left)) == 0);
      const auto model = load_model(*source, OpSet::builtin());
      REQUIRE_FALSE(model.ok());
      CHECK(model.error().message().find("model") != std::string::npos);
      CHECK(model.error().code() == ErrorCode::kIo);
    }
  }
}

TEST_CASE("a run whose weights are cut under it fails, and gives out no wrong answer") {
  const TemporaryFolder folder;
  constexpr std::int64_t kCount = 8192;
  test::OnnxGraph graph;
  graph.inputs = {test::onnx_value("x", 1, {std::to_string(kCount)})};
  graph.nodes = {test::onnx_node("Add", {"x", "w"}, {"y"})};
  graph.outputs = {test::onnx_value("y", 1, {std::to_string(kCount)})};
  // External data, which is mapped: dims 1, data_type 2, name 8, external_data 13, location 14.
  graph.initializers = {
      test::proto_varint(1, kCount) + test::proto_varint(2, 1) + test::proto_bytes(8, "w") +
      test::proto_bytes(13, test::proto_bytes(1, "location") + test::proto_bytes(2, "w.bin")) +
      test::proto_varint(14, 1)};
  const std::vector<float> weights(kCount, 7.0f);
  const std::string data = folder.file("w.bin");
  REQUIRE(write_file(folder.file("model.onnx"), test::onnx_model(graph.encode(), 17)).ok());
  int failed = 0;
  for (const char* device : {"cpu", "reference"}) {
    for (const bool warm : {false, true}) {
      CAPTURE(device);
      CAPTURE(warm);
      REQUIRE(write_file(data, std::as_bytes(std::span(weights))).ok());
      DeviceOptions options;
      options.devices = {device};
      auto runtime = open_runtime(options);
      REQUIRE(runtime.ok());
      auto model = load_model(folder.file("model.onnx"), (*runtime)->ops());
      REQUIRE(model.ok());
      auto taken = take_function(*model, "");
      REQUIRE(taken.ok());
      auto program = Program::compile(*runtime, taken.take());
      REQUIRE(program.ok());
      auto session = Session::create(program.take());
      REQUIRE(session.ok());
      auto x = Tensor::allocate(DType::kF32, {kCount});
      REQUIRE(x.ok());
      const std::vector<Tensor> inputs = {x.take()};
      std::vector<Tensor> outputs;
      if (warm) REQUIRE((*session)->run(inputs, outputs).ok());
      REQUIRE(::truncate(data.c_str(), 200) == 0);
      const Status status = (*session)->run(inputs, outputs);
      if (!status) {
        CHECK(status.error().message().find("w.bin") != std::string::npos);
        ++failed;
        continue;
      }
      // The device has a copy of its own.
      CHECK(element_as_f64(outputs[0], kCount - 1) == 7.0);
    }
  }
  // The cpu reads what is mapped.
  CHECK(failed >= 1);
}

}  // namespace
}  // namespace polaris
