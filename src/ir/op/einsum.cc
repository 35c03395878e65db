#include <algorithm>
#include <string>

#include "base/checked.h"
#include "base/strings.h"
#include "ir/op_attrs/matmul.h"
#include "ir/op_util/einsum.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

using Labels = EinsumLabels;

/// Labels and their sizes, those of the output first.
struct Extents {
  Labels labels;
  std::vector<std::int64_t> sizes;

  std::size_t find(int label) const {
    return static_cast<std::size_t>(std::find(labels.begin(), labels.end(), label) -
                                    labels.begin());
  }
};

/// The size of a label that has these two; nothing where they clash.
std::optional<std::int64_t> join_dims(std::int64_t a, std::int64_t b) {
  if (a == b || b == 1) return a;
  if (a == 1) return b;
  if (is_static_dim(a) && is_static_dim(b)) return std::nullopt;
  return is_static_dim(a) ? a : is_static_dim(b) ? b : kUnknownDim;
}

Status check_output(const EinsumEquation& equation) {
  for (std::size_t i = 0; i < equation.output.size(); ++i) {
    const int label = equation.output[i];
    const bool twice =
        std::find(equation.output.begin(), equation.output.begin() + static_cast<std::ptrdiff_t>(i),
                  label) != equation.output.begin() + static_cast<std::ptrdiff_t>(i);
    const bool known =
        std::any_of(equation.inputs.begin(), equation.inputs.end(), [&](const Labels& labels) {
          return std::find(labels.begin(), labels.end(), label) != labels.end();
        });
    if (twice || !known) {
      return Error::invalid(
          "equation, got '" + std::string(1, static_cast<char>(label)) + "' in its output " +
          (twice ? "twice, wanted each label once" : "and in no input, wanted labels of inputs"));
    }
  }
  if (equation.output.size() > static_cast<std::size_t>(kMaxRank)) {
    return Error::invalid("rank of the output, got " + std::to_string(equation.output.size()) +
                          ", wanted at most " + std::to_string(kMaxRank));
  }
  return Status::success();
}

Result<Extents> extents_of(const EinsumEquation& equation, const std::vector<Shape>& shapes) {
  if (auto s = check_output(equation); !s) return s.error();
  Extents out{equation.output, std::vector<std::int64_t>(equation.output.size(), 1)};
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Labels& labels = equation.inputs[i];
    for (std::size_t d = 0; d < labels.size(); ++d) {
      const std::size_t at = out.find(labels[d]);
      const std::int64_t dim = shapes[i][static_cast<int>(d)];
      if (at == out.labels.size()) {
        out.labels.push_back(labels[d]);
        out.sizes.push_back(1);
      }
      const auto joined = join_dims(out.sizes[at], dim);
      if (!joined) {
        return Error::invalid("dim " + std::to_string(d) + " of input " + std::to_string(i) +
                              ", got " + dim_text(dim) + ", wanted " + dim_text(out.sizes[at]));
      }
      out.sizes[at] = *joined;
    }
  }
  return out;
}

std::vector<Shape> shapes_of(const InferContext& c) {
  std::vector<Shape> out;
  for (int i = 0; i < c.input_count(); ++i) out.push_back(c.in(i).shape);
  return out;
}

