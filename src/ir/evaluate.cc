#include "ir/evaluate.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "ir/any_rank.h"
#include "ir/check_results.h"
#include "ir/ports.h"

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

Error too_large(const InferContext& inferred, std::size_t output, std::int64_t bytes,
                std::int64_t bytes_max) {
  return Error::out_of_memory(inferred
                                  .fail("bytes of output " + std::to_string(output) + ", got " +
                                        std::to_string(bytes) + ", wanted at most " +
                                        std::to_string(bytes_max))
                                  .message());
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
  if (*bytes > bytes_max) return too_large(inferred, i, *bytes, bytes_max);
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

bool any_host_only(std::span<const TensorType* const> inputs, std::span<const TensorType> outputs) {
  return std::any_of(
             inputs.begin(), inputs.end(),
             [](const TensorType* type) { return type != nullptr && is_host_only(*type); }) ||
         std::any_of(outputs.begin(), outputs.end(), is_host_only);
}

/// Runs the op's host definition on whole values.
Result<std::vector<Tensor>> evaluate_whole(const InferContext& inferred,
                                           std::span<const Operand> inputs,
                                           std::int64_t bytes_max) {
  HostContext context;
  context.op = inferred.op;
  context.attrs = inferred.attrs;
  context.node_name = inferred.node_name;
  context.types = inferred.outputs;
  context.outputs.resize(inferred.outputs.size());
  context.bytes_max = bytes_max;
  std::vector<const Tensor*> values;
  for (const Operand& operand : inputs) {
    if (operand.data != nullptr && !*operand.data) return inferred.fail("an operand has no data");
    values.push_back(operand.data);
  }
  context.inputs = values;
  if (auto ran = inferred.op->host(context); !ran) return ran.error();
  for (std::size_t i = 0; i < context.outputs.size(); ++i) {
    const Tensor& out = context.outputs[i];
    if (!out || !join_types(out.type(), inferred.outputs[i])) {
      return Error::internal(inferred
                                 .fail("output " + std::to_string(i) + ", got " +
                                       (out ? out.type().to_string() : "nothing") + ", wanted " +
                                       inferred.outputs[i].to_string())
                                 .message());
    }
    if (out.held_bytes() > bytes_max) return too_large(inferred, i, out.held_bytes(), bytes_max);
  }
  return std::move(context.outputs);
}

Result<std::vector<Tensor>> evaluate(const OpDef& op, const Attrs& attrs,
                                     std::string_view node_name, std::span<const Operand> inputs,
                                     int output_count, std::int64_t bytes_max);

/// Strings by number: "" is 0, and the others are numbered in their order, so that numbers are
/// equal where strings are.
class Numbered {
 public:
  explicit Numbered(std::span<const Operand> inputs) : strings_{std::string_view()} {
    for (const Operand& operand : inputs) {
      if (!holds_strings(operand)) continue;
      const std::int64_t count = operand.data->elements();
      for (std::int64_t i = 0; i < count; ++i) strings_.push_back(operand.data->string(i));
    }
    std::sort(strings_.begin(), strings_.end());
    strings_.erase(std::unique(strings_.begin(), strings_.end()), strings_.end());
  }

  static bool holds_strings(const Operand& operand) {
    return operand.data != nullptr && *operand.data && operand.data->dtype() == DType::kString &&
           !operand.data->bytes().empty();
  }

  Result<Tensor> numbers(const Tensor& text) const {
    auto out = Tensor::allocate(DType::kI64, text.shape());
    if (!out) return out;
    for (std::int64_t i = 0, n = text.elements(); i < n; ++i) {
      const auto at = std::lower_bound(strings_.begin(), strings_.end(), text.string(i));
      out->mutable_data<std::int64_t>()[i] = at - strings_.begin();
    }
    return out;
  }

  Result<Tensor> text(const Tensor& numbers) const {
    std::vector<std::string_view> out;
    for (std::int64_t i = 0, n = numbers.elements(); i < n; ++i) {
      const auto at = static_cast<std::size_t>(numbers.data<std::int64_t>()[i]);
      if (at >= strings_.size()) return Error::internal("[ir] a string became another");
      out.push_back(strings_[at]);
    }
    return Tensor::strings(numbers.shape(), out);
  }

 private:
  std::vector<std::string_view> strings_;
};

/// Strings that are only moved or compared: the reference does it with their numbers.
Result<std::vector<Tensor>> evaluate_numbered(const InferContext& inferred,
                                              std::span<const Operand> inputs,
                                              std::int64_t bytes_max) {
  const Numbered strings(inputs);
  std::vector<Tensor> numbers(inputs.size());
  std::vector<Operand> operands(inputs.begin(), inputs.end());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].data == nullptr || inputs[i].data->dtype() != DType::kString) continue;
    if (Numbered::holds_strings(inputs[i])) {
      auto made = strings.numbers(*inputs[i].data);
      if (!made) return made.error();
      numbers[i] = made.take();
    } else {  // its type alone is read
      const TensorType type{DType::kI64, inputs[i].data->shape(), {}};
      numbers[i] = Tensor::view(type, {}, inputs[i].data->owner());
    }
    operands[i].data = &numbers[i];
  }
  auto out = evaluate(*inferred.op, *inferred.attrs, inferred.node_name, operands,
                      static_cast<int>(inferred.outputs.size()), bytes_max);
  for (std::size_t i = 0; out && i < out->size(); ++i) {
    if (inferred.outputs[i].dtype != DType::kString) continue;
    auto text = strings.text((*out)[i]);
    if (!text) return text.error();
    if (text->held_bytes() > bytes_max)
      return too_large(inferred, i, text->held_bytes(), bytes_max);
    (*out)[i] = text.take();
  }
  return out;
}

Result<std::vector<Tensor>> evaluate(const OpDef& op, const Attrs& attrs,
                                     std::string_view node_name, std::span<const Operand> inputs,
                                     int output_count, std::int64_t bytes_max) {
  if (!op.is_defined()) {
    return Error::unsupported("[" + op_full_name(op) + "] has no reference to evaluate");
  }
  NodeView view{&op, &attrs, node_name, {}, {}, static_cast<std::size_t>(output_count)};
  std::vector<RefTensor> refs;
  for (const Operand& operand : inputs) {
    const bool present = operand.data != nullptr;
    const bool plain =
        present && static_cast<bool>(*operand.data) && operand.data->type().encoding.is_plain();
    view.add_input({present ? &operand.data->type() : nullptr, plain ? operand.data : nullptr});
    refs.push_back(ref_of(operand));
  }
  auto inferred = infer_types(view);
  if (!inferred) return inferred.error();
  const bool host_only = any_host_only(view.types, inferred->outputs);
  if (op.host != nullptr && (host_only || op.reference == nullptr)) {
    return evaluate_whole(*inferred, inputs, bytes_max);
  }
  if (host_only) return evaluate_numbered(*inferred, inputs, bytes_max);

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
    copy_bytes(out_refs[to].data, bytes.data(), bytes.size());
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

Result<InferContext> infer_types(const NodeView& view) {
  InferContext context = infer_context(view);
  if (view.op->infer == nullptr) return context.fail("has no infer");
  if (auto ports = check_operands(context); !ports) return ports.error();
  for (const TensorType* type : view.types) {
    if (type != nullptr && type->is_tensor() && has_any_rank(type->shape)) {
      return context.fail("the rank of an input is not known");
    }
  }
  if (auto inferred = view.op->infer(context); !inferred) return inferred.error();
  if (auto results = check_results(context); !results) return results.error();
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
