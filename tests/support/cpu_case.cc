#include "support/cpu_case.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "base/os/cpu_features.h"
#include "support/random_blocks.h"
#include "tensor/block_format.h"
#include "tensor/element.h"

namespace polaris::test {
namespace {

constexpr std::int64_t kGuard = 64;
constexpr std::byte kGuardByte{0xA5};

/// The node as infer, reference and select see it.
struct Prepared {
  const OpDef* op = nullptr;
  std::unique_ptr<Attrs> attrs;
  std::vector<TensorType> types;
  std::vector<const TensorType*> type_refs;
  std::vector<const Tensor*> values;
  std::vector<TensorType> outputs;
};

Prepared prepare(const CpuCase& c) {
  Prepared p;
  static const OpSet ops = OpSet::builtin();
  p.op = ops.find(c.op, c.domain);
  REQUIRE_MESSAGE(p.op != nullptr, c.op);
  if (c.attrs != nullptr) {
    p.attrs = c.attrs->clone();
  } else if (p.op->make_attrs != nullptr) {
    p.attrs = p.op->make_attrs();
  } else {
    p.attrs = std::make_unique<NoAttrs>();
  }
  for (const Tensor& in : c.inputs) p.types.push_back(in ? in.type() : TensorType{});
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const bool constant =
        std::find(c.constants.begin(), c.constants.end(), static_cast<int>(i)) != c.constants.end();
    p.type_refs.push_back(c.inputs[i] ? &p.types[i] : nullptr);
    p.values.push_back(constant ? &c.inputs[i] : nullptr);
  }
  InferContext context;
  context.op = p.op;
  context.attrs = p.attrs.get();
  context.inputs = p.type_refs;
  context.values = p.values;
  context.outputs.resize(static_cast<std::size_t>(c.outputs));
  context.bounds.resize(static_cast<std::size_t>(c.outputs));
  const Status status = p.op->infer(context);
  REQUIRE_MESSAGE(status.ok(), c.op << ": " << (status ? "" : status.error().message()));
  p.outputs = context.outputs;
  return p;
}

std::vector<Tensor> allocate_outputs(const Prepared& p, const CpuCase& c) {
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < p.outputs.size(); ++i) {
    auto tensor = Tensor::allocate(p.outputs[i]);
    REQUIRE(tensor.ok());
    for (const InPlace& pair : p.op->inplace) {
      if (!pair.required || pair.output != static_cast<int>(i)) continue;
      const auto from = c.inputs[static_cast<std::size_t>(pair.input)].bytes();
      std::copy(from.begin(), from.end(), tensor->mutable_bytes().begin());
    }
    out.push_back(tensor.take());
  }
  return out;
}

/// A buffer with guard zones on both sides of `bytes` bytes.
struct Guarded {
  std::unique_ptr<Buffer> buffer;
  std::int64_t bytes = 0;

  Guarded(Device& device, std::int64_t size) : bytes(size) {
    auto made = device.allocate(size + 2 * kGuard, MemoryKind::kDevice);
    REQUIRE(made.ok());
    buffer = made.take();
    std::memset(buffer->host(), static_cast<int>(kGuardByte),
                static_cast<std::size_t>(size + 2 * kGuard));
  }
  std::byte* data() { return buffer->host() + kGuard; }
  BufferView view() const { return {buffer.get(), 0, buffer->bytes()}; }
  bool intact() const {
    const std::byte* at = buffer->host();
    const auto is_guard = [](std::byte b) { return b == kGuardByte; };
    return std::all_of(at, at + kGuard, is_guard) &&
           std::all_of(at + kGuard + bytes, at + bytes + 2 * kGuard, is_guard);
  }
};

}  // namespace

std::vector<std::string> isas_here() {
  const CpuFeatures features = cpu_features();
  std::vector<std::string> out{"sse2"};
  if (features.has_avx2_tier()) out.emplace_back("avx2");
  if (features.has_avx512_tier()) out.emplace_back("avx512");
  if (features.has_vnni_tier()) out.emplace_back("vnni");
  return out;
}

