// Choices by condition, and indices of what is chosen.
#include <utility>

#include "load/tflite/importer.h"

namespace polaris::tflite {
namespace {

void choose(OperatorImport& o, ValueId condition) {
  const bool stays = OperatorImport::same_quantization(o.in(1), o.out()) &&
                     OperatorImport::same_quantization(o.in(2), o.out());
  const auto operand = [&](std::size_t i) { return stays ? o.raw(i) : o.real(i); };
  const ValueId y = o.add("Where", {condition, operand(1), operand(2)});
  stays ? o.give_raw(0, y) : o.give(0, y);
}

/// Diagonal of `rows` x `columns` as bools.
ValueId diagonal(OperatorImport& o, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kSideMax = 1 << 14;
  if (rows < 0 || columns < 0 || rows > kSideMax || columns > kSideMax) {
    o.unsupported("sides of the matrix, wanted known ones of at most " + std::to_string(kSideMax));
    return kNoValue;
  }
  Builder& b = o.builder();
  const ValueId whole = b.add("Expand", {b.number(0, DType::kI32), b.ints({rows, columns})});
  return b.cast(b.add("EyeLike", {whole}), DType::kBool);
}

}  // namespace

// A condition of one dim chooses whole rows.
void select(OperatorImport& o) {
  ValueId condition = o.raw(0);
  const int rank = o.rank(1);
  if (o.rank(0) == 1 && rank > 1) {
    std::vector<std::int64_t> axes;
    for (int i = 1; i < rank; ++i) axes.push_back(i);
    condition = o.add("Unsqueeze", {condition, o.builder().ints(axes)});
  }
  choose(o, condition);
}

void select_v2(OperatorImport& o) { choose(o, o.raw(0)); }

void where(OperatorImport& o) {
  if (o.input_count() != 1) return o.fail("inputs, got " + std::to_string(o.input_count()));
  const ValueId condition = o.builder().cast(o.raw(0), DType::kBool);
  const ValueId places = o.builder().transpose(o.add("NonZero", {condition}), {1, 0});
  o.give_raw(0, o.builder().cast(places, o.out_dtype()));
}

void unique(OperatorImport& o) {
  const auto found = o.builder().add_all("Unique", {o.raw(0)}, 3, {{"sorted", false}});
  o.give_raw(0, found[0]);
  if (o.has_output(1)) o.give_raw(1, o.builder().cast(found[2], o.out_dtype(1)));
}

void matrix_diag(OperatorImport& o) {
  Builder& b = o.builder();
  const ValueId x = o.raw(0);
  const std::int64_t n = b.dim(x, -1);
  const ValueId columns = b.add("Unsqueeze", {x, b.ints({-1})});
  o.give_raw(0, b.add("Where", {diagonal(o, n, n), columns, b.number(0, o.dtype(0))}));
}

void matrix_set_diag(OperatorImport& o) {
  Builder& b = o.builder();
  const ValueId x = o.raw(0);
  const std::int64_t rows = b.dim(x, -2);
  const std::int64_t columns = b.dim(x, -1);
  // The diagonal is as long as the shorter side, along which it stands.
  const std::int64_t across = rows <= columns ? -1 : -2;
  const ValueId line = b.add("Unsqueeze", {o.raw(1), b.ints({across})});
  o.give_raw(0, b.add("Where", {diagonal(o, rows, columns), line, x}));
}

}  // namespace polaris::tflite
