#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/op_attrs/attention.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/put_all.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

enum Operand : int { kQ, kK, kV, kMask, kPastKey, kPastValue, kLengths };

/// One of q, k and v as [batch, heads, tokens, size], whichever rank it has.
struct Heads {
  std::int64_t batch = 1;
  std::int64_t heads = 1;
  std::int64_t tokens = 1;
  std::int64_t size = 1;
  bool tokens_first = false;  // rank 3: [batch, tokens, heads * size]

  std::int64_t at(std::int64_t b, std::int64_t h, std::int64_t t) const {
    return (tokens_first ? (b * tokens + t) * heads + h : (b * heads + h) * tokens + t) * size;
  }
};

Heads heads_of(const Shape& x, std::int64_t num_heads) {
  if (x.rank() == 4) return {x[0], x[1], x[2], x[3], false};
  const std::int64_t size = is_static_dim(x[2]) && num_heads > 0 ? x[2] / num_heads : kUnknownDim;
  return {x[0], num_heads, x[1], size, true};
}

Heads heads_of(const Shape& x, int input, const AttentionAttrs& attrs) {
  return heads_of(x, input == kQ ? attrs.q_num_heads : attrs.kv_num_heads);
}

Status check_attributes(const InferContext& c, const AttentionAttrs& attrs) {
  if (attrs.qk_matmul_output_mode < 0 || attrs.qk_matmul_output_mode > 3) {
    return c.fail("qk_matmul_output_mode, got " + std::to_string(attrs.qk_matmul_output_mode) +
                  ", wanted 0 to 3");
  }
  if (attrs.softmax_precision != kTypeOfInput && !contains(kFloatTypes, attrs.softmax_precision)) {
    return c.fail("softmax_precision, got " + std::string(dtype_name(attrs.softmax_precision)) +
                  ", wanted a float");
  }
  if (!(attrs.softcap >= 0)) {
    return c.fail("softcap, got a negative number or NaN, wanted 0 or more");
  }
  if (attrs.q_num_heads < 0 || attrs.kv_num_heads < 0) {
    return c.fail("heads, got fewer than 0, wanted 0 or more");
  }
  return Status::success();
}

/// q, k and v have one rank; one of 3 has whole heads.
Status check_ranks(const InferContext& c, const AttentionAttrs& attrs) {
  const int rank = c.in(kQ).shape.rank();
  for (int i : {kQ, kK, kV}) {
    if (auto s = check_rank(c, i, i == kQ ? 3 : rank, i == kQ ? 4 : rank); !s) return s;
    const std::int64_t heads = i == kQ ? attrs.q_num_heads : attrs.kv_num_heads;
    const Shape& x = c.in(i).shape;
    if (rank == 3 && (heads < 1 || (is_static_dim(x[2]) && x[2] % heads != 0))) {
      return c.fail("heads, got " + std::to_string(heads) +
                    ", wanted a divisor of the last dim of " + x.to_string());
    }
    if (rank == 4 && heads != 0) {
      if (auto s = check_dims(c, "heads", x[1], heads); !s) return s;
    }
  }
  return Status::success();
}

Status check_past(const InferContext& c, const Heads& k, const Heads& v) {
  if (c.has(kPastKey) != c.has(kPastValue)) {
    return c.fail("past_key and past_value, got one of them, wanted both or neither");
  }
  if (!c.has(kPastKey)) return Status::success();
  if (c.has(kLengths)) {
    return c.fail("nonpad_kv_seqlen, got it beside past_key, wanted one of them");
  }
  if (auto s = all_of(check_rank(c, kPastKey, 4, 4), check_rank(c, kPastValue, 4, 4)); !s) return s;
  const Shape& key = c.in(kPastKey).shape;
  const Shape& value = c.in(kPastValue).shape;
  return all_of(check_dims(c, "batch of past_key", key[0], k.batch),
                check_dims(c, "heads of past_key", key[1], k.heads),
                check_dims(c, "head size of past_key", key[3], k.size),
                check_dims(c, "batch of past_value", value[0], v.batch),
                check_dims(c, "heads of past_value", value[1], v.heads),
                check_dims(c, "tokens of past_value", value[2], key[2]),
                check_dims(c, "head size of past_value", value[3], v.size));
}

/// The mask broadcasts to the scores; its last dim may end before theirs.
Status check_mask(const InferContext& c, const Shape& scores) {
  if (!c.has(kMask)) return Status::success();
  if (auto s = check_rank(c, kMask, 1, 4); !s) return s;
  const Shape& mask = c.in(kMask).shape;
  for (int d = 1; d <= mask.rank(); ++d) {
    const std::int64_t got = mask[mask.rank() - d];
    const std::int64_t wanted = scores[4 - d];
    if (!is_static_dim(got) || !is_static_dim(wanted)) continue;
    if (d == 1 ? got > wanted : got != 1 && got != wanted) {
      return c.fail("attn_mask, got " + mask.to_string() + ", wanted one that broadcasts to " +
                    scores.to_string());
    }
  }
  return Status::success();
}

