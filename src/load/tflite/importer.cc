#include "load/tflite/importer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/strings.h"
#include "ir/nested.h"
#include "load/tflite/names.h"
#include "load/tflite/operator_order.h"
#include "load/tflite/tensor.h"

namespace polaris::tflite {
namespace {

// Subgraphs that each call the next twice are short in a file and long to run.
constexpr std::int64_t kNodesMax = std::int64_t{1} << 20;

// Of a variable that does not start at zeros.
constexpr std::int64_t kFilledBytesMax = std::int64_t{1} << 28;

std::string label(FileContext& file, const SubgraphDef& graph, const OperatorDef& op) {
  std::string out = "[tflite] " + operator_name(file.model.opcodes[op.opcode]) + " node '";
  for (const std::int32_t i : op.outputs) {
    if (i < 0) continue;
    out += printable(graph.tensors[static_cast<std::size_t>(i)].name);
    break;
  }
  return out + "': ";
}

bool has_text(const SubgraphDef& graph, const OperatorDef& op) {
  const auto text = [&](std::int32_t i) {
    return i >= 0 && dtype_of(graph.tensors[static_cast<std::size_t>(i)].type) == DType::kString;
  };
  return std::any_of(op.inputs.begin(), op.inputs.end(), text) ||
         std::any_of(op.outputs.begin(), op.outputs.end(), text);
}

}  // namespace

Variable& use_variable(FileContext& file, GraphContext& graph, std::string_view name,
                       const TensorType& type, std::shared_ptr<const Constant> initial) {
  const auto found = graph.variables.find(name);
  if (found != graph.variables.end()) return found->second;
  Builder& b = graph.builder;
  Variable& out = graph.variables[std::string(name)];
  if (graph.nested) {
    b.fail(Error::unsupported("variables inside branches and loops are not supported"));
    return out;
  }
  if (!initial) {
    const auto at = file.initial.find(name);
    if (at != file.initial.end()) initial = at->second;
  }
  out.state = b.graph().states().size();
  const TensorType state = initial ? initial->data.type() : type;
  out.value = b.graph().add_state(std::string(name), state, std::move(initial), false);
  b.set_type(out.value, state);
  return out;
}

SubgraphImporter::SubgraphImporter(FileContext& file, GraphContext& graph, std::uint32_t index)
    : file_(file),
      graph_(graph),
      index_(index),
      def_(file.model.subgraphs[index]),
      values_(def_.tensors.size(), kNoValue),
      real_(def_.tensors.size(), kNoValue) {}

void SubgraphImporter::bind(std::int32_t tensor, ValueId value) {
  values_[static_cast<std::size_t>(tensor)] = value;
  real_[static_cast<std::size_t>(tensor)] = kNoValue;
}

std::optional<TensorType> SubgraphImporter::declared_type(const TensorDef& tensor,
                                                          std::string_view name) {
  auto type = static_type(tensor);
  if (!type) {
    builder().fail(type.error());
    return std::nullopt;
  }
  if (tensor.shape_signature.size() == tensor.shape.size()) {
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      if (tensor.shape_signature[i] >= 0) continue;
      const std::string symbol = std::string(name) + "." + std::to_string(i);
      type->shape[static_cast<int>(i)] =
          symbol_dim(builder().graph().add_symbol({symbol, Symbol::Kind::kFree, 0}));
    }
  }
  return type.take();
}

ValueId SubgraphImporter::constant(const TensorDef& tensor) {
  auto& made = file_.constants[&tensor];
  if (!made) {
    auto constant = make_constant(tensor, file_);
    if (!constant) {
      builder().fail(constant.error());
      return kNoValue;
    }
    made = constant.take();
  }
  const ValueId out = builder().graph().add_constant(made);
  builder().mark_typed(out);
  return out;
}

ValueId SubgraphImporter::variable(std::int32_t tensor) {
  const TensorDef& def = def_.tensors[static_cast<std::size_t>(tensor)];
  auto type = static_type(def);
  if (!type) {
    builder().fail(type.error());
    return kNoValue;
  }
  // As LiteRT resets them: integers at what stands for zero.
  std::shared_ptr<const Constant> initial;
  const auto& zero = def.quantization.zero_point;
  if (type->dtype == DType::kI8 && !zero.empty() && zero[0] != 0) {
    if (*type->bytes() > kFilledBytesMax) {
      builder().fail(Error::exhausted("variable of " + std::to_string(*type->bytes()) +
                                      " bytes, wanted at most " + std::to_string(kFilledBytesMax)));
      return kNoValue;
    }
    auto filled = Tensor::allocate(*type);
    if (!filled) {
      builder().fail(filled.error());
      return kNoValue;
    }
    std::fill(filled->mutable_bytes().begin(), filled->mutable_bytes().end(),
              static_cast<std::byte>(zero[0] & 0xFF));
    auto constant = std::make_shared<Constant>();
    constant->name = def.name;
    constant->data = filled.take();
    initial = std::move(constant);
  }
  const std::string name = "subgraph" + std::to_string(index_) + ".tensor" + std::to_string(tensor);
  return use_variable(file_, graph_, name, *type, std::move(initial)).value;
}

void SubgraphImporter::set_variable(std::int32_t tensor, ValueId value) {
  (void)this->value(tensor);
  bind(tensor, value);
  const std::string name = "subgraph" + std::to_string(index_) + ".tensor" + std::to_string(tensor);
  const auto at = graph_.variables.find(name);
  if (at != graph_.variables.end()) at->second.value = value;
}

