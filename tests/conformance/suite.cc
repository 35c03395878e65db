#include "conformance/suite.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "conformance/devices.h"
#include "conformance/node_run.h"
#include "ir/evaluate.h"
#include "ir/op_set.h"
#include "support/compare.h"
#include "tensor/element.h"

namespace polaris::test {
namespace {

Result<std::vector<Tensor>> oracle(const Sample& sample) {
  std::vector<const Constant*> inputs;
  for (const Constant& input : sample.inputs) inputs.push_back(input.data ? &input : nullptr);
  return evaluate_node(*sample.op, *sample.attrs, sample.name, inputs, sample.output_count);
}

/// The card's shaders, run by a driver or as machine code: what they leave open is the same.
bool runs_shaders(const Device& device) {
  return device.info().backend == "vulkan" || device.info().backend == "gcn";
}

/// The results where the operands' subnormals count as zeros.
std::vector<Tensor> flushed_oracle(const Sample& sample) {
  Sample flushed = sample;
  for (Constant& input : flushed.inputs) {
    if (input.data) input.data = without_subnormals(input.data);
  }
  auto out = oracle(flushed);
  return out ? out.take() : std::vector<Tensor>();
}

std::string compare_all(const std::vector<Tensor>& got, const std::vector<Tensor>& want,
                        const Sample& sample, const Device& device) {
  std::vector<Tensor> flushed;
  if (sample.subnormals && runs_shaders(device)) flushed = flushed_oracle(sample);
  for (std::size_t i = 0; i < want.size(); ++i) {
    const Tensor& other = flushed.empty() ? want[i] : flushed[i];
    const std::string d = sample.exact ? difference_of_bits(got[i], want[i], other)
                          : want[i].type().encoding.is_block()
                              ? difference_of_blocks(got[i], want[i], sample.code_steps)
                          : !flushed.empty()
                              ? difference_from_both(got[i], want[i], other, sample.slack)
                              : difference(got[i], want[i], sample.slack, sample.of_largest);
    if (!d.empty()) return "output " + std::to_string(i) + ": " + d;
  }
  return "";
}

bool bit_equal(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].type() != b[i].type() ||
        std::memcmp(a[i].bytes().data(), b[i].bytes().data(), a[i].bytes().size()) != 0) {
      return false;
    }
  }
  return true;
}

/// Input and output of the pair have equal bytes, so that a planner may put one on the other.
bool may_alias(const Sample& sample, const InPlace& pair, const std::vector<Tensor>& outputs) {
  const auto in = static_cast<std::size_t>(pair.input);
  const auto out = static_cast<std::size_t>(pair.output);
  return !pair.required && in < sample.inputs.size() && out < outputs.size() &&
         sample.inputs[in].data &&
         same_places(sample.inputs[in].data.dtype(), outputs[out].dtype()) &&
         sample.inputs[in].data.bytes().size() == outputs[out].bytes().size();
}

/// All ways of running one sample on one device. Empty where all is well.
std::string check_sample(Device& device, const Sample& sample, const std::vector<Tensor>& want,
                         std::string& refusal) {
  const RunResult first = run_node(device, sample, {});
  refusal = first.refusal;
  if (!first.fault.empty()) return first.fault;
  if (!refusal.empty()) return "";
  if (auto d = compare_all(first.outputs, want, sample, device); !d.empty()) {
    return first.kernel + ": " + d;
  }
  RunOptions other;
  other.poison = 0x35;
  const RunResult second = run_node(device, sample, other);
  if (!second.fault.empty()) return second.fault;
  if (!bit_equal(first.outputs, second.outputs)) {
    return first.kernel + ": leaves elements unwritten, reads what is not there, or varies";
  }
  for (std::size_t i = 0; i < sample.op->inplace.size(); ++i) {
    if (!may_alias(sample, sample.op->inplace[i], want)) continue;
    RunOptions inplace;
    inplace.inplace = static_cast<int>(i);
    const RunResult aliased = run_node(device, sample, inplace);
    if (!aliased.fault.empty()) return "in place: " + aliased.fault;
    if (!bit_equal(first.outputs, aliased.outputs)) return first.kernel + ": differs in place";
  }
  return "";
}