Status check_types(const InferContext& c) {
  return all_of(check_dtype(c, kQ, kFloatTypes), check_same_dtype(c, kQ, kK),
                check_dtype(c, kV, kFloatTypes), check_dtype(c, kMask, kAllTypes),
                check_same_dtype(c, kK, kPastKey), check_same_dtype(c, kV, kPastValue),
                check_dtype(c, kLengths, dtype_set(DType::kI64)), check_rank(c, kLengths, 1, 1));
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<AttentionAttrs>();
  if (auto s = all_of(check_attributes(c, attrs), check_types(c), check_ranks(c, attrs)); !s) {
    return s;
  }
  const Heads q = heads_of(c.in(kQ).shape, kQ, attrs);
  const Heads k = heads_of(c.in(kK).shape, kK, attrs);
  const Heads v = heads_of(c.in(kV).shape, kV, attrs);
  if (is_static_dim(q.heads) && is_static_dim(k.heads) &&
      (k.heads == 0 || q.heads % k.heads != 0)) {
    return c.fail("heads of q, got " + dim_text(q.heads) + ", wanted a multiple of k's " +
                  dim_text(k.heads));
  }
  if (auto s = all_of(check_dims(c, "batch of K", k.batch, q.batch),
                      check_dims(c, "batch of V", v.batch, q.batch),
                      check_dims(c, "head size of K", k.size, q.size),
                      check_dims(c, "heads of V", v.heads, k.heads),
                      check_dims(c, "tokens of V", v.tokens, k.tokens), check_past(c, k, v));
      !s) {
    return s;
  }
  const std::int64_t total =
      c.has(kPastKey) ? dim_add(c.in(kPastKey).shape[2], k.tokens) : k.tokens;
  const Shape scores{q.batch, q.heads, q.tokens, total};
  if (auto s = check_mask(c, scores); !s) return s;
  if (c.has(kLengths)) {
    if (auto s = check_dims(c, "number of nonpad_kv_seqlen", c.in(kLengths).shape[0], q.batch);
        !s) {
      return s;
    }
  }
  set_output(c, 0, c.in(kQ).dtype,
             q.tokens_first ? Shape{q.batch, q.tokens, dim_mul(q.heads, v.size)}
                            : Shape{q.batch, q.heads, q.tokens, v.size});
  set_output(c, 1, c.in(kK).dtype, Shape{k.batch, k.heads, total, k.size});
  set_output(c, 2, c.in(kV).dtype, Shape{v.batch, v.heads, total, v.size});
  set_output(c, 3, c.in(kQ).dtype, scores);
  return Status::success();
}

/// The past and the new tokens of k or v, as [batch, heads, total, size].
std::vector<double> joined(const RefContext& c, int input, int past, const Heads& x,
                           std::int64_t total) {
  std::vector<double> out;
  const std::int64_t count = x.batch * x.heads * total * x.size;
  if (count == 0) return out;
  out.reserve(static_cast<std::size_t>(count));
  const std::int64_t before = total - x.tokens;
  for (std::int64_t b = 0; b < x.batch; ++b) {
    for (std::int64_t h = 0; h < x.heads; ++h) {
      for (std::int64_t i = 0; i < before * x.size; ++i) {
        out.push_back(get_f64(c.in(past), (b * x.heads + h) * before * x.size + i));
      }
      for (std::int64_t t = 0; t < x.tokens; ++t) {
        for (std::int64_t i = 0; i < x.size; ++i) {
          out.push_back(get_f64(c.in(input), x.at(b, h, t) + i));
        }
      }
    }
  }
  return out;
}

/// What is added to the score of a key.
class Bias {
 public:
  Bias(const RefContext& c, std::int64_t past) : c_(c), past_(past) {}

  double at(std::int64_t b, std::int64_t h, std::int64_t t, std::int64_t key) const {
    constexpr double kNever = -std::numeric_limits<double>::infinity();
    if (c_.as<AttentionAttrs>().is_causal && key > past_ + t) return kNever;
    if (c_.has(kLengths) && key >= get_i64(c_.in(kLengths), b)) return kNever;
    if (!c_.has(kMask)) return 0;
    const RefTensor& mask = c_.in(kMask);
    if (key >= mask.type.shape.back()) return kNever;
    const std::int64_t places[] = {b, h, t, key};
    std::int64_t from = 0;
    const int rank = mask.type.shape.rank();
    for (int d = 0; d < rank; ++d) {
      const std::int64_t size = mask.type.shape[d];
      const std::int64_t place = places[4 - rank + d];
      from = from * size + (d + 1 < rank && size == 1 ? 0 : place);
    }
    if (mask.type.dtype == DType::kBool) return get_i64(mask, from) != 0 ? 0 : kNever;
    return get_f64(mask, from);
  }

 private:
  const RefContext& c_;
  std::int64_t past_;
};

