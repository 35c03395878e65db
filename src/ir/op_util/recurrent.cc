#include "ir/op_util/recurrent.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "base/strings.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/put_all.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

enum Operand : int { kX, kW, kR, kB, kLengths, kH0, kC0, kPeepholes };

/// An activation that files name. Those without parameters leave alpha and beta alone.
struct Known {
  std::string_view name;
  double (*fn)(double, double, double);
  int parameters;
  double alpha;
  double beta;
};

constexpr Known kKnown[] = {
    {"relu", [](double x, double, double) { return x < 0 ? 0.0 : x; }, 0, 0, 0},
    {"tanh", [](double x, double, double) { return std::tanh(x); }, 0, 0, 0},
    {"sigmoid", [](double x, double, double) { return 1 / (1 + std::exp(-x)); }, 0, 0, 0},
    {"affine", [](double x, double a, double b) { return a * x + b; }, 2, 1, 0},
    {"leakyrelu", [](double x, double a, double) { return x < 0 ? a * x : x; }, 1, 0.01f, 0},
    {"thresholdedrelu", [](double x, double a, double) { return x < a ? 0.0 : x; }, 1, 1, 0},
    {"scaledtanh", [](double x, double a, double b) { return a * std::tanh(b * x); }, 2, 1, 1},
    {"hardsigmoid",
     [](double x, double a, double b) { return std::fmin(std::fmax(a * x + b, 0), 1); }, 2, 0.2f,
     0.5},
    {"elu", [](double x, double a, double) { return x < 0 ? a * std::expm1(x) : x; }, 1, 1, 0},
    {"softsign", [](double x, double, double) { return x / (1 + std::fabs(x)); }, 0, 0, 0},
    {"softplus",
     [](double x, double, double) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); },
     0, 0, 0},
};

/// Files write names of activations in any case.
const Known* find_activation(std::string_view name) {
  std::string lower(name);
  for (char& ch : lower) ch = static_cast<char>(ch >= 'A' && ch <= 'Z' ? ch - 'A' + 'a' : ch);
  const auto* at = std::find_if(std::begin(kKnown), std::end(kKnown),
                                [&](const Known& known) { return known.name == lower; });
  return at == std::end(kKnown) ? nullptr : at;
}

int direction_count(const RecurrentAttrs& attrs) {
  return attrs.direction == "bidirectional" ? 2 : 1;
}

/// The functions of all directions, or where a name is not known that name.
struct Activations {
  std::vector<Activation> functions;
  std::string unknown;
};

Activations activations_of(const RecurrentOp& op, const RecurrentAttrs& attrs) {
  Activations out;
  std::size_t alphas = 0;
  std::size_t betas = 0;
  const auto add = [&](std::string_view name) {
    const Known* known = find_activation(name);
    if (known == nullptr) {
      out.unknown = name;
      return;
    }
    Activation function{known->fn, known->alpha, known->beta};
    if (known->parameters > 0 && alphas < attrs.activation_alpha.size()) {
      function.alpha = static_cast<double>(attrs.activation_alpha[alphas++]);
    }
    if (known->parameters > 1 && betas < attrs.activation_beta.size()) {
      function.beta = static_cast<double>(attrs.activation_beta[betas++]);
    }
    out.functions.push_back(function);
  };
  for (const std::string& name : attrs.activations) add(name);
  for (int d = 0; attrs.activations.empty() && d < direction_count(attrs); ++d) {
    for (std::string_view name : op.activations) add(name);
  }
  return out;
}

Status check_attributes(const InferContext& c, const RecurrentOp& op, const RecurrentAttrs& attrs) {
  if (attrs.direction != "forward" && attrs.direction != "reverse" &&
      attrs.direction != "bidirectional") {
    return c.fail("direction, got '" + printable(attrs.direction) +
                  "', wanted forward, reverse or bidirectional");
  }
  if (attrs.layout != 0 && attrs.layout != 1) {
    return c.fail("layout, got " + std::to_string(attrs.layout) + ", wanted 0 or 1");
  }
  if (!(attrs.clip >= 0)) return c.fail("clip, got a negative number or NaN, wanted 0 or more");
  if (attrs.hidden_size < 0) {
    return c.fail("hidden_size, got " + std::to_string(attrs.hidden_size) + ", wanted 0 or more");
  }
  const std::size_t wanted =
      op.activations.size() * static_cast<std::size_t>(direction_count(attrs));
  if (!attrs.activations.empty() && attrs.activations.size() != wanted) {
    return c.fail("activations, got " + std::to_string(attrs.activations.size()) + ", wanted " +
                  std::to_string(wanted));
  }
  const Activations found = activations_of(op, attrs);
  if (!found.unknown.empty() || found.functions.size() != wanted) {
    return c.fail("activation, got '" + printable(found.unknown) + "', wanted one that ONNX lists");
  }
  return Status::success();
}