std::unique_ptr<Device> cpu_device(const std::string& isa, int threads) {
  CpuOptions options;
  options.threads = threads;
  options.isa_max = isa;
  auto device = make_cpu_device(options);
  REQUIRE(device.ok());
  return device.take();
}

std::vector<Tensor> reference_outputs(const CpuCase& c) {
  const Prepared p = prepare(c);
  std::vector<Tensor> out = allocate_outputs(p, c);
  std::vector<RefTensor> inputs;
  std::vector<RefTensor> outputs;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    auto* data = c.inputs[i] ? const_cast<std::byte*>(c.inputs[i].bytes().data()) : nullptr;
    inputs.push_back({p.types[i], data, nullptr, nullptr});
  }
  for (Tensor& tensor : out) {
    outputs.push_back({tensor.type(), tensor.mutable_bytes().data(), nullptr, nullptr});
  }
  RefContext context;
  context.op = p.op;
  context.attrs = p.attrs.get();
  context.inputs = inputs;
  context.outputs = outputs;
  const Status status = p.op->reference(context);
  REQUIRE_MESSAGE(status.ok(), c.op << ": " << (status ? "" : status.error().message()));
  return out;
}

std::vector<Tensor> device_outputs(Device& device, const CpuCase& c, std::string* kernel_name) {
  const Prepared p = prepare(c);
  std::vector<Tensor> out = allocate_outputs(p, c);
  std::vector<Constant> constants(c.inputs.size());
  std::vector<OperandDesc> inputs;
  std::vector<OperandDesc> outputs;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    constants[i] = {c.inputs[i], {}, {}, "w"};
    OperandDesc desc{p.types[i], Layout::kRowMajor, nullptr, static_cast<bool>(c.inputs[i])};
    if (p.values[i] != nullptr) desc.constant = &constants[i];
    inputs.push_back(desc);
  }
  for (const TensorType& type : p.outputs) outputs.push_back({type});
  const NodeDesc node{p.op, p.attrs.get(), "n", inputs, outputs, p.values};
  auto selected = device.select(node);
  REQUIRE_MESSAGE(selected.ok(), (selected ? "" : selected.error().message()));
  const std::shared_ptr<const Kernel> kernel = selected.take();
  if (kernel_name != nullptr) *kernel_name = std::string(kernel->name());

  SegmentDesc segment;
  LaunchDesc launch;
  launch.kernel = kernel;
  std::vector<Guarded> regions;
  const auto add = [&](std::int64_t bytes) {
    regions.emplace_back(device, bytes);
    return OperandRef{static_cast<std::int32_t>(regions.size()) - 1, kGuard, bytes};
  };
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const int at = static_cast<int>(i);
    if (!c.inputs[i] || (p.values[i] != nullptr && kernel->absorbs(at))) {
      launch.inputs.emplace_back();
    } else if (p.values[i] != nullptr && !kernel->weight_layout(at).empty()) {
      launch.inputs.push_back(add(kernel->packed_bytes(at)));
      const Status packed =
          kernel->pack(at, constants[i],
                       {regions.back().data(), static_cast<std::size_t>(kernel->packed_bytes(at))});
      REQUIRE(packed.ok());
    } else {
      const auto bytes = c.inputs[i].bytes();
      launch.inputs.push_back(add(static_cast<std::int64_t>(bytes.size())));
      std::copy(bytes.begin(), bytes.end(), regions.back().data());
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    OperandRef ref;
    for (const InPlace& pair : p.op->inplace) {
      if (pair.required && pair.output == static_cast<int>(i)) {
        ref = launch.inputs[static_cast<std::size_t>(pair.input)];
      }
    }
    if (ref.region < 0) ref = add(static_cast<std::int64_t>(out[i].bytes().size()));
    launch.outputs.push_back(ref);
  }
  launch.workspace = add(kernel->workspace_bytes());
  const std::vector<OperandRef> results = launch.outputs;
  segment.launches.push_back(std::move(launch));
  segment.run_regions = static_cast<std::int32_t>(regions.size());
  auto executable = device.compile(std::move(segment));
  REQUIRE(executable.ok());
  std::vector<BufferView> views;
  for (const Guarded& region : regions) views.push_back(region.view());
  const auto fence = device.submit(**executable, {views, nullptr, nullptr});
  REQUIRE_MESSAGE(fence.ok(), (fence ? "" : fence.error().message()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::byte* from = regions[static_cast<std::size_t>(results[i].region)].data();
    std::copy_n(from, out[i].bytes().size(), out[i].mutable_bytes().begin());
  }
  for (const Guarded& region : regions) CHECK(region.intact());
  return out;
}

