#include "support/node_run.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "base/checked.h"
#include "ir/evaluate.h"
#include "ir/op_set.h"
#include "support/random_blocks.h"
#include "support/vulkan.h"
#include "tensor/block_format.h"
#include "tensor/element.h"

namespace polaris::test {
namespace {

constexpr std::int64_t kGuard = 256;
constexpr std::byte kPattern{0xA5};

/// The case's attributes, or the op's defaults where it gives none.
std::shared_ptr<Attrs> attrs_of(const NodeCase& node) {
  if (node.attrs) return node.attrs;
  if (node.op->make_attrs == nullptr) return std::make_shared<NoAttrs>();
  return node.op->make_attrs();
}

/// Types of the node's outputs; of a data-dependent op their bounds, then those of the dims.
Result<std::vector<TensorType>> infer_outputs(const NodeCase& node) {
  const auto attrs = attrs_of(node);
  NodeView view{node.op, attrs.get(), "test", {}, {}, static_cast<std::size_t>(node.outputs)};
  for (const Tensor& input : node.inputs) {
    view.add_input({input ? &input.type() : nullptr, input ? &input : nullptr});
  }
  auto context = infer_types(view);
  if (!context) return context.error();
  std::vector<TensorType> outputs = context->outputs;
  if (!node.op->has_trait(kDataDependent)) return outputs;
  for (std::size_t o = 0; o < context->bounds.size(); ++o) {
    outputs[o].shape = context->bounds[o];
    outputs.push_back({DType::kI64, Shape{context->bounds[o].rank()}, {}});
  }
  return outputs;
}

/// Input whose bytes output `o` must share, or -1.
int required_alias(const OpDef& op, int output) {
  for (const InPlace& pair : op.inplace) {
    if (pair.required && pair.output == output) return pair.input;
  }
  return -1;
}

/// One operand in a buffer of its own, guards around it.
struct Region {
  std::unique_ptr<Buffer> buffer;
  std::int64_t bytes = 0;
};

Result<Region> make_region(Device& device, std::int64_t bytes, std::span<const std::byte> data) {
  Region region;
  region.bytes = bytes;
  const std::int64_t padded = round_up(bytes, kGuard);
  auto buffer = device.allocate(padded + 2 * kGuard, MemoryKind::kDevice);
  if (!buffer) return buffer.error();
  region.buffer = buffer.take();
  std::vector<std::byte> image(static_cast<std::size_t>(padded + 2 * kGuard), kPattern);
  std::copy(data.begin(), data.end(), image.begin() + kGuard);
  const BufferView view{region.buffer.get(), 0, padded + 2 * kGuard};
  if (Status s = device.write(view, image.data()); !s) return s.error();
  return region;
}

/// The operand's bytes; an error where a guard changed.
Result<std::vector<std::byte>> read_region(Device& device, const Region& region,
                                           const std::string& what) {
  std::vector<std::byte> image(static_cast<std::size_t>(region.buffer->bytes()));
  const BufferView view{region.buffer.get(), 0, region.buffer->bytes()};
  if (Status s = device.read(view, image.data()); !s) return s.error();
  for (std::int64_t i = 0; i < region.buffer->bytes(); ++i) {
    const bool inside = i >= kGuard && i < kGuard + region.bytes;
    if (!inside && image[static_cast<std::size_t>(i)] != kPattern) {
      return Error::internal(what + ": guard byte " + std::to_string(i - kGuard) + " changed");
    }
  }
  return std::vector<std::byte>(image.begin() + kGuard, image.begin() + kGuard + region.bytes);
}

/// Operand descriptions that outlive the NodeDesc that points at them.
struct Described {
  std::vector<Constant> constants;
  std::vector<OperandDesc> inputs;
  std::vector<OperandDesc> outputs;
  std::vector<const Tensor*> values;
  NodeDesc desc;
};

void describe(const NodeCase& node, const std::vector<TensorType>& outputs, Described& out) {
  out.constants.resize(node.inputs.size());
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    OperandDesc operand;
    operand.present = static_cast<bool>(node.inputs[i]);
    const bool constant = ((node.constants >> i) & 1u) != 0;
    const bool host = (node.op->input_flags(static_cast<int>(i)) & kHostRead) != 0;
    if (operand.present) {
      operand.type = node.inputs[i].type();
      out.constants[i].data = node.inputs[i];
      if (constant) operand.constant = &out.constants[i];
    }
    out.values.push_back(operand.present && (constant || host) ? &node.inputs[i] : nullptr);
    out.inputs.push_back(operand);
  }
  for (const TensorType& type : outputs) {
    OperandDesc operand;
    operand.type = type;
    out.outputs.push_back(operand);
  }
  out.desc.op = node.op;
  out.desc.attrs = node.attrs.get();
  out.desc.name = "test";
  out.desc.inputs = out.inputs;
  out.desc.outputs = out.outputs;
  out.desc.values = out.values;
}

/// The outputs from the regions' bytes, cut to the dims that a data-dependent kernel wrote.
Result<std::vector<Tensor>> cut_outputs(const NodeCase& node, const std::vector<TensorType>& types,
                                        const std::vector<OperandRef>& refs,
                                        const std::vector<std::vector<std::byte>>& images) {
  const auto count = static_cast<std::size_t>(node.outputs);
  std::vector<Tensor> results;
  for (std::size_t o = 0; o < count; ++o) {
    TensorType type = types[o];
    const auto& image = images[static_cast<std::size_t>(refs[o].region)];
    if (types.size() > count) {
      const auto& dims = images[static_cast<std::size_t>(refs[count + o].region)];
      for (int d = 0; d < type.shape.rank(); ++d) {
        type.shape[d] = load_i64(DType::kI64, dims.data(), d);
      }
    }
    const std::int64_t bytes = type.bytes().value_or(INT64_MAX);
    if (bytes > static_cast<std::int64_t>(image.size())) {
      return Error::internal("output " + std::to_string(o) + " of " + type.to_string() +
                             " exceeds its bound");
    }
    auto tensor = Tensor::from_bytes(type, std::span(image).first(static_cast<std::size_t>(bytes)));
    if (!tensor) return tensor.error();
    results.push_back(tensor.take());
  }
  return results;
}

bool close(double got, double want, DType dtype, double slack) {
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got);
  if (std::isinf(want) || std::isinf(got)) return got == want;
  const double relative = dtype == DType::kF16 ? 2e-3 : 1e-3;
  const double absolute = dtype == DType::kF16 ? 1e-3 : 1e-5;
  return std::fabs(got - want) <= slack * (absolute + relative * std::fabs(want));
}

}  // namespace