/// The same with weights as constants.
std::string check_constants(Device& device, const Sample& sample, const std::vector<Tensor>& want,
                            std::string& refusal) {
  RunOptions options;
  options.constants = true;
  const RunResult run = run_node(device, sample, options);
  refusal = run.refusal;
  if (!run.fault.empty()) return "constants: " + run.fault;
  if (!refusal.empty()) return "";
  if (auto d = compare_all(run.outputs, want, sample, device); !d.empty()) {
    return "constants: " + run.kernel + ": " + d;
  }
  return "";
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

enum class Place : std::uint8_t { kFirst, kMiddle, kLast };
struct Special {
  std::string_view name;
  double value;
  Place place = Place::kMiddle;
};
// A kernel that pads the end of its data with what stands there must not add it up again.
constexpr Special kSpecials[] = {{"NaN", std::numeric_limits<double>::quiet_NaN()},
                                 {"infinity", kInfinity},
                                 {"-infinity", -kInfinity},
                                 {"first infinity", kInfinity, Place::kFirst},
                                 {"last infinity", kInfinity, Place::kLast}};

std::int64_t index_of(Place place, std::int64_t elements) {
  switch (place) {
    case Place::kFirst: return 0;
    case Place::kMiddle: return elements / 2;
    case Place::kLast: break;
  }
  return elements - 1;
}

/// The op has operands whose layout a planner may choose.
bool has_layouts(const OpDef& op) {
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    if ((op.input_flags(static_cast<int>(i)) & kSpatial) != 0) return true;
  }
  return false;
}

/// Whether input `i` is data of plain floats, of which one can be another number. Weights that
/// slide over padding stay: what zeros times a NaN are there is left to the kernel. So is what an
/// infinity gives beside blocks, where a kernel may quantize both.
bool takes_specials(const OpDef& op, const Sample& sample, std::size_t i) {
  constexpr std::int64_t kElementsMax = 4096;
  for (const Constant& input : sample.inputs) {
    if (!input.data) continue;
    const Encoding& encoding = input.data.type().encoding;
    const bool few_bits = encoding.block > 0 || is_small(encoding.storage);
    if (encoding.is_block() || (!encoding.is_plain() && few_bits)) return false;
  }
  const Tensor& x = sample.inputs[i].data;
  const std::uint32_t flags = op.input_flags(static_cast<int>(i));
  if ((flags & kHostRead) != 0 || (has_layouts(op) && (flags & kSpatial) == 0)) return false;
  return x && is_float(x.dtype()) && x.type().encoding.is_plain() && x.elements() > 0 &&
         x.elements() <= kElementsMax;
}

struct Counts {
  int run = 0;
  int refused = 0;
  int channels_last = 0;
};

/// The same with the data channels-last. A device may refuse it for any node.
std::string check_channels_last(Device& device, const Sample& sample,
                                const std::vector<Tensor>& want, bool& ran) {
  ran = false;
  if (!has_layouts(*sample.op)) return "";
  RunOptions options;
  options.layout = Layout::kChannelsLast;
  for (const bool weight : sample.weight) options.constants = options.constants || weight;
  const RunResult first = run_node(device, sample, options);
  if (!first.fault.empty()) return "channels-last: " + first.fault;
  if (!first.refusal.empty()) return "";
  ran = true;
  if (auto d = compare_all(first.outputs, want, sample, device); !d.empty()) {
    return "channels-last: " + first.kernel + ": " + d;
  }
  options.poison = 0x35;
  options.constants = false;
  const RunResult second = run_node(device, sample, options);
  if (!second.fault.empty()) return "channels-last: " + second.fault;
  if (!second.refusal.empty()) return "";
  if (auto d = compare_all(second.outputs, want, sample, device); !d.empty()) {
    return "channels-last: " + second.kernel + ", no constants: " + d;
  }
  return "";
}

/// `sample` with its plain float32 data as `dtype`; nothing where it has none.
std::optional<Sample> narrowed(const Sample& sample, DType dtype) {
  Sample out = sample;
  out.name += " as " + std::string(dtype_name(dtype));
  bool any = false;
  for (std::size_t i = 0; i < out.inputs.size(); ++i) {
    Tensor& x = out.inputs[i].data;
    const bool host = (sample.op->input_flags(static_cast<int>(i)) & kHostRead) != 0;
    if (!x || x.dtype() != DType::kF32 || !x.type().encoding.is_plain() || host) continue;
    auto half = Tensor::allocate(dtype, x.shape());
    for (std::int64_t e = 0; e < x.elements(); ++e) {
      store_f64(dtype, half->mutable_bytes().data(), e, element_as_f64(x, e));
    }
    x = half.take();
    any = true;
  }
  return any ? std::optional<Sample>(std::move(out)) : std::nullopt;
}

