// com.microsoft.MatMulNBits.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "load/onnx/op/steps.h"
#include "tensor/element.h"

namespace polaris::onnx {
namespace {

constexpr std::int64_t kDimMax = 1 << 30;

/// n rows of k codes, in blocks along k that have a scale and a zero point each.
struct NBits {
  std::int64_t k = 0;
  std::int64_t n = 0;
  std::int64_t bits = 0;
  std::int64_t block = 0;

  std::int64_t blocks() const { return (k + block - 1) / block; }
  DType dtype() const { return bits == 4 ? DType::kU4 : DType::kU8; }
  bool is_known() const {
    const auto within = [](std::int64_t value, std::int64_t low) {
      return value >= low && value <= kDimMax;
    };
    return within(k, 1) && within(n, 1) && within(block, 16) && (bits == 4 || bits == 8);
  }
};

NBits sizes_of(const NodeImport& node) {
  return {node.attrs.get_int("K").value_or(0), node.attrs.get_int("N").value_or(0),
          node.attrs.get_int("bits").value_or(4), node.attrs.get_int("block_size").value_or(0)};
}

/// `columns` codes of each row, of a constant input whose rows hold `stored` of them: the file's
/// own bytes where these are all.
Result<Tensor> codes_of(NodeImport& node, std::size_t input, const NBits& size, std::int64_t stored,
                        std::int64_t columns) {
  const auto label = "input " + std::to_string(input);
  const auto& constant = node.importer().graph().value(node.inputs[input]).constant;
  if (!constant || constant->data.dtype() != DType::kU8) {
    return node.unsupported(label + ", wanted a constant of uint8");
  }
  const TensorType type{size.dtype(), Shape{size.n, stored}, {}};
  const auto bytes = constant->data.bytes();
  if (type.bytes() != static_cast<std::int64_t>(bytes.size())) {
    return node.fail(label + ", got " + std::to_string(bytes.size()) + " bytes, wanted those of " +
                     type.shape.to_string() + " of " + std::to_string(size.bits) + " bits");
  }
  if (stored == columns) return Tensor::view(type, bytes, constant->data.owner());
  auto out = Tensor::allocate(size.dtype(), Shape{size.n, columns});
  if (!out) return out;
  std::byte* to = out->mutable_bytes().data();
  for (std::int64_t row = 0; row < size.n; ++row) {
    for (std::int64_t i = 0; i < columns; ++i) {
      const std::int64_t code = load_i64(size.dtype(), bytes.data(), row * stored + i);
      store_i64(size.dtype(), to, row * columns + i, code);
    }
  }
  return out;
}

Result<Tensor> zero_points(NodeImport& node, const NBits& size) {
  if (node.has_input(3)) {
    // A row of zero points ends where a byte ends.
    const std::int64_t odd = size.bits == 4 ? size.blocks() % 2 : 0;
    return codes_of(node, 3, size, size.blocks() + odd, size.blocks());
  }
  auto out = Tensor::allocate(size.dtype(), Shape{size.n, size.blocks()});
  if (!out) return out;
  const std::byte half = size.bits == 4 ? std::byte{0x88} : std::byte{0x80};
  for (std::byte& code : out->mutable_bytes()) code = half;
  return out;
}

/// One scale for each block of each row. Those of a constant keep their bytes.
ValueId scales_of(Steps& s, NodeImport& node, const NBits& size) {
  const auto& constant = node.importer().graph().value(node.inputs[2]).constant;
  const Shape shape{size.n, size.blocks()};
  if (!constant || constant->data.elements() != shape.elements()) {
    return s.add("Reshape", {node.inputs[2], s.ints({size.n, size.blocks()})});
  }
  if (constant->data.shape() == shape) return node.inputs[2];
  return node.constant(Tensor::view({constant->data.dtype(), shape, {}}, constant->data.bytes(),
                                    constant->data.owner()));
}

/// The constant of a tensor of codes, under the name and of the file that it has.
ValueId code_constant(NodeImport& node, std::size_t input, Tensor codes) {
  const auto& from = node.importer().graph().value(node.inputs[input]).constant;
  auto out = std::make_shared<Constant>();
  out->data = std::move(codes);
  out->name = from->name;
  out->file = from->file;
  const TensorType type = out->data.type();
  const ValueId value = node.importer().graph().add_constant(std::move(out));
  node.importer().set_type(value, type);
  return value;
}

}  // namespace

/// A polaris.Linear of the codes by DequantizeLinear, which decode_weights makes an encoded weight
/// of. accuracy_level says how far activations may be rounded: ours are not.
Status matmul_n_bits(NodeImport& node) {
  const NBits size = sizes_of(node);
  if (!size.is_known()) {
    return node.unsupported(
        "K, N and block_size, wanted numbers from 1, 1 and 16 to 2^30; bits, wanted 4 or 8");
  }
  if (node.has_input(4)) return node.unsupported("input 4 (g_idx)");
  if (node.attrs.get_int("weight_prepacked").value_or(0) != 0) {
    return node.unsupported("weight_prepacked, wanted 0");
  }
  if (!node.has_input(0) || !node.has_input(1) || !node.has_input(2)) {
    return node.fail("wanted inputs A, B and scales");
  }
  auto codes = codes_of(node, 1, size, size.blocks() * size.block, size.k);
  if (!codes) return codes.error();
  auto zeros = zero_points(node, size);
  if (!zeros) return zeros.error();
  Steps s(node);
  const ValueId scales = scales_of(s, node, size);
  const ValueId weight =
      s.add("DequantizeLinear",
            {code_constant(node, 1, codes.take()), scales, node.constant(zeros.take())},
            {{"axis", std::int64_t{1}}, {"block_size", size.block}});
  std::vector<ValueId> inputs = {node.inputs[0], weight};
  if (s.input(5).valid()) inputs.push_back(s.input(5));
  s.give(0, s.add("polaris.Linear", std::move(inputs)));
  return s.status();
}

}  // namespace polaris::onnx