void check_close(const Tensor& got, const Tensor& wanted, double rtol, double atol) {
  REQUIRE(got.shape() == wanted.shape());
  REQUIRE(got.bytes().size() == wanted.bytes().size());
  if (!got.type().encoding.is_plain() || !is_float(got.dtype())) {
    CHECK(std::equal(got.bytes().begin(), got.bytes().end(), wanted.bytes().begin()));
    return;
  }
  double worst = 0;
  std::int64_t at = -1;
  for (std::int64_t i = 0; i < wanted.elements(); ++i) {
    const double g = element_as_f64(got, i);
    const double w = element_as_f64(wanted, i);
    if (g == w || (std::isnan(g) && std::isnan(w))) continue;
    double error = std::fabs(g - w) / (atol + rtol * std::fabs(w));
    if (!(error >= 0)) error = INFINITY;
    if (error > worst) {
      worst = error;
      at = i;
    }
  }
  if (worst > 1) {
    CAPTURE(at);
    CAPTURE(element_as_f64(got, at));
    CAPTURE(element_as_f64(wanted, at));
    CHECK(worst <= 1);
  }
}

void check_cpu(const CpuCase& c, std::string_view kernel) {
  const std::vector<Tensor> wanted = reference_outputs(c);
  for (const std::string& isa : isas_here()) {
    const auto device = cpu_device(isa);
    std::string name;
    const std::vector<Tensor> got = device_outputs(*device, c, &name);
    CAPTURE(c.op);
    CAPTURE(isa);
    CAPTURE(name);
    CHECK(name.substr(0, kernel.size()) == kernel);
    for (std::size_t i = 0; i < got.size(); ++i) check_close(got[i], wanted[i], c.rtol, c.atol);
  }
}

Tensor random_tensor(DType dtype, const Shape& shape, std::uint32_t seed, double range) {
  auto tensor = Tensor::allocate(dtype, shape);
  REQUIRE(tensor.ok());
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> real(-range, range);
  for (std::int64_t i = 0; i < tensor->elements(); ++i) {
    double v = real(generator);
    if (!is_float(dtype)) v = std::nearbyint(v);
    if (dtype == DType::kBool) v = generator() & 1u;
    if (!is_signed_integer(dtype) && is_integer(dtype)) v = std::fabs(v);
    store_f64(dtype, tensor->mutable_bytes().data(), i, v);
  }
  return tensor.take();
}

Tensor ints_i64(std::vector<std::int64_t> values) {
  auto tensor = Tensor::from<std::int64_t>(DType::kI64, {static_cast<std::int64_t>(values.size())},
                                           std::span<const std::int64_t>(values));
  REQUIRE(tensor.ok());
  return tensor.take();
}

Tensor encode_tensor(const Tensor& plain, BlockFormat format) {
  TensorType type = plain.type();
  type.encoding = Encoding::of(format);
  auto tensor = Tensor::allocate(type);
  REQUIRE(tensor.ok());
  fill_blocks(format, plain.data<float>(), plain.elements(), tensor->mutable_bytes().data());
  return tensor.take();
}

}  // namespace polaris::test