/// What the cpu has a kernel for in float32 it runs in 16 bits too, and not by the definition.
std::string check_narrowed(Device& device, const Sample& sample, const Sample& half,
                           const std::vector<Tensor>& want) {
  RunOptions options;
  for (const bool weight : sample.weight) options.constants = options.constants || weight;
  for (const Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
    if (layout == Layout::kChannelsLast && !has_layouts(*sample.op)) continue;
    options.layout = layout;
    options.select_only = true;
    const RunResult wide = run_node(device, sample, options);
    if (!wide.refusal.empty() || wide.kernel.starts_with("generic_")) continue;
    options.select_only = false;
    const RunResult got = run_node(device, half, options);
    if (!got.fault.empty()) return got.fault;
    if (!got.refusal.empty()) return "refused: " + got.refusal;
    if (got.kernel.starts_with("generic_")) return got.kernel + ", in float32 " + wide.kernel;
    if (auto d = compare_all(got.outputs, want, half, device); !d.empty()) {
      return got.kernel + ": " + d;
    }
  }
  return "";
}

void check_narrowed(const Sample& sample) {
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    const auto half = narrowed(sample, dtype);
    const auto want = half ? oracle(*half) : Result<std::vector<Tensor>>(Error::invalid(""));
    if (!want) continue;  // nothing to narrow, or not of the op's types
    for (const auto& device : devices()) {
      if (device->info().backend != "cpu") continue;
      const std::string fault = check_narrowed(*device, sample, *half, *want);
      CHECK_MESSAGE(fault.empty(), device->info().driver, " ", op_full_name(*sample.op), " ",
                    half->name, ": ", fault);
    }
  }
}

/// Lines of the report that POLARIS_CONFORMANCE_REPORT asks for, one a device and sample.
void report(const Device& device, const Sample& sample, std::string_view outcome,
            const std::string& reason) {
  const char* path = std::getenv("POLARIS_CONFORMANCE_REPORT");
  if (path == nullptr) return;
  if (std::FILE* file = std::fopen(path, "a")) {
    std::fprintf(file, "%s\t%s\t%s\t%.*s\t%s\n", device.info().backend.c_str(),
                 op_full_name(*sample.op).c_str(), sample.name.c_str(),
                 static_cast<int>(outcome.size()), outcome.data(), reason.c_str());
    std::fclose(file);
  }
}

}  // namespace

Suite::Suite(std::string_view op, std::string_view domain)
    : op_(OpSet::builtin().find(op, domain)) {
  REQUIRE_MESSAGE(op_ != nullptr, "no op " << std::string(op));
}

void Suite::add(std::string_view name, std::vector<Tensor> inputs,
                std::shared_ptr<const Attrs> attrs, const Options& options) {
  std::vector<Constant> constants;
  for (Tensor& tensor : inputs) constants.push_back({std::move(tensor), {}, {}, ""});
  add_constants(name, std::move(constants), std::move(attrs), options);
}

void Suite::add_constants(std::string_view name, std::vector<Constant> inputs,
                          std::shared_ptr<const Attrs> attrs, const Options& options) {
  Sample sample;
  sample.name = name;
  sample.op = op_;
  if (attrs == nullptr && op_->make_attrs != nullptr) attrs = op_->make_attrs();
  if (attrs == nullptr) attrs = std::make_shared<NoAttrs>();
  sample.attrs = std::move(attrs);
  sample.weight.resize(inputs.size(), false);
  for (int i : options.weights) sample.weight[static_cast<std::size_t>(i)] = true;
  sample.inputs = std::move(inputs);
  sample.output_count = options.outputs;
  sample.slack = options.slack;
  sample.of_largest = options.of_largest;
  sample.code_steps = options.code_steps;
  samples_.push_back(std::move(sample));
}

bool Suite::add_if_taken(std::string_view name, std::vector<Tensor> inputs,
                         std::shared_ptr<const Attrs> attrs, bool exact) {
  add(name, std::move(inputs), std::move(attrs));
  samples_.back().subnormals = true;
  samples_.back().exact = exact;
  samples_.back().special = true;
  const bool taken = oracle(samples_.back()).ok();
  if (!taken) samples_.pop_back();
  return taken;
}

void Suite::fails(std::string_view name, std::vector<Tensor> inputs,
                  std::shared_ptr<const Attrs> attrs, std::string_view text, int outputs,
                  std::vector<int> weights) {
  add(name, std::move(inputs), std::move(attrs), {outputs, 1, std::move(weights), 0});
  failing_.push_back({std::move(samples_.back()), std::string(text)});
  samples_.pop_back();
}

