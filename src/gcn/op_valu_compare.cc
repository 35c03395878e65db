#include <bit>
#include <cmath>

#include "gcn/half.h"
#include "gcn/valu.h"

/// Vector comparisons: one bit a lane, lanes off give 0. v_cmpx sets the execution mask as well.
namespace polaris::gcn {
namespace {

using U32 = std::uint32_t;
using U64 = std::uint64_t;

/// Relations by their place in the opcode: integers have 8, floats these and their negations.
enum Relation { kFalse, kLess, kEqual, kLessEqual, kGreater, kOther, kGreaterEqual, kTrue };

template <int R, class T>
bool holds(T a, T b) {
  switch (R) {
    case kLess: return a < b;
    case kEqual: return a == b;
    case kLessEqual: return a <= b;
    case kGreater: return a > b;
    case kOther: return a < b || a > b;
    case kGreaterEqual: return a >= b;
    case kTrue: return true;  // of floats: ordered
    default: return false;
  }
}

template <int R, class T>
bool float_holds(T a, T b) {
  // 0-7: false, lt, eq, le, gt, lg, ge, ordered; 8-15: the negation of 15 minus that place.
  constexpr bool kNegated = R >= 8;
  constexpr int kBase = kNegated ? 15 - R : R;
  const bool ordered = a == a && b == b;
  const bool base = kBase == 7 ? ordered : holds<kBase>(a, b);
  return base != kNegated;
}

void settle(Wave& w, const Instruction& in, const std::uint8_t* lanes, bool sets_exec) {
  const U64 mask = pack_mask(lanes) & w.exec;
  w.set_scalar64(in, in.mask_dst, mask);
  if (sets_exec) w.set_scalar64(in, kExecLo, mask);
}

template <class T, int R, bool Exec>
void ints(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  std::uint8_t out[kLanes];
  const Lanes& a = w.fetch(in, 0, sa);
  const Lanes& b = w.fetch(in, 1, sb);
  for (int i = 0; i < kLanes; ++i) {
    out[i] = holds<R>(static_cast<T>(a.at[i]), static_cast<T>(b.at[i])) ? 1 : 0;
  }
  settle(w, in, out, Exec);
}

template <class T, int R, bool Exec>
void wide_ints(Wave& w, const Instruction& in) {
  WideLanes a;
  WideLanes b;
  std::uint8_t out[kLanes];
  w.fetch64(in, 0, a);
  w.fetch64(in, 1, b);
  for (int i = 0; i < kLanes; ++i) {
    out[i] = holds<R>(static_cast<T>(a.at[i]), static_cast<T>(b.at[i])) ? 1 : 0;
  }
  settle(w, in, out, Exec);
}

U32 modified(const Instruction& in, int source, U32 x, bool keep) {
  if (((in.absolute >> source) & 1) != 0) x &= 0x7FFFFFFF;
  if (((in.negate >> source) & 1) != 0) x ^= 0x80000000;
  return keep || (x & 0x7F800000) != 0 ? x : x & 0x80000000;
}

template <int R, bool Exec>
void floats(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  std::uint8_t out[kLanes];
  const bool keep = w.mode.keep_denorm32;
  const Lanes& a = w.fetch(in, 0, sa);
  const Lanes& b = w.fetch(in, 1, sb);
  for (int i = 0; i < kLanes; ++i) {
    const auto x = std::bit_cast<float>(modified(in, 0, a.at[i], keep));
    const auto y = std::bit_cast<float>(modified(in, 1, b.at[i], keep));
    out[i] = float_holds<R>(x, y) ? 1 : 0;
  }
  settle(w, in, out, Exec);
}

template <int R, bool Exec>
void doubles(Wave& w, const Instruction& in) {
  WideLanes a;
  WideLanes b;
  std::uint8_t out[kLanes];
  w.fetch64(in, 0, a);
  w.fetch64(in, 1, b);
  for (int i = 0; i < kLanes; ++i) {
    double x = std::bit_cast<double>(a.at[i]);
    double y = std::bit_cast<double>(b.at[i]);
    if ((in.absolute & 1) != 0) x = std::fabs(x);
    if ((in.absolute & 2) != 0) y = std::fabs(y);
    if ((in.negate & 1) != 0) x = -x;
    if ((in.negate & 2) != 0) y = -y;
    out[i] = float_holds<R>(x, y) ? 1 : 0;
  }
  settle(w, in, out, Exec);
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

// Names are data, so the rows of a type are a list: base number, type in words, what runs it.
#define POLARIS_INT_ROWS(base, prefix, type, run, ctype, kind, dwords)              \
  row((base) + 0, prefix "_f_" type, run<ctype, 0, kind>, Type::kB32, dwords),      \
      row((base) + 1, prefix "_lt_" type, run<ctype, 1, kind>, Type::kB32, dwords), \
      row((base) + 2, prefix "_eq_" type, run<ctype, 2, kind>, Type::kB32, dwords), \
      row((base) + 3, prefix "_le_" type, run<ctype, 3, kind>, Type::kB32, dwords), \
      row((base) + 4, prefix "_gt_" type, run<ctype, 4, kind>, Type::kB32, dwords), \
      row((base) + 5, prefix "_ne_" type, run<ctype, 5, kind>, Type::kB32, dwords), \
      row((base) + 6, prefix "_ge_" type, run<ctype, 6, kind>, Type::kB32, dwords), \
      row((base) + 7, prefix "_t_" type, run<ctype, 7, kind>, Type::kB32, dwords)

#define POLARIS_FLOAT_ROWS(base, prefix, type, run, kind, operand, dwords)   \
  row((base) + 0, prefix "_f_" type, run<0, kind>, operand, dwords),         \
      row((base) + 1, prefix "_lt_" type, run<1, kind>, operand, dwords),    \
      row((base) + 2, prefix "_eq_" type, run<2, kind>, operand, dwords),    \
      row((base) + 3, prefix "_le_" type, run<3, kind>, operand, dwords),    \
      row((base) + 4, prefix "_gt_" type, run<4, kind>, operand, dwords),    \
      row((base) + 5, prefix "_lg_" type, run<5, kind>, operand, dwords),    \
      row((base) + 6, prefix "_ge_" type, run<6, kind>, operand, dwords),    \
      row((base) + 7, prefix "_o_" type, run<7, kind>, operand, dwords),     \
      row((base) + 8, prefix "_u_" type, run<8, kind>, operand, dwords),     \
      row((base) + 9, prefix "_nge_" type, run<9, kind>, operand, dwords),   \
      row((base) + 10, prefix "_nlg_" type, run<10, kind>, operand, dwords), \
      row((base) + 11, prefix "_ngt_" type, run<11, kind>, operand, dwords), \
      row((base) + 12, prefix "_nle_" type, run<12, kind>, operand, dwords), \
      row((base) + 13, prefix "_neq_" type, run<13, kind>, operand, dwords), \
      row((base) + 14, prefix "_nlt_" type, run<14, kind>, operand, dwords), \
      row((base) + 15, prefix "_tru_" type, run<15, kind>, operand, dwords)

constexpr Op kOps[] = {
    row(0x10, "v_cmp_class_f32", classes<false>, Type::kF32),
    row(0x11, "v_cmpx_class_f32", classes<true>, Type::kF32),
    POLARIS_FLOAT_ROWS(0x40, "v_cmp", "f32", floats, false, Type::kF32, 1),
    POLARIS_FLOAT_ROWS(0x50, "v_cmpx", "f32", floats, true, Type::kF32, 1),
    POLARIS_FLOAT_ROWS(0x60, "v_cmp", "f64", doubles, false, Type::kF64, 2),
    POLARIS_FLOAT_ROWS(0x70, "v_cmpx", "f64", doubles, true, Type::kF64, 2),
    POLARIS_INT_ROWS(0xA0, "v_cmp", "i16", ints, std::int16_t, false, 1),
    POLARIS_INT_ROWS(0xA8, "v_cmp", "u16", ints, std::uint16_t, false, 1),
    POLARIS_INT_ROWS(0xB0, "v_cmpx", "i16", ints, std::int16_t, true, 1),
    POLARIS_INT_ROWS(0xB8, "v_cmpx", "u16", ints, std::uint16_t, true, 1),
    POLARIS_INT_ROWS(0xC0, "v_cmp", "i32", ints, std::int32_t, false, 1),
    POLARIS_INT_ROWS(0xC8, "v_cmp", "u32", ints, std::uint32_t, false, 1),
    POLARIS_INT_ROWS(0xD0, "v_cmpx", "i32", ints, std::int32_t, true, 1),
    POLARIS_INT_ROWS(0xD8, "v_cmpx", "u32", ints, std::uint32_t, true, 1),
    POLARIS_INT_ROWS(0xE0, "v_cmp", "i64", wide_ints, std::int64_t, false, 2),
    POLARIS_INT_ROWS(0xE8, "v_cmp", "u64", wide_ints, std::uint64_t, false, 2),
    POLARIS_INT_ROWS(0xF0, "v_cmpx", "i64", wide_ints, std::int64_t, true, 2),
    POLARIS_INT_ROWS(0xF8, "v_cmpx", "u64", wide_ints, std::uint64_t, true, 2),
};

#undef POLARIS_INT_ROWS
#undef POLARIS_FLOAT_ROWS

}  // namespace

std::span<const Op> valu_compare_ops() { return kOps; }

}  // namespace polaris::gcn
