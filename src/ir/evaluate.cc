#include "ir/evaluate.h"

#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include "ir/any_rank.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

// Stands for the bytes of an empty tensor and of inputs whose type alone is read.
alignas(64) constexpr std::byte kNoBytes[64] = {};

struct Operand {
  const Tensor* data = nullptr;
  const Tensor* scale = nullptr;
  const Tensor* zero_point = nullptr;
};

RefTensor ref_of(const Operand& operand) {
  RefTensor out;
  if (operand.data == nullptr) return out;
  out.type = operand.data->type();
  const std::byte* bytes = operand.data->bytes().data();
  out.data = const_cast<std::byte*>(bytes != nullptr ? bytes : kNoBytes);
  out.scale = operand.scale;
  out.zero_point = operand.zero_point;
  return out;
}

Result<Tensor> allocate_output(const InferContext& inferred, std::size_t i,
                               std::int64_t bytes_max) {
  TensorType type = inferred.outputs[i];
  if (inferred.op->has_trait(kDataDependent)) type.shape = inferred.bounds[i];
  const auto bytes = type.bytes();
  if (!bytes) {
    return inferred.fail("type of output " + std::to_string(i) + ", got " + type.to_string() +
                         ", wanted a static shape");
  }
  if (*bytes > bytes_max) {
    return Error::out_of_memory(inferred
                                    .fail("bytes of output " + std::to_string(i) + ", got " +
                                          std::to_string(*bytes) + ", wanted at most " +
                                          std::to_string(bytes_max))
                                    .message());
  }
  return Tensor::allocate(type);
}

/// The output's tensor under the shape that the reference left in `ref`.
Result<Tensor> cut_to_shape(const RefContext& context, Tensor tensor, const RefTensor& ref) {
  if (ref.type == tensor.type()) return tensor;
  const auto bytes = ref.type.bytes();
  if (!bytes || *bytes > static_cast<std::int64_t>(tensor.bytes().size())) {
    return context.fail("actual shape " + ref.type.to_string() + " exceeds its bound " +
                        tensor.type().to_string());
  }
  return Tensor::view(ref.type, tensor.bytes().first(static_cast<std::size_t>(*bytes)),
                      tensor.owner());
}

Result<std::vector<Tensor>> evaluate(const OpDef& op, const Attrs& attrs,
                                     std::string_view node_name, std::span<const Operand> inputs,
                                     int output_count, std::int64_t bytes_max) {
  if (op.reference == nullptr) {
    return Error::unsupported("[" + op_full_name(op) + "] has no reference to evaluate");
  }
  std::vector<const TensorType*> types;
  std::vector<const Tensor*> values;
  std::vector<RefTensor> refs;
  for (const Operand& operand : inputs) {
    const bool present = operand.data != nullptr;
    types.push_back(present ? &operand.data->type() : nullptr);
    const bool plain =
        present && static_cast<bool>(*operand.data) && operand.data->type().encoding.is_plain();
    values.push_back(plain ? operand.data : nullptr);
    refs.push_back(ref_of(operand));
  }
  auto inferred = infer_types(op, attrs, node_name, types, values, output_count);
  if (!inferred) return inferred.error();

  std::vector<Tensor> outputs;
  std::vector<RefTensor> out_refs;
  for (std::size_t i = 0; i < inferred->outputs.size(); ++i) {
    auto tensor = allocate_output(*inferred, i, bytes_max);
    if (!tensor) return tensor.error();
    outputs.push_back(tensor.take());
    out_refs.push_back(ref_of({.data = &outputs.back()}));
    // The reference writes here; a copy of the handle must not hide that.
    out_refs.back().data = outputs.back().mutable_bytes().data();
  }
  RefContext context;
  context.op = &op;
  context.attrs = &attrs;
  context.node_name = node_name;
  context.inputs = refs;
  context.outputs = out_refs;
  for (const InPlace& pair : op.inplace) {
    const auto from = static_cast<std::size_t>(pair.input);
    const auto to = static_cast<std::size_t>(pair.output);
    if (!pair.required || to >= outputs.size()) continue;
    if (from >= inputs.size() || inputs[from].data == nullptr ||
        inputs[from].data->bytes().size() != outputs[to].bytes().size()) {
      return context.fail("input " + std::to_string(pair.input) + " and output " +
                          std::to_string(pair.output) + " share bytes but differ in size");
    }
    const auto bytes = inputs[from].data->bytes();
    if (!bytes.empty()) std::memcpy(out_refs[to].data, bytes.data(), bytes.size());
  }
  if (auto ran = run_reference(context); !ran) return ran.error();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    auto cut = cut_to_shape(context, std::move(outputs[i]), out_refs[i]);
    if (!cut) return cut.error();
    outputs[i] = cut.take();
  }
  return outputs;
}

}  // namespace

Result<InferContext> infer_types(const OpDef& op, const Attrs& attrs, std::string_view node_name,
                                 std::span<const TensorType* const> types,
                                 std::span<const Tensor* const> values, int output_count) {
  InferContext context;
  context.op = &op;
  context.attrs = &attrs;
  context.node_name = node_name;
  context.inputs = types;
  context.values = values;
  context.outputs.resize(static_cast<std::size_t>(output_count));
  context.bounds.resize(context.outputs.size());
  if (op.infer == nullptr) return context.fail("has no infer");
  if (auto ports = check_ports(context); !ports) return ports.error();
  for (const TensorType* type : types) {
    if (type != nullptr && has_any_rank(type->shape)) {
      return context.fail("the rank of an input is not known");
    }
  }
  if (auto inferred = op.infer(context); !inferred) return inferred.error();
  return context;
}

Result<std::vector<Tensor>> evaluate_node(const OpDef& op, const Attrs& attrs,
                                          std::string_view node_name,
                                          std::span<const Constant* const> inputs, int output_count,
                                          std::int64_t bytes_max) {
  std::vector<Operand> operands;
  for (const Constant* input : inputs) {
    Operand operand;
    if (input != nullptr) {
      operand.data = &input->data;
      if (input->scale) operand.scale = &input->scale;
      if (input->zero_point) operand.zero_point = &input->zero_point;
    }
    operands.push_back(operand);
  }
  return evaluate(op, attrs, node_name, operands, output_count, bytes_max);
}

Result<std::vector<Tensor>> evaluate_node(const OpDef& op, const Attrs& attrs,
                                          std::string_view node_name,
                                          std::span<const Tensor* const> inputs, int output_count,
                                          std::int64_t bytes_max) {
  std::vector<Operand> operands;
  for (const Tensor* input : inputs) operands.push_back({.data = input});
  return evaluate(op, attrs, node_name, operands, output_count, bytes_max);
}

}  // namespace polaris
