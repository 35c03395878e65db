// Choosing kernels by what was measured: keys, the file, and measuring itself.
#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "backend/kernel_family.h"
#include "backend/tuning.h"
#include "backend/tuning_file.h"
#include "base/os/files.h"
#include "ir/builtin_op.h"
#include "ir/op_attrs/elementwise.h"
#include "session/tune.h"
#include "support/fake_device.h"
#include "support/process.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

class NamedKernel final : public Kernel {
 public:
  explicit NamedKernel(std::string name, double us = 1) : name_(std::move(name)) {
    estimate_us = us;
  }
  std::string_view name() const override { return name_; }

 private:
  std::string name_;
};

/// A node of one op, with types of its own.
struct OneNode {
  const OpDef* op = find_builtin_op("Elu");
  EluAttrs attrs;
  std::vector<OperandDesc> inputs = {{TensorType{DType::kF32, {2, 3}, {}}}};
  std::vector<OperandDesc> outputs = {{TensorType{DType::kF32, {2, 3}, {}}}};
  std::vector<const Tensor*> values = {nullptr};
  std::string name = "n";

  NodeDesc desc() const { return {op, &attrs, name, inputs, outputs, values}; }
};

DeviceInfo card(const std::string& build = "driver 1, shaders 5") {
  DeviceInfo info;
  info.id = "vulkan:0";
  info.tuning_device = "vulkan 4098:26591 a card";
  info.tuning_build = build;
  return info;
}

Tuning some_tuning() {
  Tuning tuning;
  tuning.set(std::string(32, 'a'), "conv.f32 16x128 of 64 threads");
  tuning.set(std::string(32, '0'), "matmul_float32 256 threads");
  return tuning;
}

}  // namespace

TEST_CASE("a node's key tells what changes its kernels, and not its name") {
  const OneNode base;
  const std::string key = node_key(base.desc());
  CHECK(key.size() == 32);
  OneNode other;
  other.name = "another";
  CHECK(node_key(other.desc()) == key);
  std::vector<OneNode> differing(6);
  differing[0].attrs.alpha = 2;
  differing[1].inputs[0].type.shape = {3, 2};
  differing[2].outputs[0].type.dtype = DType::kF16;
  differing[3].inputs[0].layout = Layout::kChannelsLast;
  differing[4].inputs[0].present = false;
  differing[5].op = find_builtin_op("Celu");
  for (const OneNode& node : differing) CHECK(node_key(node.desc()) != key);
}

TEST_CASE("the kernel that was measured is taken where it is still offered") {
  const OneNode node;
  const auto a = std::make_shared<NamedKernel>("a");
  const auto b = std::make_shared<NamedKernel>("b");
  const KernelList offered = {a, b};
  CHECK(choose_kernel(offered, node.desc(), nullptr) == a);
  Tuning tuning;
  tuning.set(node_key(node.desc()), "b");
  const auto chosen = choose_kernel(offered, node.desc(), &tuning);
  CHECK(chosen == b);
  REQUIRE(chosen->choice != nullptr);
  CHECK(chosen->choice->kernels == std::vector<std::string>{"a", "b"});
  tuning.set(node_key(node.desc()), "of an older build");
  CHECK(choose_kernel(offered, node.desc(), &tuning) == a);
  // One kernel, or two of one name, are no choice.
  const KernelList alike = {std::make_shared<NamedKernel>("a"), std::make_shared<NamedKernel>("a")};
  CHECK(choose_kernel(alike, node.desc(), &tuning)->choice == nullptr);
}

