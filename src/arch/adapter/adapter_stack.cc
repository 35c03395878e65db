#include "arch/adapter/adapter_stack.h"

#include <algorithm>

#include "base/checked.h"
#include "base/strings.h"

namespace polaris {
namespace {

constexpr std::int64_t kRankUnit = 4;  // kernels read four numbers at once

Status check_shape(const Adapter& adapter, const std::string& tensor, const Tensor& got,
                   const Shape& wanted) {
  if (got.shape() == wanted) return Status::success();
  return Error::invalid(adapter_tensor_text(adapter, tensor) + "shape, got " +
                        got.shape().to_string() + ", wanted " + wanted.to_string() +
                        " as the base has it");
}

Status check_pair(const Adapter& adapter, const AdapterPair& pair, const AdaptedMatrix& matrix) {
  const std::int64_t rank = pair.a.shape().rank() > 0 ? pair.a.shape()[0] : 0;
  if (rank < 1 || rank > kAdapterRankMax) {
    return Error::invalid(adapter_tensor_text(adapter, pair.a_name) + "rank, got " +
                          std::to_string(rank) + ", wanted 1 to " +
                          std::to_string(kAdapterRankMax));
  }
  if (auto s = check_shape(adapter, pair.a_name, pair.a, {rank, matrix.inputs}); !s) return s;
  return check_shape(adapter, pair.b_name, pair.b, {matrix.outputs, rank});
}

/// Where row `row` of the base stands in an adapter whose turned pairs are halves of a head apart.
std::int64_t row_halves_apart(std::int64_t row, const AdaptedMatrix& matrix) {
  const std::int64_t size = matrix.outputs / matrix.turned_heads;
  const std::int64_t at = row % size;
  return row - at + at % 2 * (size / 2) + at / 2;
}

void copy_pair(const Adapter& adapter, const AdapterPair& pair, const AdaptedMatrix& matrix,
               std::int64_t rank_max, float* a, float* b) {
  const std::int64_t rank = pair.a.shape()[0];
  std::copy_n(pair.a.data<float>(), rank * matrix.inputs, a);
  const bool moves = adapter.halves_apart && matrix.turned_heads > 0;
  for (std::int64_t row = 0; row < matrix.outputs; ++row) {
    const float* from = pair.b.data<float>() + (moves ? row_halves_apart(row, matrix) : row) * rank;
    for (std::int64_t r = 0; r < rank; ++r) {
      b[row * rank_max + r] = static_cast<float>(static_cast<double>(from[r]) * pair.scale);
    }
  }
}

}  // namespace

std::string adapter_tensor_text(const Adapter& adapter, const std::string& tensor) {
  return "[lora] '" + printable(adapter.file) + "' tensor '" + printable(tensor) + "', ";
}

bool adapts(const AdapterSet& set, const std::string& matrix) {
  return std::ranges::any_of(set.adapters,
                             [&](const Adapter& a) { return a.pairs.contains(matrix); });
}

Result<AdapterStack> stack_adapters(const AdapterSet& set, const AdaptedMatrix& matrix) {
  std::int64_t rank = 1;
  for (const Adapter& adapter : set.adapters) {
    const auto pair = adapter.pairs.find(matrix.name);
    if (pair == adapter.pairs.end()) continue;
    if (auto s = check_pair(adapter, pair->second, matrix); !s) return s.error();
    rank = std::max(rank, pair->second.a.shape()[0]);
  }
  rank = round_up(rank, kRankUnit);
  const auto count = static_cast<std::int64_t>(set.adapters.size()) + 1;
  auto a = Tensor::allocate(DType::kF32, {count, rank, matrix.inputs});
  auto b = Tensor::allocate(DType::kF32, {count, matrix.outputs, rank});
  if (!a) return a.error();
  if (!b) return b.error();
  for (std::int64_t i = 1; i < count; ++i) {
    const Adapter& adapter = set.adapters[static_cast<std::size_t>(i - 1)];
    const auto pair = adapter.pairs.find(matrix.name);
    if (pair == adapter.pairs.end()) continue;
    copy_pair(adapter, pair->second, matrix, rank,
              a->mutable_data<float>() + i * rank * matrix.inputs,
              b->mutable_data<float>() + i * rank * matrix.outputs);
  }
  return AdapterStack{a.take(), b.take()};
}

}  // namespace polaris