/// A sample that is wrong by its values and not its types: every device says so in the same words,
/// or leaves the node to another.
void Suite::check_failing(const Sample& sample, const std::string& text) const {
  const bool weights = std::ranges::find(sample.weight, true) != sample.weight.end();
  for (const auto& device : devices()) {
    for (const bool constants : {false, true}) {
      if (constants && !weights) continue;
      RunOptions options;
      options.constants = constants;
      const RunResult got = run_node(*device, sample, options);
      if (got.fault.starts_with("infer: ") || !got.refusal.empty()) continue;
      CHECK_MESSAGE(got.fault.find(text) != std::string::npos, device->info().backend, " ",
                    sample.name, ": got \"", got.fault, "\", wanted ", text);
    }
  }
}

/// One line a backend and sample: backend, op, sample, kernel or "", reason or "".
void Suite::report_kernels(const char* path) const {
  std::FILE* file = std::fopen(path, "a");
  REQUIRE(file != nullptr);
  for (const Sample& sample : samples_) {
    std::set<std::string> seen;  // the cpu is there once for each of its instruction sets
    for (const auto& device : devices()) {
      if (!seen.insert(device->info().backend).second) continue;
      RunOptions options;
      options.select_only = true;
      RunResult got = run_node(*device, sample, options);
      const bool weights =
          std::find(sample.weight.begin(), sample.weight.end(), true) != sample.weight.end();
      if (weights && got.kernel.empty()) {
        options.constants = true;
        got = run_node(*device, sample, options);
      }
      std::fprintf(file, "%s\t%s\t%s\t%s\t%s\n", device->info().backend.c_str(),
                   op_full_name(*op_).c_str(), sample.name.c_str(), got.kernel.c_str(),
                   got.refusal.c_str());
    }
  }
  std::fclose(file);
}

void Suite::add_special_values() {
  if (op_->has_trait(kElementwise)) return;
  const std::size_t given = samples_.size();
  for (std::size_t s = 0; s < given; ++s) {
    for (std::size_t i = 0; i < samples_[s].inputs.size(); ++i) {
      if (!takes_specials(*op_, samples_[s], i)) continue;
      const std::int64_t elements = samples_[s].inputs[i].data.elements();
      for (const auto& [name, value, place] : kSpecials) {
        Sample special = samples_[s];
        special.special = true;
        special.name += " with " + std::string(name) + " in input " + std::to_string(i);
        Tensor& x = special.inputs[i].data;
        x = own_copy(x);
        store_f64(x.dtype(), x.mutable_bytes().data(), index_of(place, elements), value);
        samples_.push_back(std::move(special));
      }
    }
  }
}

void Suite::run() {
  if (const char* path = std::getenv("POLARIS_SELECT_REPORT")) {
    report_kernels(path);
    return;
  }
  add_special_values();
  const std::string op = op_full_name(*op_);
  for (const Failing& failing : failing_) {
    const auto got = oracle(failing.sample);
    const std::string message = got ? "no error" : got.error().message();
    const bool as_wanted =
        message.starts_with("[" + op + "]") && message.find(failing.text) != std::string::npos;
    CHECK_MESSAGE(as_wanted, failing.sample.name, ": got \"", message, "\", wanted ", failing.text);
    check_failing(failing.sample, failing.text);
  }
  std::map<std::string, Counts> counts;  // by backend
  for (const Sample& sample : samples_) {
    const auto want = oracle(sample);
    REQUIRE_MESSAGE(want.ok(), op, " ", sample.name, ": ", want.ok() ? "" : want.error().message());
    if (!sample.special) check_narrowed(sample);
    for (const auto& device : devices()) {
      std::string refusal;
      std::string fault = check_sample(*device, sample, *want, refusal);
      const bool plain_refused = !refusal.empty();
      bool constants_refused = true;
      for (bool weight : sample.weight) {
        if (!weight || !fault.empty()) continue;
        fault = check_constants(*device, sample, *want, refusal);
        constants_refused = !refusal.empty();
        break;
      }
      bool channels_last = false;
      if (fault.empty()) fault = check_channels_last(*device, sample, *want, channels_last);
      const bool refused = plain_refused && constants_refused;
      CHECK_MESSAGE(fault.empty(), device->info().backend, " ", op, " ", sample.name, ": ", fault);
      auto& count = counts[device->info().backend];
      ++(refused ? count.refused : count.run);
      if (channels_last) ++count.channels_last;
      report(*device, sample,
             !fault.empty() ? "failed"
             : refused      ? "refused"
                            : "run",
             fault.empty() ? refusal : fault);
    }
  }
  for (const auto& [backend, count] : counts) {
    std::printf("%-10s %-28s %3d run, %3d refused", backend.c_str(), op.c_str(), count.run,
                count.refused);
    if (has_layouts(*op_)) std::printf(", %3d channels-last too", count.channels_last);
    std::printf("\n");
  }
}

}  // namespace polaris::test