Status infer(InferContext& c) {
  for (int i = 0; i < c.input_count(); ++i) {
    if (auto s = all_of(check_dtype(c, i, kNumericTypes), check_same_dtype(c, 0, i)); !s) return s;
  }
  const std::vector<Shape> shapes = shapes_of(c);
  const auto equation = labelled_equation(c.as<EinsumAttrs>().equation, shapes);
  if (!equation) return c.fail(equation.error().message());
  const auto extents = extents_of(*equation, shapes);
  if (!extents) return c.fail(extents.error().message());
  Shape out;
  for (std::size_t i = 0; i < equation->output.size(); ++i) out.push_back(extents->sizes[i]);
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

/// One operand's elements, and how far each label steps in them.
template <class T>
struct Factor {
  std::vector<T> data;
  std::vector<std::int64_t> strides;
  std::int64_t at = 0;
};

template <class T>
std::vector<Factor<T>> factors_of(const RefContext& c, const EinsumEquation& equation,
                                  const Extents& extents) {
  std::vector<Factor<T>> out(c.inputs.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const RefTensor& x = c.inputs[i];
    const Shape strides = row_major_strides(x.type.shape);
    out[i].strides.resize(extents.labels.size(), 0);
    for (int d = 0; d < strides.rank(); ++d) {
      const std::size_t label = extents.find(equation.inputs[i][static_cast<std::size_t>(d)]);
      if (x.type.shape[d] != 1) out[i].strides[label] += strides[d];
    }
    for (std::int64_t k = 0, n = x.type.shape.elements(); k < n; ++k) {
      if constexpr (std::is_same_v<T, double>) {
        out[i].data.push_back(get_f64(x, k));
      } else {
        out[i].data.push_back(static_cast<T>(get_i64(x, k)));
      }
    }
  }
  return out;
}

/// Counts labels [from, to) up by one, the last fastest; false where they are all 0 again.
template <class T>
bool step(std::vector<Factor<T>>& factors, const Extents& extents, std::vector<std::int64_t>& index,
          std::size_t from, std::size_t to) {
  for (std::size_t label = to; label-- > from;) {
    const std::int64_t size = extents.sizes[label];
    const bool carry = ++index[label] == size;
    for (Factor<T>& f : factors) f.at += carry ? f.strides[label] * (1 - size) : f.strides[label];
    if (!carry) return true;
    index[label] = 0;
  }
  return false;
}

/// The sum of the products along one label; a label that is none has one product.
template <class T>
T sum_along(const std::vector<Factor<T>>& factors, std::size_t label, std::int64_t size) {
  T sum{0};
  for (std::int64_t k = 0; k < size; ++k) {
    T product{1};
    for (const Factor<T>& f : factors) {
      const std::int64_t stride = label < f.strides.size() ? f.strides[label] : 0;
      product *= f.data[static_cast<std::size_t>(f.at + k * stride)];
    }
    sum += product;
  }
  return sum;
}

/// Integers wrap, in uint64.
template <class T>
void contract(RefContext& c, const EinsumEquation& equation, const Extents& extents) {
  std::vector<Factor<T>> factors = factors_of<T>(c, equation, extents);
  std::vector<std::int64_t> index(extents.labels.size(), 0);
  const std::size_t kept = equation.output.size();
  const bool empty = std::find(extents.sizes.begin() + static_cast<std::ptrdiff_t>(kept),
                               extents.sizes.end(), 0) != extents.sizes.end();
  // The last label that is summed is the innermost loop.
  const std::size_t last = kept < index.size() ? index.size() - 1 : index.size();
  for (std::int64_t i = 0, n = c.out(0).type.shape.elements(); i < n; ++i) {
    T sum{0};
    for (bool more = !empty; more; more = step(factors, extents, index, kept, last)) {
      sum += sum_along(factors, last, last < index.size() ? extents.sizes[last] : 1);
    }
    if constexpr (std::is_same_v<T, double>) {
      put_f64(c.out(0), i, sum);
    } else {
      put_i64(c.out(0), i, static_cast<std::int64_t>(sum));
    }
    step(factors, extents, index, 0, kept);
  }
}

std::vector<Shape> shapes_of(std::span<const TensorType> types) {
  std::vector<Shape> out;
  for (const TensorType& type : types) out.push_back(type.shape);
  return out;
}

Status reference(RefContext& c) {
  std::vector<Shape> shapes;
  for (const RefTensor& input : c.inputs) shapes.push_back(input.type.shape);
  const auto equation = labelled_equation(c.as<EinsumAttrs>().equation, shapes);
  if (!equation) return c.fail(equation.error().message());
  const auto extents = extents_of(*equation, shapes);
  if (!extents) return c.fail(extents.error().message());
  if (is_float(c.in(0).type.dtype)) {
    contract<double>(c, *equation, *extents);
  } else {
    contract<std::uint64_t>(c, *equation, *extents);
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  const std::vector<Shape> shapes = shapes_of(n.inputs);
  const auto equation =
      labelled_equation(static_cast<const EinsumAttrs&>(*n.attrs).equation, shapes);
  const auto extents = equation ? extents_of(*equation, shapes) : equation.error();
  if (!extents) return n.outputs[0].shape.elements();
  std::int64_t out = static_cast<std::int64_t>(shapes.size());
  for (std::int64_t size : extents->sizes) out = work_of({out, size});
  return out;
}

constexpr Port kInputs[] = {{"Inputs", kVariadic}};
constexpr Port kOutputs[] = {{"Output"}};

}  // namespace

extern constinit const OpDef op_einsum{
    .name = "Einsum",
    .doc =
        "Sums of products of the inputs' elements by Einstein's convention: the equation names the "
        "dims of each input and of the output, and what the output lacks is summed.",
    .since = 12,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<EinsumAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
