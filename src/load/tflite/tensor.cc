#include "load/tflite/tensor.h"

#include <cmath>
#include <utility>

#include "base/strings.h"
#include "load/file_constant.h"

namespace polaris::tflite {
namespace {

std::string label(const TensorDef& tensor) { return "tensor '" + printable(tensor.name) + "' "; }

// Scales as a list of one for each index along the axis, or a single one.
struct Scales {
  std::vector<float> scale;
  std::vector<std::int64_t> zero;
};

Result<Scales> checked_scales(const TensorDef& tensor, std::int64_t count) {
  Scales out{tensor.quantization.scale, tensor.quantization.zero_point};
  const std::size_t scales = out.scale.size();
  if (scales != 1 && std::cmp_not_equal(scales, count)) {
    return Error::invalid(label(tensor) + "scales, got " + std::to_string(scales) +
                          ", wanted 1 or " + std::to_string(count));
  }
  for (const float scale : out.scale) {
    if (std::isfinite(scale) && scale > 0) continue;
    return Error::invalid(label(tensor) + "scale, got " + format_f32(scale) +
                          ", wanted a positive number");
  }
  const std::size_t zeros = out.zero.size();
  if (zeros > 1 && zeros != scales) {
    return Error::invalid(label(tensor) + "zero points, got " + std::to_string(zeros) +
                          ", wanted " + std::to_string(scales));
  }
  out.zero.resize(scales, zeros == 1 ? out.zero[0] : 0);
  return out;
}

Status check_zeros(const TensorDef& tensor, const std::vector<std::int64_t>& zeros, DType dtype) {
  const int bits = dtype_info(dtype).bits;
  const bool is_signed = is_signed_integer(dtype);
  const std::int64_t low = is_signed ? -(std::int64_t{1} << (bits - 1)) : 0;
  const std::int64_t high = (std::int64_t{1} << (is_signed ? bits - 1 : bits)) - 1;
  for (const std::int64_t zero : zeros) {
    if (zero >= low && zero <= high) continue;
    return Error::invalid(label(tensor) + "zero point, got " + std::to_string(zero) + ", wanted " +
                          std::to_string(low) + " to " + std::to_string(high));
  }
  return Status::success();
}

bool all_zero(const std::vector<std::int64_t>& values) {
  for (const std::int64_t value : values) {
    if (value != 0) return false;
  }
  return true;
}

ValueId dequantize_blocks(SubgraphImporter& importer, ValueId value, const TensorDef& tensor) {
  Builder& b = importer.builder();
  const QuantizationDef& q = tensor.quantization;
  const auto tensors = importer.def().tensors.size();
  if (q.scales_tensor < 0 || std::cmp_greater_equal(q.scales_tensor, tensors) || q.block < 1) {
    b.fail(Error::invalid(label(tensor) + "has no scales for its blocks"));
    return kNoValue;
  }
  ValueId scale = b.cast(importer.value(q.scales_tensor), DType::kF32);
  const int rank = b.rank(value);
  std::vector<ValueId> inputs{value, scale};
  if (q.zero_points_tensor >= 0 && std::cmp_less(q.zero_points_tensor, tensors)) {
    const ValueId zero = importer.value(q.zero_points_tensor);
    if (zero.valid() && b.shape(zero) != nullptr && b.shape(zero)->elements() > 0) {
      const DType dtype = b.graph().value(value).type.dtype;
      inputs.push_back(b.cast(zero, dtype));
    }
  }
  return b.add("DequantizeLinear", std::move(inputs),
               {{"axis", std::int64_t{rank - 1}}, {"block_size", std::int64_t{q.block}}});
}

}  // namespace

Result<TensorType> static_type(const TensorDef& tensor) {
  const auto dtype = dtype_of(tensor.type);
  if (!dtype) {
    return Error::unsupported(label(tensor) + "type " + data_type_name(tensor.type) +
                              " cannot be read");
  }
  if (tensor.shape.size() > static_cast<std::size_t>(kMaxRank)) {
    return Error::unsupported(label(tensor) + "rank, got " + std::to_string(tensor.shape.size()) +
                              ", wanted at most " + std::to_string(kMaxRank));
  }
  TensorType out{*dtype, {}, {}};
  for (const std::int32_t dim : tensor.shape) {
    if (dim < 0) {
      return Error::invalid(label(tensor) + "dim, got " + std::to_string(dim) +
                            ", wanted 0 or more");
    }
    out.shape.push_back(dim);
  }
  if (!out.bytes() && !(*dtype == DType::kString && out.shape.checked_elements())) {
    return Error::invalid(label(tensor) + "shape, got " + out.shape.to_string() +
                          ", wanted sizes whose product fits");
  }
  return out;
}

bool is_constant(const TensorDef& tensor, const ModelDef& model) {
  if (tensor.buffer == 0 || tensor.buffer >= model.buffers.size()) return false;
  if (!model.buffers[tensor.buffer].empty()) return true;
  // A value without elements is written as no bytes.
  for (const std::int32_t dim : tensor.shape) {
    if (dim == 0) return true;
  }
  return false;
}

Result<std::shared_ptr<const Constant>> make_constant(const TensorDef& tensor, FileContext& file) {
  const auto type = static_type(tensor);
  if (!type) return type.error();
  if (type->dtype == DType::kString) {
    return Error::unsupported(label(tensor) + "of strings cannot be read");
  }
  const auto bytes = file.model.buffers[tensor.buffer];
  if (tensor.sparsity) {
    auto dense = make_dense(*type, *tensor.sparsity, bytes);
    if (!dense) return Error(dense.error().code(), label(tensor) + dense.error().message());
    auto out = std::make_shared<Constant>();
    out->name = tensor.name;
    out->data = dense.take();
    return std::shared_ptr<const Constant>(std::move(out));
  }
  if (std::cmp_not_equal(bytes.size(), *type->bytes())) {
    return Error::invalid(label(tensor) + "data, got " + std::to_string(bytes.size()) +
                          ", wanted " + std::to_string(*type->bytes()) + " bytes of " +
                          type->to_string());
  }
  return file_constant(std::string(tensor.name), *type, bytes, file.source.main());
}

ValueId dequantize(SubgraphImporter& importer, ValueId value, const TensorDef& tensor,
                   std::int64_t axis) {
  Builder& b = importer.builder();
  if (!b.status() || !value.valid()) return kNoValue;
  if (tensor.quantization.block > 0) return dequantize_blocks(importer, value, tensor);
  const bool by_axis = tensor.quantization.scale.size() > 1;
  const int rank = b.rank(value);
  const auto at = normalize_axis(axis, rank < 0 ? 0 : rank);
  if (by_axis && !at) {
    b.fail(Error::invalid(label(tensor) + "quantized dimension, got " + std::to_string(axis) +
                          " of rank " + std::to_string(rank)));
    return kNoValue;
  }
  const DType dtype = b.graph().value(value).type.dtype;
  const auto scales = checked_scales(tensor, by_axis ? b.dim(value, *at) : 1);
  Status status = scales ? check_zeros(tensor, scales->zero, dtype) : Status(scales.error());
  if (!status) {
    b.fail(status.error());
    return kNoValue;
  }
  const auto count = static_cast<std::int64_t>(scales->scale.size());
  const Shape shape = by_axis ? Shape{count} : Shape{};
  const std::vector<double> scale(scales->scale.begin(), scales->scale.end());
  const std::vector<double> zero(scales->zero.begin(), scales->zero.end());
  std::vector<ValueId> inputs{value, b.numbers(scale, DType::kF32, shape)};
  // Without one it is zero, and for some types there is no other.
  const bool is_8_bit = dtype == DType::kI8 || dtype == DType::kU8;
  if (is_8_bit || !all_zero(scales->zero)) inputs.push_back(b.numbers(zero, dtype, shape));
  return b.add("DequantizeLinear", std::move(inputs), {{"axis", std::int64_t{at.value_or(0)}}});
}

ValueId quantize(SubgraphImporter& importer, ValueId value, const TensorDef& tensor) {
  Builder& b = importer.builder();
  const auto dtype = dtype_of(tensor.type);
  if (!b.status() || !dtype) return kNoValue;
  const auto scales = checked_scales(tensor, 1);
  Status status = scales ? check_zeros(tensor, scales->zero, *dtype) : Status(scales.error());
  if (!status) {
    b.fail(status.error());
    return kNoValue;
  }
  return b.add("QuantizeLinear",
               {b.cast(value, DType::kF32), b.number(static_cast<double>(scales->scale[0])),
                b.number(static_cast<double>(scales->zero[0]), *dtype)});
}

}  // namespace polaris::tflite