void softmax(std::vector<double>& row) {
  double largest = -std::numeric_limits<double>::infinity();
  for (double v : row) largest = std::max(largest, v);
  double sum = 0;
  for (double& v : row) sum += v = std::exp(v - largest);
  for (double& v : row) v /= sum;
}

/// The scores of one query, which become its weights; `line` is its row of output 3.
void weigh(RefContext& c, std::vector<double>& row, const std::vector<double>& bias,
           std::int64_t line) {
  const auto& attrs = c.as<AttentionAttrs>();
  const auto show = [&](std::int64_t mode) {
    const auto count = static_cast<std::int64_t>(row.size());
    if (attrs.qk_matmul_output_mode == mode) put_all(c, 3, line * count, row);
  };
  show(0);
  for (std::size_t i = 0; i < row.size(); ++i) row[i] += bias[i];
  show(1);
  const auto cap = static_cast<double>(attrs.softcap);
  for (double& v : row) {
    if (cap > 0) v = cap * std::tanh(v / cap);
  }
  show(2);
  softmax(row);
  show(3);
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<AttentionAttrs>();
  const Heads q = heads_of(c.in(kQ).type.shape, kQ, attrs);
  const Heads k = heads_of(c.in(kK).type.shape, kK, attrs);
  const Heads v = heads_of(c.in(kV).type.shape, kV, attrs);
  const std::int64_t past = c.has(kPastKey) ? c.in(kPastKey).type.shape[2] : 0;
  const std::int64_t total = past + k.tokens;
  const std::vector<double> keys = joined(c, kK, kPastKey, k, total);
  const std::vector<double> values = joined(c, kV, kPastValue, v, total);
  put_all(c, 1, 0, keys);
  put_all(c, 2, 0, values);
  // Without results there may be any number of keys.
  if (c.out(0).type.shape.elements() == 0 && !is_wanted(c, 3)) return Status::success();
  const double scale = attrs.scale != 0 ? static_cast<double>(attrs.scale)
                                        : 1 / std::sqrt(static_cast<double>(q.size));
  const Heads out{q.batch, q.heads, q.tokens, v.size, q.tokens_first};
  const Bias bias(c, past);
  std::vector<double> query(static_cast<std::size_t>(q.size));
  std::vector<double> row(static_cast<std::size_t>(total));
  std::vector<double> added(row.size());
  for (std::int64_t i = 0; i < q.batch * q.heads * q.tokens; ++i) {
    const std::int64_t t = i % q.tokens;
    const std::int64_t h = i / q.tokens % q.heads;
    const std::int64_t b = i / q.tokens / q.heads;
    const std::int64_t first = (b * k.heads + h / (q.heads / k.heads)) * total;
    for (std::size_t e = 0; e < query.size(); ++e) {
      query[e] = get_f64(c.in(kQ), q.at(b, h, t) + static_cast<std::int64_t>(e));
    }
    for (std::int64_t key = 0; key < total; ++key) {
      const double* other = keys.data() + (first + key) * q.size;
      double sum = 0;
      for (std::size_t e = 0; e < query.size(); ++e) sum += query[e] * other[e];
      row[static_cast<std::size_t>(key)] = sum * scale;
      added[static_cast<std::size_t>(key)] = bias.at(b, h, t, key);
    }
    weigh(c, row, added, i);
    std::vector<double> y(static_cast<std::size_t>(v.size), 0.0);
    for (std::int64_t key = 0; key < total; ++key) {
      const double weight = row[static_cast<std::size_t>(key)];
      for (std::size_t e = 0; e < y.size(); ++e) {
        y[e] += weight * values[static_cast<std::size_t>((first + key) * v.size) + e];
      }
    }
    put_all(c, 0, out.at(b, h, t), y);
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  const auto& attrs = static_cast<const AttentionAttrs&>(*n.attrs);
  const Heads q = heads_of(n.inputs[kQ].shape, kQ, attrs);
  const Heads k = heads_of(n.inputs[kK].shape, kK, attrs);
  const bool grows = n.inputs.size() > kPastKey && n.inputs[kPastKey].shape.rank() == 4;
  const std::int64_t total = k.tokens + (grows ? n.inputs[kPastKey].shape[2] : 0);
  return work_of({4, q.batch, q.heads, q.tokens, total, q.size});
}

constexpr Port kInputs[] = {{"Q"},
                            {"K"},
                            {"V"},
                            {"attn_mask", kOptional},
                            {"past_key", kOptional},
                            {"past_value", kOptional},
                            {"nonpad_kv_seqlen", kOptional}};
constexpr Port kOutputs[] = {{"Y"},
                             {"present_key", kOptional},
                             {"present_value", kOptional},
                             {"qk_matmul_output", kOptional}};

}  // namespace

extern constinit const OpDef op_attention{
    .name = "Attention",
    .doc =
        "softmax(Q K^T * scale + mask) V for each head, of all keys, those of the past included; "
        "several heads of Q may share one of K and V.",
    .since = 24,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<AttentionAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