/// The dims of an input, each as far as both are known.
Status check_shape(const InferContext& c, int i, std::string_view name,
                   std::initializer_list<std::int64_t> wanted) {
  if (!c.has(i)) return Status::success();
  const int rank = static_cast<int>(wanted.size());
  if (auto s = check_rank(c, i, rank, rank); !s) return s;
  int d = 0;
  for (std::int64_t dim : wanted) {
    const std::string what = "dim " + std::to_string(d) + " of " + std::string(name);
    if (auto s = check_dims(c, what, c.in(i).shape[d], dim); !s) return s;
    ++d;
  }
  return Status::success();
}

/// What the shapes say, for infer with dims that may be unknown.
struct Sizes {
  std::int64_t steps = 0;
  std::int64_t batch = 0;
  std::int64_t inputs = 0;
  std::int64_t hidden = 0;
  std::int64_t directions = 1;
  bool batch_first = false;

  Shape output() const {
    return batch_first ? Shape{batch, steps, directions, hidden}
                       : Shape{steps, directions, batch, hidden};
  }
  Shape last() const {
    return batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  }
  std::int64_t x_at(std::int64_t t, std::int64_t b) const {
    return (batch_first ? b * steps + t : t * batch + b) * inputs;
  }
  std::int64_t output_at(std::int64_t t, std::int64_t d, std::int64_t b) const {
    return (batch_first ? (b * steps + t) * directions + d : (t * directions + d) * batch + b) *
           hidden;
  }
  std::int64_t last_at(std::int64_t d, std::int64_t b) const {
    return (batch_first ? b * directions + d : d * batch + b) * hidden;
  }
};

Sizes sizes_of(const Shape& x, const Shape& r, const RecurrentAttrs& attrs) {
  Sizes out;
  out.batch_first = attrs.layout == 1;
  out.steps = x[out.batch_first ? 1 : 0];
  out.batch = x[out.batch_first ? 0 : 1];
  out.inputs = x[2];
  out.hidden = is_static_dim(r[2]) || attrs.hidden_size == 0 ? r[2] : attrs.hidden_size;
  out.directions = direction_count(attrs);
  return out;
}

/// Elements [from, from + count) of an input; zeros where it is absent.
std::vector<double> part_of(const RefContext& c, int i, std::int64_t from, std::int64_t count) {
  std::vector<double> out(static_cast<std::size_t>(count), 0.0);
  for (std::size_t k = 0; c.has(i) && k < out.size(); ++k) {
    out[k] = get_f64(c.in(i), from + static_cast<std::int64_t>(k));
  }
  return out;
}

RecurrentCell cell_of(const RefContext& c, const RecurrentOp& op, const RecurrentAttrs& attrs,
                      const Sizes& sizes, std::int64_t d) {
  const std::int64_t rows = op.gates * sizes.hidden;
  RecurrentCell cell;
  cell.inputs = sizes.inputs;
  cell.hidden = sizes.hidden;
  cell.w = part_of(c, kW, d * rows * sizes.inputs, rows * sizes.inputs);
  cell.r = part_of(c, kR, d * rows * sizes.hidden, rows * sizes.hidden);
  cell.w_bias = part_of(c, kB, d * 2 * rows, rows);
  cell.r_bias = part_of(c, kB, (d * 2 + 1) * rows, rows);
  if (op.has_cell && c.has(kPeepholes)) {
    cell.peepholes = part_of(c, kPeepholes, d * 3 * sizes.hidden, 3 * sizes.hidden);
  }
  const std::vector<Activation> all = activations_of(op, attrs).functions;
  const auto each = static_cast<std::ptrdiff_t>(op.activations.size());
  cell.functions.assign(all.begin() + d * each, all.begin() + (d + 1) * each);
  cell.clip = static_cast<double>(attrs.clip);
  return cell;
}

double dot(const double* row, const std::vector<double>& x) {
  double sum = 0;
  for (std::size_t k = 0; k < x.size(); ++k) sum += row[k] * x[k];
  return sum;
}

}  // namespace

double RecurrentCell::from_input(std::int64_t row, const std::vector<double>& x) const {
  return dot(w.data() + row * inputs, x) + w_bias[static_cast<std::size_t>(row)];
}

double RecurrentCell::from_state(std::int64_t row, const std::vector<double>& h) const {
  return dot(r.data() + row * hidden, h) + r_bias[static_cast<std::size_t>(row)];
}

