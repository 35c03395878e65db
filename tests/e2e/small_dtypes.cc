// Small dtypes through the command line and the C ABI: .npy and .json files in and out, ONNX.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "polaris/polaris_c.h"
#include "support/onnx_builder.h"
#include "support/process.h"
#include "tensor/element.h"
#include "wire/json_tensor.h"
#include "wire/npy.h"

namespace polaris {
namespace {

using namespace test;
using Json = nlohmann::json;

struct Row {
  DType dtype;
  int onnx;
  polaris_dtype c;
};
constexpr Row kRows[] = {{DType::kF8E4M3FN, 17, POLARIS_F8E4M3FN},
                         {DType::kF8E4M3FNUZ, 18, POLARIS_F8E4M3FNUZ},
                         {DType::kF8E5M2, 19, POLARIS_F8E5M2},
                         {DType::kF8E5M2FNUZ, 20, POLARIS_F8E5M2FNUZ},
                         {DType::kU4, 21, POLARIS_U4},
                         {DType::kI4, 22, POLARIS_I4},
                         {DType::kF4E2M1, 23, POLARIS_F4E2M1},
                         {DType::kF8E8M0, 24, POLARIS_F8E8M0},
                         {DType::kU2, 25, POLARIS_U2},
                         {DType::kI2, 26, POLARIS_I2}};

Tensor codes(DType dtype, const Shape& shape) {
  auto out = Tensor::allocate(dtype, shape);
  REQUIRE(out.ok());
  for (std::int64_t i = 0; i < out->elements(); ++i) {
    store_code(dtype, out->mutable_bytes().data(), i, static_cast<std::uint8_t>(3 * i + 1));
  }
  return out.take();
}

/// y = x and z, an initializer of the same bytes, as a model of the type.
std::vector<std::byte> identity(const Row& row, const Tensor& x) {
  const std::string raw(reinterpret_cast<const char*>(x.bytes().data()), x.bytes().size());
  OnnxGraph graph;
  graph.inputs = {onnx_value("x", row.onnx, {"n", "5"})};
  graph.initializers = {onnx_tensor("w", row.onnx, {3, 5}, raw)};
  graph.nodes = {onnx_node("Identity", {"x"}, {"y"}), onnx_node("Identity", {"w"}, {"z"})};
  graph.outputs = {onnx_value("y", row.onnx, {"n", "5"}), onnx_value("z", row.onnx, {"3", "5"})};
  return onnx_model(graph.encode(), 25);
}

void check_same(const Result<Tensor>& got, const Tensor& want) {
  REQUIRE_MESSAGE(got.ok(), (got ? "" : got.error().message()));
  CHECK(got->type() == want.type());
  CHECK(std::equal(got->bytes().begin(), got->bytes().end(), want.bytes().begin(),
                   want.bytes().end()));
}

TEST_CASE("run takes and gives small dtypes in .npy files, one element a byte") {
  const TemporaryFolder folder;
  for (const Row& row : kRows) {
    CAPTURE(dtype_name(row.dtype));
    const Tensor x = codes(row.dtype, {3, 5});
    REQUIRE(write_file(folder.file("m.onnx"), identity(row, x)));
    REQUIRE(save_npy(folder.file("x.npy"), x));
    for (const char* device : {"cpu", "reference"}) {
      const auto result =
          run_polaris({"run", folder.file("m.onnx"), "-i", "x=" + folder.file("x.npy"), "-o",
                       folder.path(), "--json", "--device", device});
      CAPTURE(result.err);
      REQUIRE(result.exit_code == 0);
      const Json json = Json::parse(result.out);
      CHECK(json.at("outputs").at(0).at("dtype") == std::string(dtype_name(row.dtype)));
      check_same(load_npy(folder.file("y.npy"), row.dtype), x);
      check_same(load_npy(folder.file("z.npy"), row.dtype), x);
    }
    REQUIRE(write_file(folder.file("x.json"), format_json_tensor(x)));
    const auto json =
        run_polaris({"run", folder.file("m.onnx"), "-i", "x=" + folder.file("x.json"), "-o",
                     folder.path(), "--output-format", "json", "--device", "cpu"});
    CHECK_MESSAGE(json.exit_code == 0, json.err);
    check_same(load_json_tensor(folder.file("y.json"), row.dtype), x);
    check_same(load_json_tensor(folder.file("z.json"), row.dtype), x);
    const auto random = run_polaris(
        {"run", folder.file("m.onnx"), "--random-inputs=3", "--dim", "n=3", "--device", "cpu"});
    CHECK_MESSAGE(random.exit_code == 0, random.err);
    const auto shown = run_polaris({"inspect", folder.file("m.onnx"), "--json"});
    CHECK(shown.out.find(std::string(dtype_name(row.dtype))) != std::string::npos);
  }
}

TEST_CASE("run says what a file of bytes without a name cannot be") {
  const TemporaryFolder folder;
  const Tensor x = codes(DType::kF8E5M2, {3, 5});
  REQUIRE(save_npy(folder.file("x.npy"), x));
  const auto run = [&](const Row& row) {
    REQUIRE(write_file(folder.file("m.onnx"), identity(row, codes(row.dtype, {3, 5}))));
    return run_polaris({"run", folder.file("m.onnx"), "-i", "x=" + folder.file("x.npy")});
  };
  // Codes above 15 are no int4.
  const auto four = run(kRows[5]);
  CHECK(four.exit_code == 1);
  CHECK(four.err.find("wanted one of int4") != std::string::npos);
  REQUIRE(write_file(folder.file("f.txt"),
                     std::string_view("graph main {\n  input %x : float32[3, 5]\n  %y = "
                                      "Identity(%x)\n  output %y\n}\n")));
  const auto wide = run_polaris({"run", folder.file("f.txt"), "-i", "x=" + folder.file("x.npy")});
  CHECK(wide.exit_code == 1);
  CHECK(wide.err.find("bytes without a name") != std::string::npos);
}

struct Freed {
  ~Freed() {
    for (polaris_tensor* tensor : {in, outs[0], outs[1]}) polaris_tensor_free(tensor);
    polaris_session_free(session);
    polaris_program_free(program);
    polaris_runtime_free(runtime);
  }
  polaris_runtime* runtime = nullptr;
  polaris_program* program = nullptr;
  polaris_session* session = nullptr;
  polaris_tensor* in = nullptr;
  polaris_tensor* outs[2] = {};
};

std::string text_of(polaris_error* error) {
  const std::string out = error == nullptr ? "" : polaris_error_message(error);
  polaris_error_free(error);
  return out;
}

TEST_CASE("c: small dtypes are packed, and their sizes are checked") {
  const TemporaryFolder folder;
  for (const Row& row : kRows) {
    CAPTURE(dtype_name(row.dtype));
    const Tensor x = codes(row.dtype, {3, 5});
    REQUIRE(write_file(folder.file("m.onnx"), identity(row, x)));
    Freed f;
    REQUIRE(text_of(polaris_runtime_create(nullptr, &f.runtime)) == "");
    REQUIRE(text_of(polaris_program_load(f.runtime, folder.file("m.onnx").c_str(), nullptr,
                                         &f.program)) == "");
    polaris_type type = {};
    REQUIRE(polaris_program_input(f.program, 0, &type) != nullptr);
    CHECK(type.dtype == row.c);
    const polaris_type given = {row.c, 2, {3, 5}};
    const auto bytes = x.bytes();
    CHECK(text_of(polaris_tensor_create(&given, bytes.data(), bytes.size() + 1, &f.in)) != "");
    REQUIRE(text_of(polaris_tensor_create(&given, bytes.data(), bytes.size(), &f.in)) == "");
    REQUIRE(text_of(polaris_session_create(f.program, &f.session)) == "");
    REQUIRE(text_of(polaris_session_run(f.session, &f.in, 1, f.outs, 2)) == "");
    for (const polaris_tensor* out : f.outs) {
      std::size_t count = 0;
      const auto* data = static_cast<const std::byte*>(polaris_tensor_bytes(out, &count));
      CHECK(std::equal(data, data + count, bytes.begin(), bytes.end()));
    }
  }
}

}  // namespace
}  // namespace polaris
