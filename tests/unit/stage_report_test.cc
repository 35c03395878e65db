// Kernels that report wrong data: their run fails, with the node's name and the report's words; the
// next one starts with nothing reported.

#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "backend/reference/reference_device.h"
#include "support/device_wrapper.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

/// The reference's kernel, but for its reports.
class Reporter final : public Kernel {
 public:
  Reporter(std::shared_ptr<const Kernel> kernel, std::string_view of)
      : inner(std::move(kernel)), op(of) {
    flops = inner->flops;
    bytes = inner->bytes;
    estimate_us = inner->estimate_us;
  }
  std::string_view name() const override { return inner->name(); }
  std::int64_t workspace_bytes() const override { return inner->workspace_bytes(); }
  bool absorbs(int input) const override { return inner->absorbs(input); }
  bool reports() const override { return true; }
  std::string report(std::uint32_t code) const override { return "code " + std::to_string(code); }

  std::shared_ptr<const Kernel> inner;
  std::string op;
};

/// Tells kernels' codes as a device's kernels would: into their status words, during the run.
class ReportingDevice final : public DeviceWrapper {
 public:
  ReportingDevice() : DeviceWrapper(make_reference_device({})) {}

  Result<std::shared_ptr<const Kernel>> select(const NodeDesc& node) const override {
    auto kernel = DeviceWrapper::select(node);
    if (!kernel || node.op->is("Identity")) return kernel;
    return std::shared_ptr<const Kernel>(
        std::make_shared<const Reporter>(kernel.take(), node.op->name));
  }
  Result<std::unique_ptr<Executable>> compile(SegmentDesc segment) override {
    auto out = std::make_unique<Compiled>();
    out->fixed = segment.fixed.size();
    for (LaunchDesc& launch : segment.launches) {
      const auto* reporter = reporter_of(*launch.kernel);
      if (reporter == nullptr) continue;
      out->words.push_back({reporter->op, launch.status});
      launch.kernel = reporter->inner;
      launch.status = {};
    }
    auto inner = DeviceWrapper::compile(std::move(segment));
    if (!inner) return inner.error();
    out->inner = inner.take();
    return std::unique_ptr<Executable>(std::move(out));
  }
  Result<Fence> submit(Executable& executable, const SubmitArgs& args) override {
    auto& compiled = static_cast<Compiled&>(executable);
    auto fence = DeviceWrapper::submit(*compiled.inner, args);
    for (const auto& [op, word] : compiled.words) {
      REQUIRE(word.region >= static_cast<std::int32_t>(compiled.fixed));
      const BufferView& view = args.regions[static_cast<std::size_t>(word.region) - compiled.fixed];
      REQUIRE(view.offset + word.offset + 4 <= view.buffer->bytes());
      std::byte* at = view.buffer->host() + view.offset + word.offset;
      std::uint32_t before = 1;
      std::memcpy(&before, at, sizeof before);
      CHECK(before == 0);
      ++words_seen;
      if (const auto code = codes.find(op); code != codes.end()) {
        std::memcpy(at, &code->second, sizeof code->second);
      }
    }
    return fence;
  }

  std::map<std::string, std::uint32_t> codes;  // by op
  int words_seen = 0;

 private:
  struct Compiled final : Executable {
    std::unique_ptr<Executable> inner;
    std::size_t fixed = 0;
    std::vector<std::pair<std::string, OperandRef>> words;
  };
  static const Reporter* reporter_of(const Kernel& kernel) {
    return kernel.reports() ? static_cast<const Reporter*>(&kernel) : nullptr;
  }
};

constexpr std::string_view kText = R"(graph main {
  input %x : float32[4]
  %a = Neg(%x) as "first"
  %b = Exp(%a) as "second"
  %c = Tanh(%b) as "third"
  output %c
})";

}  // namespace

TEST_CASE("reports: each run tells its own, whatever runs before it reported") {
  auto made = std::make_unique<ReportingDevice>();
  ReportingDevice& device = *made;
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::move(made));
  auto runtime = std::make_shared<Runtime>(std::move(devices), 1, OpSet::builtin());
  ProgramOptions options;
  options.run_passes = false;
  Model model = model_from_text(kText);
  auto program = Program::compile(runtime, model, {}, options);
  REQUIRE_MESSAGE(program, program.error().message());
  auto session = session_of(*program);
  auto other_session = session_of(*program);
  const Tensor inputs[] = {floats({4}, {1, 2, 3, 4})};
  const std::vector<std::map<std::string, std::uint32_t>> runs = {
      {}, {{"Neg", 7}}, {}, {{"Tanh", 1}}, {{"Exp", 5}}, {}, {{"Neg", 1}, {"Exp", 2}}, {{"Exp", 2}},
      {}, {{"Exp", 0}}};
  const std::map<std::string, std::string> names = {
      {"Neg", "first"}, {"Exp", "second"}, {"Tanh", "third"}};
  for (std::size_t r = 0; r < runs.size(); ++r) {
    CAPTURE(r);
    device.codes = runs[r];
    std::vector<Tensor> outputs;
    const Status status = (r % 3 == 2 ? *other_session : *session).run(inputs, outputs);
    // The first in the order of the graph is told.
    std::string wanted;
    for (const std::string op : {"Neg", "Exp", "Tanh"}) {
      const auto code = runs[r].find(op);
      if (!wanted.empty() || code == runs[r].end() || code->second == 0) continue;
      wanted = "[" + op + "] node '" + names.at(op) + "': code " + std::to_string(code->second);
    }
    CHECK(status.ok() == wanted.empty());
    if (!status) CHECK(status.error().message() == wanted);
  }
  CHECK(device.words_seen == 3 * static_cast<int>(runs.size()));
}

}  // namespace polaris::test
