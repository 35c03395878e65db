#include "support/cache_model.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "support/text_program.h"
#include "tensor/element.h"

namespace polaris::test {
namespace {

constexpr std::string_view kText = R"(
state fk : float32[?, 4, 8] paged
state fv : float32[?, 4, 8] paged
state wk : float32[?, 2, 8] paged
state wv : float32[?, 2, 8] paged
state ck : float32[?, 8, 8] paged
state cv : float32[?, 8, 8] paged
graph encode {
  symbol S
  symbol C
  input %source : float32[S, 8]
  input %slots : int32[S]
  state %ck0 : float32[C, 8, 8] named "ck"
  state %cv0 : float32[C, 8, 8] named "cv"
  const %wk : float32[8, 8] = random 21
  const %wv : float32[8, 8] = random 22
  %k = MatMul(%source, %wk)
  %v = MatMul(%source, %wv)
  %ck1, %cv1 = polaris.KvWrite(%ck0, %cv0, %k, %v, %slots)
  update %ck0 = %ck1
  update %cv0 = %cv1
}
graph main {
  symbol T bucketed 16
  symbol R bucketed 16
  symbol S bucketed 4
  symbol A bounded 12
  symbol B bounded 11
  symbol D bounded 4
  symbol F
  symbol W
  symbol C
  input %tokens : int32[T]
  input %rows : int32[R]
  input %positions : int32[T]
  input %cross_last : int32[T]
  input %cross_table : int32[S, D]
  input %full_slots : int32[T]
  input %full_table : int32[S, A]
  input %window_last : int32[T]
  input %window_slots : int32[T]
  input %window_table : int32[S, B]
  input %sequences : int32[T]
  state %fk0 : float32[F, 4, 8] named "fk"
  state %fv0 : float32[F, 4, 8] named "fv"
  state %wk0 : float32[W, 2, 8] named "wk"
  state %wv0 : float32[W, 2, 8] named "wv"
  state %ck0 : float32[C, 8, 8] named "ck"
  state %cv0 : float32[C, 8, 8] named "cv"
  const %embed : float32[12, 8] = random 1
  const %place : float32[48, 8] = random 2
  const %fq : float32[8, 8] = random 3
  const %fkw : float32[8, 8] = random 4
  const %fvw : float32[8, 8] = random 5
  const %wq : float32[8, 8] = random 6
  const %wkw : float32[8, 8] = random 7
  const %wvw : float32[8, 8] = random 8
  const %cq : float32[8, 8] = random 9
  const %out : float32[8, 12] = random 10
  %e = Gather(%embed, %tokens)
  %p = Gather(%place, %positions)
  %x0 = Add(%e, %p)
  %q0 = MatMul(%x0, %fq)
  %k0 = MatMul(%x0, %fkw)
  %v0 = MatMul(%x0, %fvw)
  %fk1, %fv1 = polaris.KvWrite(%fk0, %fv0, %k0, %v0, %full_slots)
  update %fk0 = %fk1
  update %fv0 = %fv1
  %a0 = polaris.PagedAttention(%q0, %fk1, %fv1, %full_table, %sequences, %positions,
      num_heads = 2, num_kv_heads = 2)
  %x1 = Add(%x0, %a0)
  %q1 = MatMul(%x1, %wq)
  %k1 = MatMul(%x1, %wkw)
  %v1 = MatMul(%x1, %wvw)
  %wk1, %wv1 = polaris.KvWrite(%wk0, %wv0, %k1, %v1, %window_slots)
  update %wk0 = %wk1
  update %wv0 = %wv1
  %a1 = polaris.PagedAttention(%q1, %wk1, %wv1, %window_table, %sequences, %window_last,
      num_heads = 2, num_kv_heads = 2, window = 5)
  %x2 = Add(%x1, %a1)
  %q2 = MatMul(%x2, %cq)
  %a2 = polaris.PagedAttention(%q2, %ck0, %cv0, %cross_table, %sequences, %cross_last,
      num_heads = 2, num_kv_heads = 2)
  %x3 = Add(%x2, %a2)
  %h = Gather(%x3, %rows)
  %logits = MatMul(%h, %out)
  output %logits "logits"
}
)";

using Row = std::vector<double>;
using Rows = std::vector<Row>;

Rows rows_of(const Tensor& tensor) {
  Rows out(static_cast<std::size_t>(tensor.shape()[0]));
  std::int64_t i = 0;
  for (Row& row : out) {
    for (std::int64_t d = 0; d < tensor.shape()[1]; ++d) {
      row.push_back(element_as_f64(tensor, i++));
    }
  }
  return out;
}

Rows constant_of(const Graph& graph, std::string_view name) {
  for (ValueId id : graph.value_ids()) {
    const Value& value = graph.value(id);
    if (value.name == name && value.constant) return rows_of(value.constant->data);
  }
  FAIL("no constant ", std::string(name));
  return {};
}

Rows times(const Rows& x, const Rows& w) {
  Rows out(x.size(), Row(w[0].size(), 0.0));
  for (std::size_t r = 0; r < x.size(); ++r) {
    for (std::size_t c = 0; c < w[0].size(); ++c) {
      for (std::size_t i = 0; i < w.size(); ++i) out[r][c] += x[r][i] * w[i][c];
    }
  }
  return out;
}

Rows plus(Rows a, const Rows& b) {
  for (std::size_t r = 0; r < a.size(); ++r) {
    for (std::size_t i = 0; i < a[r].size(); ++i) a[r][i] += b[r][i];
  }
  return a;
}

/// Row r of q over the rows [begin(r), end(r)) of k and v, in two heads of four.
template <class Begin, class End>
Rows attend(const Rows& q, const Rows& k, const Rows& v, Begin begin, End end) {
  Rows out(q.size(), Row(8, 0.0));
  for (std::size_t r = 0; r < q.size(); ++r) {
    for (std::size_t head = 0; head < 8; head += 4) {
      Row weight;
      double total = 0;
      for (std::size_t p = begin(r); p < end(r); ++p) {
        double dot = 0;
        for (std::size_t i = head; i < head + 4; ++i) dot += q[r][i] * k[p][i];
        total += weight.emplace_back(std::exp(dot / 2));
      }
      for (std::size_t p = begin(r); p < end(r); ++p) {
        const double w = weight[p - begin(r)] / total;
        for (std::size_t i = head; i < head + 4; ++i) out[r][i] += w * v[p][i];
      }
    }
  }
  return out;
}

DecoderContract contract() {
  DecoderContract out;
  out.tokens = 0;
  out.logit_rows = 1;
  out.positions = 2;
  out.sequences = 10;
  CacheGroup full{.name = "full", .page_size = 4, .block_table = 6, .slots = 5, .positions = 2};
  full.states = {"fk", "fv"};
  CacheGroup window{.name = "window",
                    .page_size = 2,
                    .window = kCacheModelWindow,
                    .block_table = 9,
                    .slots = 8,
                    .positions = 7};
  window.states = {"wk", "wv"};
  CacheGroup cross{
      .name = "cross", .page_size = 8, .cross = true, .block_table = 4, .slots = 1, .positions = 3};
  cross.states = {"ck", "cv"};
  out.groups = {full, window, cross};
  out.encoder = EncoderContract{"encode", 0};
  return out;
}

}  // namespace