const OpDef& find_op(std::string_view name, std::string_view domain) {
  static const OpSet ops = OpSet::builtin();
  const OpDef* op = ops.find(name, domain);
  REQUIRE_MESSAGE(op != nullptr, std::string(name));
  return *op;
}

Result<std::vector<Tensor>> run_reference(const NodeCase& node) {
  std::vector<const Tensor*> inputs;
  for (const Tensor& input : node.inputs) inputs.push_back(input ? &input : nullptr);
  return evaluate_node(*node.op, *attrs_of(node), "test", inputs, node.outputs);
}

Result<std::vector<Tensor>> run_device(Device& device, const NodeCase& node, int runs) {
  auto types = infer_outputs(node);
  if (!types) return types.error();
  Described described;
  describe(node, *types, described);
  auto kernel = device.select(described.desc);
  if (!kernel) return kernel.error();

  std::vector<Region> regions;
  std::vector<OperandRef> inputs(node.inputs.size());
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const int input = static_cast<int>(i);
    if (!node.inputs[i] || (*kernel)->absorbs(input)) continue;
    std::vector<std::byte> packed;
    std::span<const std::byte> data = node.inputs[i].bytes();
    const bool constant = ((node.constants >> i) & 1u) != 0;
    if (constant && !(*kernel)->weight_layout(input).empty()) {
      packed.resize(static_cast<std::size_t>((*kernel)->packed_bytes(input)));
      if (Status s = (*kernel)->pack(input, described.constants[i], packed); !s) return s.error();
      data = packed;
    }
    auto region = make_region(device, static_cast<std::int64_t>(data.size()), data);
    if (!region) return region.error();
    inputs[i] = {static_cast<std::int32_t>(regions.size()), kGuard,
                 static_cast<std::int64_t>(data.size())};
    regions.push_back(region.take());
  }
  const std::size_t read = regions.size();
  std::vector<OperandRef> outputs;
  for (std::size_t o = 0; o < types->size(); ++o) {
    const int alias = required_alias(*node.op, static_cast<int>(o));
    if (alias >= 0) {
      outputs.push_back(inputs[static_cast<std::size_t>(alias)]);
      continue;
    }
    const std::int64_t bytes = (*types)[o].bytes().value_or(0);
    auto region = make_region(device, bytes, {});
    if (!region) return region.error();
    outputs.push_back({static_cast<std::int32_t>(regions.size()), kGuard, bytes});
    regions.push_back(region.take());
  }
  OperandRef workspace;
  if ((*kernel)->workspace_bytes() > 0) {
    auto region = make_region(device, (*kernel)->workspace_bytes(), {});
    if (!region) return region.error();
    workspace = {static_cast<std::int32_t>(regions.size()), kGuard, (*kernel)->workspace_bytes()};
    regions.push_back(region.take());
  }

  SegmentDesc segment;
  segment.name = "test";
  segment.launches.push_back({*kernel, "test", inputs, outputs, workspace});
  segment.run_regions = static_cast<std::int32_t>(regions.size());
  auto executable = device.compile(std::move(segment));
  if (!executable) return executable.error();
  std::vector<BufferView> views;
  for (const Region& region : regions) {
    views.push_back({region.buffer.get(), 0, region.buffer->bytes()});
  }
  for (int run = 0; run < runs; ++run) {
    for (std::size_t r = read; run > 0 && r < regions.size(); ++r) {
      const std::vector<std::byte> image(static_cast<std::size_t>(views[r].bytes), kPattern);
      if (Status s = device.write(views[r], image.data()); !s) return s.error();
    }
    auto fence = device.submit(**executable, {.regions = views});
    if (!fence) return fence.error();
    if (Status s = device.wait(*fence); !s) return s.error();
  }

  std::vector<std::vector<std::byte>> images;
  for (std::size_t r = 0; r < regions.size(); ++r) {
    auto image = read_region(device, regions[r], "region " + std::to_string(r));
    if (!image) return image.error();
    images.push_back(image.take());
  }
  return cut_outputs(node, *types, outputs, images);
}

