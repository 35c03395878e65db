#include <bit>
#include <cmath>

#include "gcn/half.h"
#include "gcn/valu.h"

/// Vector comparisons: one bit a lane, lanes off give 0. v_cmpx sets the execution mask as well.
/// An opcode's number says what it asks for: of two operands one is below, equal, above or not to
/// be compared (a NaN), and the low bits of the number name those that count.
namespace polaris::gcn {
namespace {

using U32 = std::uint32_t;
using U64 = std::uint64_t;

constexpr U32 kBelow = 1;
constexpr U32 kEqual = 2;
constexpr U32 kAbove = 4;
constexpr U32 kUnordered = 8;
constexpr U32 kSetsExec = 16;  // in the number of all but the classes

template <class T>
U32 relation(T a, T b) {
  const U32 found = (a < b ? kBelow : 0) | (a == b ? kEqual : 0) | (a > b ? kAbove : 0);
  return found == 0 ? kUnordered : found;
}

void settle(Wave& w, const Instruction& in, const std::uint8_t* lanes, bool sets_exec) {
  const U64 mask = pack_mask(lanes) & w.exec;
  w.set_scalar64(in, in.mask_dst, mask);
  if (sets_exec) w.set_scalar64(in, kExecLo, mask);
}

bool sets_exec(const Instruction& in) { return (in.op->number & kSetsExec) != 0; }

template <class T>
void ints(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  std::uint8_t out[kLanes];
  const U32 wanted = in.op->number & 7;
  const Lanes& a = w.fetch(in, 0, sa);
  const Lanes& b = w.fetch(in, 1, sb);
  for (int i = 0; i < kLanes; ++i) {
    out[i] = (relation(static_cast<T>(a.at[i]), static_cast<T>(b.at[i])) & wanted) != 0 ? 1 : 0;
  }
  settle(w, in, out, sets_exec(in));
}

template <class T>
void wide_ints(Wave& w, const Instruction& in) {
  WideLanes a;
  WideLanes b;
  std::uint8_t out[kLanes];
  const U32 wanted = in.op->number & 7;
  w.fetch64(in, 0, a);
  w.fetch64(in, 1, b);
  for (int i = 0; i < kLanes; ++i) {
    out[i] = (relation(static_cast<T>(a.at[i]), static_cast<T>(b.at[i])) & wanted) != 0 ? 1 : 0;
  }
  settle(w, in, out, sets_exec(in));
}

U32 modified(const Instruction& in, int source, U32 x, bool keep) {
  if (((in.absolute >> source) & 1) != 0) x &= 0x7FFFFFFF;
  if (((in.negate >> source) & 1) != 0) x ^= 0x80000000;
  return keep || (x & 0x7F800000) != 0 ? x : x & 0x80000000;
}

void floats(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  std::uint8_t out[kLanes];
  const U32 wanted = in.op->number & 15;
  const bool keep = w.mode.keep_denorm32;
  const Lanes& a = w.fetch(in, 0, sa);
  const Lanes& b = w.fetch(in, 1, sb);
  for (int i = 0; i < kLanes; ++i) {
    const auto x = std::bit_cast<float>(modified(in, 0, a.at[i], keep));
    const auto y = std::bit_cast<float>(modified(in, 1, b.at[i], keep));
    out[i] = (relation(x, y) & wanted) != 0 ? 1 : 0;
  }
  settle(w, in, out, sets_exec(in));
}

void doubles(Wave& w, const Instruction& in) {
  WideLanes a;
  WideLanes b;
  std::uint8_t out[kLanes];
  const U32 wanted = in.op->number & 15;
  w.fetch64(in, 0, a);
  w.fetch64(in, 1, b);
  for (int i = 0; i < kLanes; ++i) {
    double x = std::bit_cast<double>(a.at[i]);
    double y = std::bit_cast<double>(b.at[i]);
    if ((in.absolute & 1) != 0) x = std::fabs(x);
    if ((in.absolute & 2) != 0) y = std::fabs(y);
    if ((in.negate & 1) != 0) x = -x;
    if ((in.negate & 2) != 0) y = -y;
    out[i] = (relation(x, y) & wanted) != 0 ? 1 : 0;
  }
  settle(w, in, out, sets_exec(in));
}

/// Bits of the class that a float is in, as v_cmp_class asks for them.
U32 class_of(U32 x) {
  const bool negative = (x >> 31) != 0;
  const U32 rest = x & 0x7FFFFFFF;
  if (rest > 0x7F800000) return (rest & 0x400000) != 0 ? 2 : 1;
  if (rest == 0x7F800000) return negative ? 1U << 2 : 1U << 9;
  if (rest >= 0x800000) return negative ? 1U << 3 : 1U << 8;
  if (rest != 0) return negative ? 1U << 4 : 1U << 7;
  return negative ? 1U << 5 : 1U << 6;
}

template <bool Exec>
void classes(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  std::uint8_t out[kLanes];
  const Lanes& a = w.fetch(in, 0, sa);
  const Lanes& b = w.fetch(in, 1, sb);
  for (int i = 0; i < kLanes; ++i) {
    out[i] = (class_of(modified(in, 0, a.at[i], true)) & b.at[i]) != 0 ? 1 : 0;
  }
  settle(w, in, out, Exec);
}

constexpr Op row(int number, const char* name, Run run, Type type, std::uint8_t dwords = 1) {
  Op op = valu(static_cast<std::uint16_t>(number), name, run, 2, type, kCompare);
  op.dst_dwords = 0;
  op.src_dwords = {dwords, dwords, 1};
  return op;
}

// Names are data, so the rows of a type are a list: first number, words of its name, what runs it.
#define POLARIS_INT_ROWS(base, prefix, type, run, dwords)           \
  row((base) + 0, prefix "_f_" type, run, Type::kB32, dwords),      \
      row((base) + 1, prefix "_lt_" type, run, Type::kB32, dwords), \
      row((base) + 2, prefix "_eq_" type, run, Type::kB32, dwords), \
      row((base) + 3, prefix "_le_" type, run, Type::kB32, dwords), \
      row((base) + 4, prefix "_gt_" type, run, Type::kB32, dwords), \
      row((base) + 5, prefix "_ne_" type, run, Type::kB32, dwords), \
      row((base) + 6, prefix "_ge_" type, run, Type::kB32, dwords), \
      row((base) + 7, prefix "_t_" type, run, Type::kB32, dwords)

#define POLARIS_FLOAT_ROWS(base, prefix, type, run, operand, dwords) \
  row((base) + 0, prefix "_f_" type, run, operand, dwords),          \
      row((base) + 1, prefix "_lt_" type, run, operand, dwords),     \
      row((base) + 2, prefix "_eq_" type, run, operand, dwords),     \
      row((base) + 3, prefix "_le_" type, run, operand, dwords),     \
      row((base) + 4, prefix "_gt_" type, run, operand, dwords),     \
      row((base) + 5, prefix "_lg_" type, run, operand, dwords),     \
      row((base) + 6, prefix "_ge_" type, run, operand, dwords),     \
      row((base) + 7, prefix "_o_" type, run, operand, dwords),      \
      row((base) + 8, prefix "_u_" type, run, operand, dwords),      \
      row((base) + 9, prefix "_nge_" type, run, operand, dwords),    \
      row((base) + 10, prefix "_nlg_" type, run, operand, dwords),   \
      row((base) + 11, prefix "_ngt_" type, run, operand, dwords),   \
      row((base) + 12, prefix "_nle_" type, run, operand, dwords),   \
      row((base) + 13, prefix "_neq_" type, run, operand, dwords),   \
      row((base) + 14, prefix "_nlt_" type, run, operand, dwords),   \
      row((base) + 15, prefix "_tru_" type, run, operand, dwords)

constexpr Op kOps[] = {
    row(0x10, "v_cmp_class_f32", classes<false>, Type::kF32),
    row(0x11, "v_cmpx_class_f32", classes<true>, Type::kF32),
    POLARIS_FLOAT_ROWS(0x40, "v_cmp", "f32", floats, Type::kF32, 1),
    POLARIS_FLOAT_ROWS(0x50, "v_cmpx", "f32", floats, Type::kF32, 1),
    POLARIS_FLOAT_ROWS(0x60, "v_cmp", "f64", doubles, Type::kF64, 2),
    POLARIS_FLOAT_ROWS(0x70, "v_cmpx", "f64", doubles, Type::kF64, 2),
    POLARIS_INT_ROWS(0xA0, "v_cmp", "i16", ints<std::int16_t>, 1),
    POLARIS_INT_ROWS(0xA8, "v_cmp", "u16", ints<std::uint16_t>, 1),
    POLARIS_INT_ROWS(0xB0, "v_cmpx", "i16", ints<std::int16_t>, 1),
    POLARIS_INT_ROWS(0xB8, "v_cmpx", "u16", ints<std::uint16_t>, 1),
    POLARIS_INT_ROWS(0xC0, "v_cmp", "i32", ints<std::int32_t>, 1),
    POLARIS_INT_ROWS(0xC8, "v_cmp", "u32", ints<std::uint32_t>, 1),
    POLARIS_INT_ROWS(0xD0, "v_cmpx", "i32", ints<std::int32_t>, 1),
    POLARIS_INT_ROWS(0xD8, "v_cmpx", "u32", ints<std::uint32_t>, 1),
    POLARIS_INT_ROWS(0xE0, "v_cmp", "i64", wide_ints<std::int64_t>, 2),
    POLARIS_INT_ROWS(0xE8, "v_cmp", "u64", wide_ints<std::uint64_t>, 2),
    POLARIS_INT_ROWS(0xF0, "v_cmpx", "i64", wide_ints<std::int64_t>, 2),
    POLARIS_INT_ROWS(0xF8, "v_cmpx", "u64", wide_ints<std::uint64_t>, 2),
};

#undef POLARIS_INT_ROWS
#undef POLARIS_FLOAT_ROWS

}  // namespace

std::span<const Op> valu_compare_ops() { return kOps; }

}  // namespace polaris::gcn