ValueId SubgraphImporter::value(std::int32_t tensor) {
  const auto at = static_cast<std::size_t>(tensor);
  if (values_[at].valid() || !builder().status()) return values_[at];
  const TensorDef& def = def_.tensors[at];
  if (def.is_variable) {
    values_[at] = variable(tensor);
  } else if (is_constant(def, file_.model)) {
    values_[at] = constant(def);
  } else {
    builder().fail(Error::invalid("tensor '" + printable(def.name) + "' is never made"));
  }
  return values_[at];
}

ValueId SubgraphImporter::dequantized(std::int32_t tensor) {
  const auto at = static_cast<std::size_t>(tensor);
  const ValueId stored = value(tensor);
  if (!stored.valid() || !OperatorImport::is_quantized(def_.tensors[at])) return stored;
  if (!real_[at].valid()) {
    real_[at] = dequantize(*this, stored, def_.tensors[at], def_.tensors[at].quantization.axis);
  }
  return real_[at];
}

const std::string* SubgraphImporter::resource(std::int32_t tensor) const {
  const auto at = resources_.find(tensor);
  return at != resources_.end() ? &at->second : nullptr;
}

Status SubgraphImporter::import(const OperatorDef& op) {
  const std::string prefix = label(file_, def_, op);
  if (++file_.nodes > kNodesMax) {
    return Error::exhausted(prefix + "nodes, got more than " + std::to_string(kNodesMax) +
                            " with those of the subgraphs called");
  }
  const OpcodeDef& code = file_.model.opcodes[op.opcode];
  const OperatorRow* row = find_operator(code);
  if (row == nullptr || row->import == nullptr) {
    return Error::unsupported(prefix + "op is not supported (version " +
                              std::to_string(code.version) + ")");
  }
  if (has_text(def_, op)) return Error::unsupported(prefix + "strings are not supported");
  OperatorImport import(*this, op);
  row->import(import);
  if (!builder().status()) {
    const Error& error = builder().status().error();
    // What a subgraph says of its own node says it all.
    const bool told = error.message().starts_with("[tflite]");
    return told ? error : Error(error.code(), prefix + error.message());
  }
  if (!file_.file.status()) {
    return Error::invalid(prefix + "options: " + file_.file.status().error().message());
  }
  return Status::success();
}

Status SubgraphImporter::run() {
  auto& open = graph_.open;
  if (std::find(open.begin(), open.end(), index_) != open.end()) {
    return Error::invalid("[tflite] subgraph " + std::to_string(index_) + " calls itself");
  }
  if (open.size() >= static_cast<std::size_t>(kGraphDepthMax)) {
    return Error::invalid("[tflite] subgraphs nested deeper than " +
                          std::to_string(kGraphDepthMax));
  }
  const auto order = operators_in_order(def_);
  if (!order) return order.error();
  open.push_back(index_);
  for (const OperatorDef* op : *order) {
    if (Status s = import(*op); !s) return s;
  }
  open.pop_back();
  return Status::success();
}

std::vector<ValueId> SubgraphImporter::call(std::uint32_t subgraph,
                                            std::span<const ValueId> inputs) {
  Builder& b = builder();
  std::vector<ValueId> out;
  if (subgraph >= file_.model.subgraphs.size()) {
    b.fail(Error::invalid("subgraph, got " + std::to_string(subgraph) + ", wanted one of " +
                          std::to_string(file_.model.subgraphs.size())));
    return out;
  }
  SubgraphImporter inner(file_, graph_, subgraph);
  if (inner.def().inputs.size() != inputs.size()) {
    b.fail(Error::invalid("inputs of subgraph " + std::to_string(subgraph) + ", got " +
                          std::to_string(inputs.size()) + ", wanted " +
                          std::to_string(inner.def().inputs.size())));
    return out;
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) inner.bind(inner.def().inputs[i], inputs[i]);
  if (Status s = inner.run(); !s) {
    b.fail(s.error());
    return out;
  }
  for (const std::int32_t i : inner.def().outputs) out.push_back(inner.value(i));
  return out;
}

std::shared_ptr<Graph> SubgraphImporter::nested(std::uint32_t subgraph,
                                                std::span<const ValueId> like) {
  Builder& b = builder();
  auto out = std::make_shared<Graph>();
  if (subgraph >= file_.model.subgraphs.size()) {
    b.fail(Error::invalid("subgraph, got " + std::to_string(subgraph) + ", wanted one of " +
                          std::to_string(file_.model.subgraphs.size())));
    return out;
  }
  out->share_symbols(b.graph());
  GraphContext context{Builder(*out, file_.ops), {}, graph_.open, true};
  SubgraphImporter inner(file_, context, subgraph);
  out->name = inner.def().name;
  if (inner.def().inputs.size() != like.size()) {
    b.fail(Error::invalid("inputs of subgraph " + std::to_string(subgraph) + ", got " +
                          std::to_string(like.size()) + ", wanted " +
                          std::to_string(inner.def().inputs.size())));
    return out;
  }
  for (std::size_t i = 0; i < like.size(); ++i) {
    const ValueId input =
        out->add_input("input" + std::to_string(i), b.graph().value(like[i]).type);
    if (b.has_type(like[i])) context.builder.mark_typed(input);
    inner.bind(inner.def().inputs[i], input);
  }
  Status status = inner.run();
  std::size_t number = 0;
  for (const std::int32_t i : inner.def().outputs) {
    if (!status) break;
    const ValueId output = inner.value(i);
    status = context.builder.status();
    if (status) out->mark_output(output, "output" + std::to_string(number++));
  }
  if (!status) b.fail(status.error());
  return out;
}

}  // namespace polaris::tflite