Device* software_vulkan() {
  static const std::unique_ptr<Device> device = make_test_vulkan();
  // Each test case says for itself that it is left out, or fails.
  static bool said = true;
  if (device == nullptr && !said) (void)make_test_vulkan();
  said = false;
  return device.get();
}

void check_node(Device& device, const NodeCase& node, double slack) {
  auto want = run_reference(node);
  REQUIRE_MESSAGE(want.ok(), want.error().message());
  auto got = run_device(device, node);
  REQUIRE_MESSAGE(got.ok(), got.error().message());
  for (std::size_t o = 0; o < want->size(); ++o) {
    const Tensor& a = (*got)[o];
    const Tensor& b = (*want)[o];
    REQUIRE_MESSAGE(a.type() == b.type(), a.type().to_string()
                                              << ", wanted " << b.type().to_string());
    const bool exact = !is_float(b.dtype()) || !b.type().encoding.is_plain();
    if (exact) {
      const auto ab = a.bytes();
      const auto bb = b.bytes();
      const auto where = std::mismatch(ab.begin(), ab.end(), bb.begin()).first - ab.begin();
      CHECK_MESSAGE(where == static_cast<std::ptrdiff_t>(ab.size()),
                    "output " << o << " differs at byte " << where << " of " << ab.size());
      continue;
    }
    std::int64_t wrong = 0;
    std::int64_t first = -1;
    for (std::int64_t i = 0; i < b.elements(); ++i) {
      if (close(element_as_f64(a, i), element_as_f64(b, i), b.dtype(), slack)) continue;
      if (wrong++ == 0) first = i;
    }
    CHECK_MESSAGE(wrong == 0, "output " << o << ": " << wrong << " of " << b.elements()
                                        << " wrong, element " << first << " got "
                                        << element_as_f64(a, std::max<std::int64_t>(first, 0))
                                        << ", wanted "
                                        << element_as_f64(b, std::max<std::int64_t>(first, 0)));
  }
}

Tensor random_floats(Random& random, DType dtype, const Shape& shape, float low, float high) {
  std::uniform_real_distribution<float> distribution(low, high);
  Tensor tensor = Tensor::allocate(dtype, shape).take();
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    store_f64(dtype, tensor.mutable_bytes().data(), i, distribution(random));
  }
  return tensor;
}

Tensor random_ints(Random& random, DType dtype, const Shape& shape, std::int64_t low,
                   std::int64_t high) {
  std::uniform_int_distribution<std::int64_t> distribution(low, high);
  Tensor tensor = Tensor::allocate(dtype, shape).take();
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    store_i64(dtype, tensor.mutable_bytes().data(), i, distribution(random));
  }
  return tensor;
}

Tensor random_blocks(Random& random, BlockFormat format, const Shape& shape) {
  const Tensor floats = random_floats(random, DType::kF32, shape);
  Tensor tensor = Tensor::allocate({DType::kF32, shape, Encoding::of(format)}).take();
  fill_blocks(format, floats.data<float>(), shape.elements(), tensor.mutable_bytes().data());
  return tensor;
}

Tensor of_ints(DType dtype, const Shape& shape, const std::vector<std::int64_t>& values) {
  Tensor tensor = Tensor::allocate(dtype, shape).take();
  for (std::size_t i = 0; i < values.size(); ++i) {
    store_i64(dtype, tensor.mutable_bytes().data(), static_cast<std::int64_t>(i), values[i]);
  }
  return tensor;
}

}  // namespace polaris::test
