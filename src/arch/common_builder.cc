#include "arch/common_builder.h"

#include <cmath>
#include <utility>

#include "base/strings.h"
#include "tensor/element.h"

namespace polaris {
namespace {

std::string number_text(const MetadataValue& value) {
  if (const auto* i = std::get_if<std::int64_t>(&value)) return std::to_string(*i);
  if (const auto* d = std::get_if<double>(&value)) return format_f64(*d);
  if (const auto* s = std::get_if<std::string>(&value)) return "'" + printable(*s) + "'";
  return std::holds_alternative<bool>(value) ? "a bool" : "a list";
}

}  // namespace

void ArchBuilder::fail(Error error) {
  if (status_) status_ = std::move(error);
}
void ArchBuilder::fail_invalid(const std::string& what) {
  fail(Error::invalid("[" + architecture_ + "] " + what));
}
void ArchBuilder::fail_unsupported(const std::string& what) {
  fail(Error::unsupported("[" + architecture_ + "] " + what));
}

std::int64_t ArchBuilder::integer(std::string_view name, std::int64_t low, std::int64_t high,
                                  std::int64_t otherwise) {
  const MetadataValue* value = input_.hyperparameter(name);
  if (value == nullptr) {
    if (otherwise < 0) fail_invalid("hyperparameter '" + std::string(name) + "' is missing");
    return std::max(otherwise, low);
  }
  const auto* number = std::get_if<std::int64_t>(value);
  if (number == nullptr || *number < low || *number > high) {
    fail_invalid("hyperparameter '" + std::string(name) + "', got " + number_text(*value) +
                 ", wanted " + std::to_string(low) + " to " + std::to_string(high));
    return low;
  }
  return *number;
}

std::int64_t ArchBuilder::integer_of_layers(std::string_view name, std::int64_t layers,
                                            std::int64_t low, std::int64_t high,
                                            std::int64_t otherwise) {
  const MetadataValue* value = input_.hyperparameter(name);
  const auto* list = value != nullptr ? std::get_if<std::vector<std::int64_t>>(value) : nullptr;
  if (list == nullptr) return integer(name, low, high, otherwise);
  const std::string what = "hyperparameter '" + std::string(name) + "', got ";
  if (!std::cmp_equal(list->size(), layers)) {
    fail_invalid(what + "a list of " + std::to_string(list->size()) + ", wanted one number or " +
                 std::to_string(layers) + ", one a layer");
    return low;
  }
  for (std::int64_t number : *list) {
    if (number < low || number > high) {
      fail_invalid(what + std::to_string(number) + ", wanted " + std::to_string(low) + " to " +
                   std::to_string(high));
      return low;
    }
    if (number != list->front()) {
      fail_unsupported(what + std::to_string(list->front()) + " and " + std::to_string(number) +
                       ", wanted the same in every layer");
      return low;
    }
  }
  return list->front();
}

double ArchBuilder::real(std::string_view name, double low, double high, double otherwise) {
  const MetadataValue* value = input_.hyperparameter(name);
  if (value == nullptr) return otherwise;
  double number = std::nan("");
  if (const auto* d = std::get_if<double>(value)) number = *d;
  if (const auto* i = std::get_if<std::int64_t>(value)) number = static_cast<double>(*i);
  if (!(number >= low && number <= high)) {
    fail_invalid("hyperparameter '" + std::string(name) + "', got " + number_text(*value) +
                 ", wanted " + format_f64(low) + " to " + format_f64(high));
    return otherwise;
  }
  return number;
}

bool ArchBuilder::flag(std::string_view name, bool otherwise) {
  const MetadataValue* value = input_.hyperparameter(name);
  if (value == nullptr) return otherwise;
  if (const auto* b = std::get_if<bool>(value)) return *b;
  fail_invalid("hyperparameter '" + std::string(name) + "', got " + number_text(*value) +
               ", wanted a bool");
  return otherwise;
}

std::string ArchBuilder::text(std::string_view name, std::string_view otherwise) {
  const MetadataValue* value = input_.hyperparameter(name);
  if (value == nullptr) return std::string(otherwise);
  if (const auto* s = std::get_if<std::string>(value)) return *s;
  fail_invalid("hyperparameter '" + std::string(name) + "', got " + number_text(*value) +
               ", wanted text");
  return std::string(otherwise);
}

std::shared_ptr<const Constant> ArchBuilder::find(const std::string& name, const Shape& shape) {
  if (!ok()) return nullptr;
  auto found = input_.weight(name);
  if (!found) {
    fail(found.error().with_context("[" + architecture_ + "]"));
    return nullptr;
  }
  const TensorType& type = (*found)->data.type();
  if (type.shape != shape) {
    fail_invalid("tensor '" + name + "' shape, got " + type.shape.to_string() + ", wanted " +
                 shape.to_string());
    return nullptr;
  }
  if (!is_float(type.dtype)) {
    fail_invalid("tensor '" + name + "' type, got " + type.to_string() + ", wanted a float");
    return nullptr;
  }
  return found.take();
}

ValueId ArchBuilder::weight(const std::string& name, const Shape& shape) {
  auto found = find(name, shape);
  return found ? graph_.add_constant(std::move(found)) : kNoValue;
}

ValueId ArchBuilder::weight_f32(const std::string& name, const Shape& shape) {
  const auto found = find(name, shape);
  if (!found) return kNoValue;
  if (found->data.type() == TensorType{DType::kF32, shape, {}}) return graph_.add_constant(found);
  const std::vector<double> values = weight_values(name, shape);
  if (!ok()) return kNoValue;
  auto tensor = Tensor::allocate(DType::kF32, shape);
  if (!tensor) return fail(tensor.error()), kNoValue;
  for (std::size_t i = 0; i < values.size(); ++i) {
    tensor->mutable_data<float>()[i] = static_cast<float>(values[i]);
  }
  return constant(name, tensor.take());
}

ValueId ArchBuilder::optional_f32(const std::string& name, const Shape& shape) {
  return has_weight(name) ? weight_f32(name, shape) : kNoValue;
}

std::int64_t ArchBuilder::weight_dim(const std::string& name, int rank, int axis) {
  if (!ok()) return 0;
  const auto found = input_.weight(name);
  if (!found) return fail(found.error().with_context("[" + architecture_ + "]")), 0;
  const Shape& shape = (*found)->data.shape();
  if (shape.rank() == rank && shape[axis] > 0) return shape[axis];
  fail_invalid("tensor '" + name + "' shape, got " + shape.to_string() + ", wanted rank " +
               std::to_string(rank) + " and no empty dim");
  return 0;
}

std::vector<double> ArchBuilder::weight_values(const std::string& name, const Shape& shape) {
  const auto found = find(name, shape);
  if (!found) return {};
  if (!found->data.type().encoding.is_plain()) {
    fail_unsupported("tensor '" + name + "', got " + found->data.type().to_string() +
                     ", wanted a plain float type");
    return {};
  }
  std::vector<double> out(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = element_as_f64(found->data, static_cast<std::int64_t>(i));
  }
  return out;
}

ValueId ArchBuilder::constant(std::string name, Tensor tensor) {
  return graph_.add_constant(std::move(name), std::move(tensor));
}

ValueId ArchBuilder::reshape(const std::string& name, ValueId x, std::vector<std::int64_t> dims) {
  const Shape shape{static_cast<std::int64_t>(dims.size())};
  auto tensor = Tensor::from<std::int64_t>(DType::kI64, shape, dims);
  if (!tensor) return fail(tensor.error()), kNoValue;
  return apply("Reshape", name, {x, constant(name + ".shape", tensor.take())});
}

std::vector<ValueId> ArchBuilder::node(std::string_view op, std::string name,
                                       std::vector<ValueId> inputs, std::unique_ptr<Attrs> attrs,
                                       int output_count) {
  const std::vector<ValueId> nothing(static_cast<std::size_t>(output_count), kNoValue);
  if (!ok()) return nothing;
  const std::size_t dot = op.find('.');
  const std::string_view domain = dot == op.npos ? "" : op.substr(0, dot);
  const OpDef* def = input_.ops().find(dot == op.npos ? op : op.substr(dot + 1), domain);
  if (def == nullptr) {
    fail_unsupported("op '" + std::string(op) + "' is not in the op set");
    return nothing;
  }
  const NodeId id =
      graph_.add_node(def, std::move(attrs), std::move(inputs), output_count, std::move(name));
  return graph_.node(id).outputs;
}

ValueId ArchBuilder::apply(std::string_view op, std::string name, std::vector<ValueId> inputs,
                           std::unique_ptr<Attrs> attrs) {
  return node(op, std::move(name), std::move(inputs), std::move(attrs))[0];
}

ValueId ArchBuilder::linear(const std::string& name, ValueId x, std::int64_t inputs,
                            std::int64_t outputs, std::int64_t turned_heads) {
  std::vector<ValueId> operands{x, weight(name + ".weight", Shape{outputs, inputs})};
  const ValueId bias = optional_f32(name + ".bias", Shape{outputs});
  if (bias.valid()) operands.push_back(bias);
  const ValueId y = apply("polaris.Linear", name, std::move(operands));
  const AdaptedMatrix matrix{name + ".weight", inputs, outputs, turned_heads};
  return adapted(*this, name, matrix, {0, outputs}, x, y);
}

ValueId ArchBuilder::linear_of_rows(const std::string& name, const std::string& whole, ValueId x,
                                    std::int64_t inputs, const Rows& rows) {
  const auto found = find(whole + ".weight", Shape{rows.all, inputs});
  if (!found) return kNoValue;
  const Tensor& data = found->data;
  auto part = std::make_shared<Constant>();
  part->name = name + ".weight";
  part->file = found->file;
  TensorType type = data.type();
  type.shape = Shape{rows.count, inputs};
  const std::size_t row = data.bytes().size() / static_cast<std::size_t>(rows.all);
  part->data = Tensor::view(type,
                            data.bytes().subspan(static_cast<std::size_t>(rows.first) * row,
                                                 static_cast<std::size_t>(rows.count) * row),
                            data.owner());
  std::vector<ValueId> operands{x, graph_.add_constant(std::move(part))};
  if (has_weight(whole + ".bias")) {
    const std::vector<double> values = weight_values(whole + ".bias", Shape{rows.all});
    auto bias = Tensor::allocate(DType::kF32, Shape{rows.count});
    if (!bias) return fail(bias.error()), kNoValue;
    if (!ok()) return kNoValue;
    for (std::int64_t i = 0; i < rows.count; ++i) {
      bias->mutable_data<float>()[i] =
          static_cast<float>(values[static_cast<std::size_t>(rows.first + i)]);
    }
    operands.push_back(constant(name + ".bias", bias.take()));
  }
  const ValueId y = apply("polaris.Linear", name, std::move(operands));
  const AdaptedMatrix matrix{whole + ".weight", inputs, rows.all};
  return adapted(*this, name, matrix, {rows.first, rows.count}, x, y);
}

Result<Graph> ArchBuilder::finish() {
  if (!status_) return status_.error();
  if (Status status = infer_graph(graph_); !status) {
    return status.error().with_context("[" + architecture_ + "]");
  }
  return std::move(graph_);
}

}  // namespace polaris
