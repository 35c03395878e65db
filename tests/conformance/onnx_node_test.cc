#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backend/cpu/cpu_device.h"
#include "backend/reference/reference_device.h"
#include "base/os/files.h"
#include "conformance/devices.h"
#include "load/load.h"
#include "load/onnx/proto.h"
#include "load/onnx/tensor.h"
#include "save/onnx/onnx_writer.h"
#include "session/session.h"
#include "support/compare.h"
#include "support/process.h"
#include "support/skip.h"
#include "support/vulkan.h"
#include "tensor/element.h"
#include "tensor/values.h"
#include "test_paths.h"
#include "wire/protobuf.h"

// The node tests that ONNX publishes: one model and data sets per case. Debian's libonnx-testdata
// is an older release; that of .venv (tools/requirements.txt) has the small dtypes and newer
// op-sets; ours in tests/data/microsoft is of onnxruntime's own operators, by onnxruntime.
namespace polaris::test {
namespace {

struct Data {
  std::string release;
  std::string label;  // behind the device's
  std::string root;   // "" where it is not here
  // What passed when this was written; more is welcome.
  int passed_min = 0;
};

/// $POLARIS_ONNX_DATA, or the folder of the package in .venv.
std::string new_root() {
  if (const char* set = std::getenv("POLARIS_ONNX_DATA")) return set;
  const std::string lib = std::string(kSourceDir) + "/.venv/lib";
  const auto versions = list_folder(lib, 100);
  for (const std::string& version : versions ? *versions : std::vector<std::string>{}) {
    const std::string root = lib + "/" + version + "/site-packages/onnx/backend/test/data/node";
    if (path_kind(root) != PathKind::kMissing) return root;
  }
  return "";
}

std::vector<Data> all_data() {
  return {{"1.12", "", "/usr/share/libonnx-testdata/data/node", 921},
          {"1.20", ".new", new_root(), 1635},
          {"com.microsoft", ".microsoft", std::string(kSourceDir) + "/tests/data/microsoft", 55}};
}

constexpr const char* kWraps =
    "the data keeps low bits where the op saturates: -236 is there as 20";

/// Tests that no right answer can pass, with the reason.
const std::map<std::string, std::string, std::less<>> kExceptions = {
    {"test_castlike_BFLOAT16_to_FLOAT", "the data's shapes are not the model's"},
    {"test_castlike_BFLOAT16_to_FLOAT_expanded", "the data's shapes are not the model's"},
    {"test_castlike_FLOAT_to_BFLOAT16", "the data's shapes are not the model's"},
    {"test_castlike_FLOAT_to_BFLOAT16_expanded", "the data's shapes are not the model's"},
    {"test_qlinearmatmul_2D_int8_float16", kWraps},
    {"test_qlinearmatmul_2D_int8_float32", kWraps},
    {"test_qlinearmatmul_3D_int8_float16", kWraps},
    {"test_qlinearmatmul_3D_int8_float32", kWraps},
};

/// ONNX leaves random numbers to who draws them: type, shape and statistics are the data's.
bool is_random(std::string_view name) {
  return name.starts_with("test_bernoulli") ||
         (name.starts_with("test_training_dropout") && name.find("zero_ratio") == name.npos);
}

/// What sets means apart that come of the same distribution: more than five standard errors.
std::string mean_difference(const Tensor& got, const Tensor& wanted) {
  if (got.type() != wanted.type()) {
    return "got " + got.type().to_string() + ", wanted " + wanted.type().to_string();
  }
  double means[2] = {};
  double squares[2] = {};
  const auto n = static_cast<double>(got.elements());
  for (std::int64_t i = 0; i < got.elements(); ++i) {
    const double values[2] = {element_as_f64(got, i), element_as_f64(wanted, i)};
    for (int k = 0; k < 2; ++k) {
      means[k] += values[k] / n;
      squares[k] += values[k] * values[k] / n;
    }
  }
  const double error = std::sqrt((squares[0] + squares[1]) / n);
  if (std::fabs(means[0] - means[1]) <= 5 * error) return "";
  return "mean, got " + std::to_string(means[0]) + ", wanted " + std::to_string(means[1]);
}

void append_varint(std::vector<std::byte>& out, std::size_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::byte>(value | 0x80));
  out.push_back(static_cast<std::byte>(value));
}

std::vector<std::byte> field(int number, const std::vector<std::byte>& message) {
  std::vector<std::byte> out;
  append_varint(out, static_cast<std::size_t>(number) << 3 | 2);
  append_varint(out, message.size());
  out.insert(out.end(), message.begin(), message.end());
  return out;
}

/// The bytes of a TensorProto, read as the one initializer of a model made around it.
Result<Tensor> tensor_from(const std::string& path, std::span<const std::byte> bytes) {
  const std::vector<std::byte> tensor(bytes.begin(), bytes.end());
  Source source = Source::in_memory(path, field(7, field(5, tensor)));
  const auto model = onnx::parse_model(source.main().bytes);
  if (!model) return model.error();
  if (!model->graph || model->graph->initializers.size() != 1) {
    return Error::invalid("[test] " + path + " holds no tensor");
  }
  auto constant = onnx::make_constant(model->graph->initializers[0], source);
  if (!constant) return constant.error();
  return Tensor::from_bytes((*constant)->data.type(), (*constant)->data.bytes());
}

/// A TensorProto, SequenceProto or OptionalProto, as `type` says.
Result<Tensor> value_from(const std::string& path, std::span<const std::byte> bytes,
                          const TensorType& type) {
  if (type.is_tensor()) return tensor_from(path, bytes);
  const bool sequence = type.kind == ValueKind::kSequence;
  const TensorType held = type.as(type.kind == ValueKind::kOptionalSequence ? ValueKind::kSequence
                                                                            : ValueKind::kTensor);
  std::vector<Tensor> values;
  ProtoReader reader(bytes);
  for (ProtoField f; reader.next(f);) {
    // tensor_values and tensor_value are field 3, sequence_value is 5.
    if (f.wire != ProtoWire::kBytes || f.number != (held.is_tensor() ? 3 : 5)) continue;
    auto value = value_from(path, f.bytes, held);
    if (!value) return value;
    values.push_back(value.take());
  }
  if (auto s = reader.status(); !s) return s.error();
  if (sequence) return make_sequence(held, std::move(values));
  return make_optional(held, values.empty() ? std::nullopt : std::optional(values.front()));
}

Result<Tensor> read_value(const std::string& path, const TensorType& type) {
  auto text = read_file(path, 64 << 20);
  if (!text) return text.error();
  return value_from(path, std::as_bytes(std::span(*text)), type);
}

/// "input_0.pb", "input_1.pb" ... until there is none; those beyond `types` are tensors.
Result<std::vector<Tensor>> read_values(const std::string& folder, const std::string& stem,
                                        const std::vector<TensorType>& types) {
  std::vector<Tensor> out;
  for (std::size_t i = 0;; ++i) {
    const std::string path = folder + "/" + stem + "_" + std::to_string(i) + ".pb";
    if (path_kind(path) == PathKind::kMissing) return out;
    auto value = read_value(path, i < types.size() ? types[i] : TensorType{});
    if (!value) return value.error();
    out.push_back(value.take());
  }
}

struct Outcome {
  std::string refused;  // the reason, where something is not supported
  std::string failed;
};

Outcome from_error(const std::string& where, const Error& error) {
  const bool refused = error.code() == ErrorCode::kUnsupported;
  const std::string text = where + ": " + error.message();
  return refused ? Outcome{text, ""} : Outcome{"", text};
}

/// The data sets hold bfloat16 as uint16 of the same bits.
Tensor as_stored(const Tensor& tensor, DType wanted) {
  if (wanted != DType::kBF16 || tensor.dtype() != DType::kU16) return tensor;
  return Tensor::from_bytes({wanted, tensor.shape(), {}}, tensor.bytes()).take();
}

/// The cpu rounds activations to 15 bits before it multiplies them with weights of few bits.
constexpr double kRoundedOfLargest = 1e-4;
bool is_rounded(std::string_view name) { return name.starts_with("test_n_bits_"); }

Outcome run_set(Session& session, const std::string& folder, bool random, double of_largest) {
  const Graph& graph = session.program().graph();
  std::vector<TensorType> types;
  for (ValueId id : graph.inputs()) types.push_back(graph.value(id).type);
  auto inputs = read_values(folder, "input", types);
  if (!inputs) return from_error("inputs", inputs.error());
  for (std::size_t i = 0; i < inputs->size() && i < graph.inputs().size(); ++i) {
    (*inputs)[i] = as_stored((*inputs)[i], graph.value(graph.inputs()[i]).type.dtype);
  }
  std::vector<Tensor> got;
  if (auto ran = session.run(*inputs, got); !ran) return from_error("run", ran.error());
  types.clear();
  for (const Tensor& value : got) types.push_back(value.type());
  auto wanted = read_values(folder, "output", types);
  if (!wanted) return from_error("outputs", wanted.error());
  if (got.size() != wanted->size()) {
    return {"", "outputs, got " + std::to_string(got.size()) + ", wanted " +
                    std::to_string(wanted->size())};
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    const Tensor stored = as_stored((*wanted)[i], got[i].dtype());
    const std::string d =
        random ? mean_difference(got[i], stored) : difference(got[i], stored, 1, of_largest);
    if (!d.empty()) return {"", "output " + std::to_string(i) + ": " + d};
  }
  return {};
}

/// The model as it is once we wrote it.
Result<Model> written_and_read(Model model, const OpSet& ops, const TemporaryFolder& folder) {
  const std::string path = folder.file("model.onnx");
  const Graph* graph = model.find("main");
  if (graph == nullptr) return Error::invalid("[test] no main graph");
  const auto report = write_onnx(*graph, model.metadata, ops, path);
  // What we load we also write.
  if (!report) return Error::invalid("written: " + report.error().message());
  auto again = load_model(path, ops);
  if (!again) return Error::invalid("read again: " + again.error().message());
  return again;
}

Outcome run_case(const std::shared_ptr<Runtime>& runtime, const std::string& root,
                 const std::string& name, const TemporaryFolder* written) {
  const std::string folder = root + "/" + name;
  auto model = load_model(folder + "/model.onnx", runtime->ops());
  if (model && written != nullptr) model = written_and_read(model.take(), runtime->ops(), *written);
  if (!model) return from_error("load", model.error());
  Graph* graph = model->find("main");
  if (graph == nullptr) return {"", "no main graph"};
  auto program = Program::compile(runtime, std::move(*graph));
  if (!program) return from_error("compile", program.error());
  auto session = Session::create(*program);
  if (!session) return from_error("session", session.error());
  for (int set = 0;; ++set) {
    const std::string data = folder + "/test_data_set_" + std::to_string(set);
    if (path_kind(data) == PathKind::kMissing) return {};
    Outcome outcome =
        run_set(**session, data, is_random(name), is_rounded(name) ? kRoundedOfLargest : 0);
    if (!outcome.refused.empty() || !outcome.failed.empty()) return outcome;
  }
}

std::vector<std::string> case_names(const std::string& root) {
  std::vector<std::string> out;
  const auto names = list_folder(root, 100000);
  if (names) out = *names;
  std::sort(out.begin(), out.end());
  return out;
}

void run_data(const std::shared_ptr<Runtime>& runtime, const Data& data, const std::string& device,
              const TemporaryFolder* written) {
  if (path_kind(data.root) == PathKind::kMissing) {
    skip("ONNX's node tests of release " + data.release + " are not there");
    return;
  }
  const std::string label = device + data.label;
  const char* report = std::getenv("POLARIS_ONNX_REPORT");
  std::FILE* file = report != nullptr ? std::fopen((report + ("." + label)).c_str(), "w") : nullptr;
  int passed = 0;
  int refused = 0;
  for (const std::string& name : case_names(data.root)) {
    if (kExceptions.count(name) != 0) continue;
    const Outcome outcome = run_case(runtime, data.root, name, written);
    const char* word = "passed";
    if (!outcome.failed.empty()) {
      word = "failed";
      FAIL_CHECK(label, " ", name, ": ", outcome.failed);
    } else if (!outcome.refused.empty()) {
      word = "refused";
      ++refused;
    } else {
      ++passed;
    }
    if (file != nullptr) {
      std::fprintf(file, "%s\t%s\t%s%s\n", word, name.c_str(), outcome.failed.c_str(),
                   outcome.refused.c_str());
    }
  }
  if (file != nullptr) std::fclose(file);
  std::printf("%s: ONNX node tests: %d passed, %d refused as unsupported, %zu excepted\n",
              label.c_str(), passed, refused, kExceptions.size());
  // Losing ops must not go unnoticed.
  CHECK(passed >= data.passed_min);
}

/// Runs every case, in `written` as we write it, and prints counts; POLARIS_ONNX_REPORT names a
/// file for one line a case.
void run_all(std::vector<std::unique_ptr<Device>> devices, const std::string& device,
             const TemporaryFolder* written = nullptr) {
  const auto runtime = std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
  for (const Data& data : all_data()) run_data(runtime, data, device, written);
}

}  // namespace