TEST_CASE("every family that names an op is asked, and the lowest estimate comes first") {
  struct Target {};
  static constexpr std::string_view kOps[] = {"Elu"};
  using Family = KernelFamily<Target>;
  const Family slow{
      "slow", kOps, [](const Target&, const NodeDesc&) {
        return Result<KernelList>(KernelList{std::make_shared<NamedKernel>("slow", 9)});
      }};
  const Family none{"none", kOps, [](const Target&, const NodeDesc& desc) {
                      return Result<KernelList>(refuse_on("", desc, "no luck"));
                    }};
  const Family fast{
      "fast", kOps, [](const Target&, const NodeDesc&) {
        return Result<KernelList>(KernelList{std::make_shared<NamedKernel>("fast", 2),
                                             std::make_shared<NamedKernel>("other", 1)});
      }};
  const Family* const families[] = {&slow, &none, &fast};
  const OneNode node;
  Refusals refusals("", node.desc());
  const auto kernels = gather_kernels(FamilyTable<Family>(families), Target{}, node.desc(),
                                      refusals, [](const Kernel&) { return Status::success(); });
  REQUIRE(kernels.ok());
  std::vector<std::string> names;
  for (const auto& kernel : *kernels) names.emplace_back(kernel->name());
  CHECK(names == std::vector<std::string>{"fast", "other", "slow"});
  CHECK(refusals.error().message().find("no luck") != std::string::npos);
}

TEST_CASE("a tuning survives its file") {
  const TemporaryFolder folder;
  const std::string path = tuning_path(folder.path(), card());
  CHECK(load_tuning(path, card()).error().code() == ErrorCode::kNotFound);
  REQUIRE(save_tuning(path, card(), some_tuning()).ok());
  const auto loaded = load_tuning(path, card());
  REQUIRE_MESSAGE(loaded.ok(), loaded.error().message());
  CHECK(loaded->all() == some_tuning().all());
}

TEST_CASE("a tuning of another driver, of other shaders or another device is not used") {
  const TemporaryFolder folder;
  const std::string path = tuning_path(folder.path(), card());
  REQUIRE(save_tuning(path, card(), some_tuning()).ok());
  for (const char* build : {"driver 2, shaders 5", "driver 1, shaders 6", ""}) {
    const auto stale = load_tuning(path, card(build));
    REQUIRE_FALSE(stale.ok());
    CHECK(stale.error().message().find("driver 1, shaders 5") != std::string::npos);
    CHECK(stale.error().message().find("polaris tune") != std::string::npos);
  }
  DeviceInfo other = card();
  other.tuning_device = "vulkan 1:2 another";
  CHECK(tuning_path(folder.path(), other) != path);
  CHECK_FALSE(load_tuning(path, other).ok());
}

TEST_CASE("a tuning file that is cut or changed anywhere is refused, and never read as another") {
  const TemporaryFolder folder;
  const std::string path = tuning_path(folder.path(), card());
  REQUIRE(save_tuning(path, card(), some_tuning()).ok());
  const std::string whole = read_file(path, 1 << 20).take();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    REQUIRE(write_file(path, std::string_view(whole).substr(0, at)).ok());
    CHECK_FALSE(load_tuning(path, card()).ok());
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    REQUIRE(write_file(path, changed).ok());
    CHECK_FALSE(load_tuning(path, card()).ok());
  }
  for (const char* text : {"", "\n", "polaris tuning 2\n", "hash \n", "\nhash \n"}) {
    REQUIRE(write_file(path, std::string_view(text)).ok());
    CHECK_FALSE(load_tuning(path, card()).ok());
  }
}

TEST_CASE("noise is no reason to change a kernel") {
  const std::vector<double> usual = {100, 101, 99, 100, 102};
  CHECK_FALSE(is_faster(usual, usual));
  CHECK_FALSE(is_faster({98, 98, 98, 98, 98}, usual));    // by less than 3 %
  CHECK_FALSE(is_faster({50, 200, 60, 210, 90}, usual));  // as often slower
  CHECK(is_faster({90, 91, 90, 92, 90}, usual));
  CHECK_FALSE(is_faster({}, usual));
}

namespace {

/// Offers two kernels for each Softmax: the reference's, and the same, as if it took `other_us`.
class ChoiceDevice final : public DeviceWrapper {
 public:
  ChoiceDevice(std::int64_t usual_us, std::int64_t other_us)
      : DeviceWrapper(make_reference_device()), us_{{"usual", usual_us}, {"other", other_us}} {}