Model cache_model() {
  Model model = model_from_text(kText);
  model.decoder = contract();
  model.hyperparameters.emplace("context_length", kCacheModelContext);
  const Status status = verify_model(model);
  REQUIRE_MESSAGE(status, status.error().message());
  return model;
}

std::vector<std::vector<double>> cache_model_logits(const Model& model,
                                                    const std::vector<TokenId>& ids,
                                                    const Tensor& source) {
  const Graph& main = *model.find("main");
  const Graph& encode = *model.find("encode");
  const auto w = [&](std::string_view name) { return constant_of(main, name); };
  const Rows embed = w("embed");
  const Rows place = w("place");
  Rows x;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    x.push_back(plus({embed[static_cast<std::size_t>(ids[t])]}, {place[t]})[0]);
  }
  const auto first = [](std::size_t) { return std::size_t{0}; };
  const auto next = [](std::size_t r) { return r + 1; };
  const auto in_window = [](std::size_t r) {
    constexpr std::size_t kWindow = kCacheModelWindow;
    return r + 1 > kWindow ? r + 1 - kWindow : 0;
  };
  x = plus(x, attend(times(x, w("fq")), times(x, w("fkw")), times(x, w("fvw")), first, next));
  x = plus(x, attend(times(x, w("wq")), times(x, w("wkw")), times(x, w("wvw")), in_window, next));
  const Rows s = rows_of(source);
  const auto whole = [&](std::size_t) { return s.size(); };
  x = plus(x, attend(times(x, w("cq")), times(s, constant_of(encode, "wk")),
                     times(s, constant_of(encode, "wv")), first, whole));
  return times(x, w("out"));
}

}  // namespace polaris::test
