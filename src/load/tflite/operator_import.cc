#include <algorithm>
#include <cmath>
#include <utility>

#include "load/tflite/importer.h"
#include "load/tflite/tensor.h"
#include "tensor/element.h"

namespace polaris::tflite {
namespace {

// ActivationFunctionType of the schema.
enum Activation : std::int64_t { kNone, kRelu, kReluN1To1, kRelu6, kTanh, kSignBit };

const TensorDef kAbsent;

}  // namespace

OperatorImport::OperatorImport(SubgraphImporter& importer, const OperatorDef& def)
    : importer_(importer), def_(def) {}

Builder& OperatorImport::builder() { return importer_.builder(); }
bool OperatorImport::ok() { return builder().status().ok(); }
void OperatorImport::fail(std::string_view what) {
  builder().fail(Error::invalid(std::string(what)));
}
void OperatorImport::unsupported(std::string_view what) {
  builder().fail(Error::unsupported(std::string(what)));
}

const TensorDef& OperatorImport::in(std::size_t i) {
  if (has(i)) return importer_.def().tensors[static_cast<std::size_t>(def_.inputs[i])];
  fail("input " + std::to_string(i) + " is missing");
  return kAbsent;
}

const TensorDef& OperatorImport::out(std::size_t i) {
  if (has_output(i)) return importer_.def().tensors[static_cast<std::size_t>(def_.outputs[i])];
  fail("output " + std::to_string(i) + " is missing");
  return kAbsent;
}

bool OperatorImport::is_quantized(const TensorDef& tensor) {
  const auto dtype = dtype_of(tensor.type);
  if (!dtype) return false;
  const bool narrow = is_integer(*dtype) && dtype_info(*dtype).bits <= 16;
  const auto& scale = tensor.quantization.scale;
  return narrow && ((!scale.empty() && scale[0] != 0) || tensor.quantization.block > 0);
}

bool OperatorImport::same_quantization(const TensorDef& a, const TensorDef& b) {
  if (is_quantized(a) != is_quantized(b)) return false;
  if (!is_quantized(a)) return true;
  const QuantizationDef& p = a.quantization;
  const QuantizationDef& q = b.quantization;
  const auto zero = [](const QuantizationDef& def) {
    return def.zero_point.empty() ? 0 : def.zero_point[0];
  };
  return a.type == b.type && p.scale.size() == 1 && q.scale.size() == 1 && p.block == 0 &&
         q.block == 0 && p.scale[0] == q.scale[0] && zero(p) == zero(q);
}

bool OperatorImport::stays() {
  for (std::size_t i = 0; i < input_count(); ++i) {
    if (has(i) && is_quantized(in(i)) && !same_quantization(in(i), out())) return false;
  }
  return true;
}

ValueId OperatorImport::raw(std::size_t i) {
  (void)in(i);
  return ok() ? importer_.value(def_.inputs[i]) : kNoValue;
}

ValueId OperatorImport::real(std::size_t i) {
  const TensorDef& tensor = in(i);
  if (!ok()) return kNoValue;
  const ValueId out = importer_.dequantized(def_.inputs[i]);
  const auto dtype = dtype_of(tensor.type);
  const bool half = dtype == DType::kF16 || dtype == DType::kBF16;
  return half && has_output(0) && out_dtype(0) == DType::kF32 ? builder().cast(out, DType::kF32)
                                                              : out;
}

std::optional<std::vector<std::int64_t>> OperatorImport::ints(std::size_t i) {
  const Tensor* data = builder().data(raw(i));
  if (data == nullptr || !(is_integer(data->dtype()) || data->dtype() == DType::kBool)) {
    return std::nullopt;
  }
  std::vector<std::int64_t> out;
  for (std::int64_t k = 0; k < data->elements(); ++k) out.push_back(element_as_i64(*data, k));
  return out;
}

std::vector<std::int64_t> OperatorImport::needed_ints(std::size_t i) {
  auto found = ints(i);
  if (!found) unsupported("input " + std::to_string(i) + ", wanted constant integers");
  return found.value_or(std::vector<std::int64_t>());
}

ValueId OperatorImport::index(std::size_t i) {
  const ValueId value = raw(i);
  const Tensor* data = builder().data(value);
  if (data == nullptr) return builder().cast(value, DType::kI64);
  if (data->dtype() == DType::kI64) return value;
  const auto values = needed_ints(i);
  const std::vector<double> wide(values.begin(), values.end());
  return builder().numbers(wide, DType::kI64, data->shape());
}

int OperatorImport::rank(std::size_t i) {
  const TensorDef& tensor = in(i);
  const int known = builder().rank(raw(i));
  if (known >= 0) return known;
  return tensor.has_rank || !tensor.shape.empty() ? static_cast<int>(tensor.shape.size()) : -1;
}

ValueId OperatorImport::dequantized(ValueId value, const TensorDef& tensor, std::int64_t axis) {
  return dequantize(importer_, value, tensor, axis);
}
ValueId OperatorImport::quantize(ValueId value, const TensorDef& tensor) {
  return tflite::quantize(importer_, value, tensor);
}

void OperatorImport::give_raw(std::size_t i, ValueId value) {
  if (!ok() || !has_output(i)) return;
  // Values have one name: that of the tensor that they first become.
  Value& named = builder().graph().value(value);
  if (named.producer.valid() && named.name.find('#') != std::string::npos) {
    named.name = out(i).name;
  }
  // Where its inputs do not tell, the file does, until the graph as a whole is inferred; but what a
  // caller may choose is not as the file has it.
  if (!builder().has_type(value)) {
    auto type = static_type(out(i));
    if (type && (out(i).has_rank || !out(i).shape.empty())) {
      const auto& free = out(i).shape_signature;
      for (int k = 0; k < type->shape.rank(); ++k) {
        const bool open =
            free.size() == out(i).shape.size() && free[static_cast<std::size_t>(k)] < 0;
        if (open || (k == 0 && !builder().graph().symbols().empty())) type->shape[k] = kUnknownDim;
      }
      builder().set_type(value, *type);
    }
  }
  importer_.bind(def_.outputs[i], value);
}

void OperatorImport::give(std::size_t i, ValueId value) {
  if (!ok() || !has_output(i)) return;
  const TensorDef& tensor = out(i);
  if (is_quantized(tensor)) return give_raw(i, quantize(value, tensor));
  const auto dtype = dtype_of(tensor.type);
  give_raw(i, dtype && builder().has_type(value) ? builder().cast(value, *dtype) : value);
}

ValueId OperatorImport::activated(ValueId value, std::int64_t activation) {
  Builder& b = builder();
  const auto clip = [&](double low, double high) {
    const DType dtype = b.has_type(value) ? b.graph().value(value).type.dtype : DType::kF32;
    return b.add("Clip", {value, b.number(low, dtype), b.number(high, dtype)});
  };
  switch (activation) {
    case kNone: return value;
    case kRelu: return b.add("Relu", {value});
    case kReluN1To1: return clip(-1, 1);
    case kRelu6: return clip(0, 6);
    case kTanh: return b.add("Tanh", {value});
    case kSignBit: return b.cast(b.add("Less", {value, b.number(0)}), DType::kF32);
    default: fail("fused activation, got " + std::to_string(activation)); return kNoValue;
  }
}

// LiteRT clamps the integers, to what stands for the limits: so what comes before can become one
// integer kernel with its quantization, and limits beyond the type's are none.
void OperatorImport::give_activated(ValueId value, std::int64_t activation) {
  Builder& b = builder();
  const bool clamps = activation == kRelu || activation == kReluN1To1 || activation == kRelu6;
  if (!ok() || !has_output(0) || !quantized_out() || !clamps) {
    return give(0, activated(value, activation));
  }
  const DType dtype = out_dtype();
  const ValueId stored = quantize(value, out());
  if (!ok()) return;
  const QuantizationDef& q = out().quantization;
  const double scale = static_cast<double>(q.scale[0]);
  const double zero = q.zero_point.empty() ? 0.0 : static_cast<double>(q.zero_point[0]);
  const int bits = dtype_info(dtype).bits;
  const double lowest = is_signed_integer(dtype) ? -std::ldexp(1.0, bits - 1) : 0;
  const double highest = lowest + std::ldexp(1.0, bits) - 1;
  double low = zero + std::round((activation == kReluN1To1 ? -1.0 : 0.0) / scale);
  double high = highest;
  if (activation == kReluN1To1) high = zero + std::round(1.0 / scale);
  if (activation == kRelu6) high = zero + std::round(6.0 / scale);
  low = std::clamp(low, lowest, highest);
  high = std::clamp(high, low, highest);
  if (low == lowest && high == highest) return give_raw(0, stored);
  give_raw(0, b.add("Clip", {stored, b.number(low, dtype), b.number(high, dtype)}));
}

}  // namespace polaris::tflite