TEST_CASE("ONNX node tests on the reference") {
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(make_reference_device());
  run_all(std::move(devices), "reference");
}

TEST_CASE("ONNX node tests on the cpu") {
  std::vector<std::unique_ptr<Device>> devices;
  auto cpu = make_cpu_device({});
  REQUIRE(cpu.ok());
  devices.push_back(cpu.take());
  run_all(std::move(devices), "cpu");
}

TEST_CASE("ONNX node tests, written as ONNX and read again, on the cpu") {
  std::vector<std::unique_ptr<Device>> devices;
  auto cpu = make_cpu_device({});
  REQUIRE(cpu.ok());
  devices.push_back(cpu.take());
  const TemporaryFolder folder;
  run_all(std::move(devices), "written", &folder);
}

TEST_CASE("ONNX node tests on Vulkan with the cpu behind it") {
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(make_test_vulkan());
  if (devices.front() == nullptr) return;
  auto cpu = make_cpu_device({});
  REQUIRE(cpu.ok());
  devices.push_back(cpu.take());
  run_all(std::move(devices), "vulkan");
}

TEST_CASE("ONNX node tests on the card's machine code with the cpu behind it") {
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(make_gcn_device());
  if (devices.front() == nullptr) return;
  auto cpu = make_cpu_device({});
  REQUIRE(cpu.ok());
  devices.push_back(cpu.take());
  run_all(std::move(devices), "gcn");
}

}  // namespace polaris::test