double RecurrentCell::apply(std::size_t which, double x) const {
  if (clip > 0) x = x < -clip ? -clip : x > clip ? clip : x;
  const Activation& f = functions[which];
  return f.fn(x, f.alpha, f.beta);
}

Status infer_recurrent(InferContext& c, const RecurrentOp& op, const RecurrentAttrs& attrs) {
  if (auto s = all_of(check_attributes(c, op, attrs), check_dtype(c, kX, kFloatTypes),
                      check_same_dtype(c, kX, kW), check_same_dtype(c, kX, kR),
                      check_same_dtype(c, kX, kB), check_dtype(c, kLengths, dtype_set(DType::kI32)),
                      check_same_dtype(c, kX, kH0), check_same_dtype(c, kX, kC0),
                      check_same_dtype(c, kX, kPeepholes), check_rank(c, kX, 3, 3),
                      check_rank(c, kR, 3, 3));
      !s) {
    return s;
  }
  const Sizes n = sizes_of(c.in(kX).shape, c.in(kR).shape, attrs);
  // Sequences of nothing could have any length.
  if (n.inputs == 0 || n.hidden == 0) {
    return c.fail("sizes, got " + dim_text(n.inputs) + " inputs and " + dim_text(n.hidden) +
                  " hidden, wanted 1 or more");
  }
  if (attrs.hidden_size != 0) {
    if (auto s = check_dims(c, "hidden_size", attrs.hidden_size, n.hidden); !s) return s;
  }
  const std::int64_t rows = dim_mul(n.hidden, op.gates);
  const std::int64_t first = n.batch_first ? n.batch : n.directions;
  const std::int64_t second = n.batch_first ? n.directions : n.batch;
  if (auto s = all_of(check_shape(c, kW, "W", {n.directions, rows, n.inputs}),
                      check_shape(c, kR, "R", {n.directions, rows, n.hidden}),
                      check_shape(c, kB, "B", {n.directions, dim_mul(rows, 2)}),
                      check_shape(c, kLengths, "sequence_lens", {n.batch}),
                      check_shape(c, kH0, "initial_h", {first, second, n.hidden}),
                      check_shape(c, kC0, "initial_c", {first, second, n.hidden}),
                      check_shape(c, kPeepholes, "P", {n.directions, dim_mul(n.hidden, 3)}));
      !s) {
    return s;
  }
  set_output(c, 0, c.in(kX).dtype, n.output());
  for (int i : {1, 2}) set_output(c, i, c.in(kX).dtype, n.last());
  return Status::success();
}

Status run_recurrent(RefContext& c, const RecurrentOp& op, const RecurrentAttrs& attrs) {
  const Sizes n = sizes_of(c.in(kX).type.shape, c.in(kR).type.shape, attrs);
  const std::vector<double> nothing(static_cast<std::size_t>(n.hidden), 0.0);
  for (std::int64_t d = 0; d < n.directions; ++d) {
    const RecurrentCell cell = cell_of(c, op, attrs, n, d);
    const bool backwards = d == 1 || attrs.direction == "reverse";
    for (std::int64_t b = 0; b < n.batch; ++b) {
      const std::int64_t length = c.has(kLengths) ? get_i64(c.in(kLengths), b) : n.steps;
      if (length < 0 || length > n.steps) {
        return c.fail("sequence_lens, got " + std::to_string(length) + ", wanted 0 to " +
                      std::to_string(n.steps));
      }
      RecurrentState state;
      state.h = part_of(c, kH0, n.last_at(d, b), n.hidden);
      if (op.has_cell) state.c = part_of(c, kC0, n.last_at(d, b), n.hidden);
      for (std::int64_t k = 0; k < length; ++k) {
        const std::int64_t t = backwards ? length - 1 - k : k;
        state.x = part_of(c, kX, n.x_at(t, b), n.inputs);
        op.step(cell, *c.attrs, state);
        put_all(c, 0, n.output_at(t, d, b), state.h);
      }
      for (std::int64_t t = length; t < n.steps; ++t) put_all(c, 0, n.output_at(t, d, b), nothing);
      put_all(c, 1, n.last_at(d, b), state.h);
      put_all(c, 2, n.last_at(d, b), state.c);
    }
  }
  return Status::success();
}

std::int64_t recurrent_flops(const NodeTypes& n, std::int64_t gates) {
  const Shape& x = n.inputs[kX].shape;
  const Shape& r = n.inputs[kR].shape;
  return work_of({2, x[0], x[1], r[0], gates, r[2], x[2] + r[2]});
}

}  // namespace polaris