  Result<std::shared_ptr<const Kernel>> select(const NodeDesc& node) const override {
    if (!node.op->is("Softmax")) return DeviceWrapper::select(node);
    KernelList offered;
    for (const char* variant : {"usual", "other"}) {
      auto kernel = DeviceWrapper::select(node);
      if (!kernel) return kernel;
      offered.push_back(std::const_pointer_cast<Kernel>(kernel.take()));
      offered.back()->variant = variant;
    }
    return choose_kernel(offered, node, tuning_.get().get());
  }
  void set_tuning(const std::shared_ptr<const Tuning>& tuning) override { tuning_.set(tuning); }
  Result<std::unique_ptr<Executable>> compile(SegmentDesc segment) override {
    std::vector<std::string> variants;
    for (const LaunchDesc& launch : segment.launches) variants.push_back(launch.kernel->variant);
    auto out = DeviceWrapper::compile(std::move(segment));
    if (out) variants_[out->get()] = std::move(variants);
    return out;
  }
  Result<Fence> submit(Executable& executable, const SubmitArgs& args) override {
    const auto& variants = variants_.at(&executable);
    for (const std::string& variant : variants) {
      if (!variant.empty()) std::this_thread::sleep_for(std::chrono::microseconds(us_.at(variant)));
    }
    auto fence = DeviceWrapper::submit(executable, args);
    if (args.profile != nullptr) {
      for (LaunchTime& time : *args.profile) {
        const std::string& variant = variants[static_cast<std::size_t>(time.launch)];
        if (!variant.empty()) time.us = static_cast<double>(us_.at(variant));
      }
    }
    return fence;
  }

 private:
  std::map<std::string, std::int64_t> us_;
  std::map<const Executable*, std::vector<std::string>> variants_;
  TuningSlot tuning_;
};

constexpr std::string_view kText = R"(graph main {
  input %x : float32[4]
  %a = Softmax(%x)
  %b = Exp(%a)
  %c = Softmax(%b)
  output %c
})";

TuneReport tune_with(std::int64_t usual_us, std::int64_t other_us, std::vector<Tuning>& known) {
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::make_unique<ChoiceDevice>(usual_us, other_us));
  const auto runtime = std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
  const auto program = program_from_text(runtime, kText);
  const auto session = session_of(program);
  const std::vector<Tensor> inputs = {floats({4}, {1, 2, 3, 4})};
  std::vector<Tensor> outputs;
  std::size_t told = 0;
  TuneOptions options;
  options.runs = 3;
  options.progress = [&](std::size_t, std::size_t) { told += 1; };
  auto report = tune(
      *runtime, [&] { program->drop_plans(); },
      [&](const RunOptions& run) { return session->run(inputs, outputs, run); }, known, options);
  REQUIRE_MESSAGE(report.ok(), report.error().message());
  CHECK(told == 1);
  return report.take();
}

}  // namespace

TEST_CASE("tuning keeps a kernel that was faster, for the nodes that have it") {
  std::vector<Tuning> known(1);
  known[0].set(std::string(32, 'f'), "of another model");
  const TuneReport report = tune_with(20000, 1000, known);
  REQUIRE(report.nodes.size() == 1);  // both Softmaxes are of one key
  CHECK(report.nodes[0].op == "Softmax");
  CHECK(report.nodes[0].usual.ends_with("usual"));
  CHECK(report.nodes[0].fastest.ends_with("other"));
  CHECK(report.nodes[0].usual_us == 40000);
  CHECK(report.nodes[0].fastest_us == 2000);
  CHECK(report.kept);
  CHECK(report.tuned_ms < report.usual_ms);
  CHECK(known[0].all().size() == 2);
  REQUIRE(known[0].find(report.nodes[0].key) != nullptr);
  CHECK(*known[0].find(report.nodes[0].key) == report.nodes[0].fastest);
}

TEST_CASE("tuning keeps nothing that was slower, and forgets what no longer is faster") {
  std::vector<Tuning> known(1);
  const TuneReport first = tune_with(20000, 1000, known);
  REQUIRE(known[0].find(first.nodes[0].key) != nullptr);
  const TuneReport second = tune_with(1000, 20000, known);
  CHECK_FALSE(second.kept);
  CHECK(second.nodes[0].fastest == second.nodes[0].usual);
  CHECK(known[0].all().empty());
}

}  // namespace polaris::test
