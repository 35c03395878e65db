#include <bit>
#include <string>

#include "gcn/instruction.h"
#include "gcn/wave.h"

/// The scalar unit: SOP1, SOP2, SOPK, SOPC and SOPP. Facts: reference guide, chapter 12.
namespace polaris::gcn {
namespace {

using U32 = std::uint32_t;
using U64 = std::uint64_t;
using S32 = std::int32_t;
using S64 = std::int64_t;

constexpr S32 s32(U32 x) { return static_cast<S32>(x); }
constexpr S64 s64(U64 x) { return static_cast<S64>(x); }
constexpr U32 u32(S32 x) { return static_cast<U32>(x); }

struct Out32 {
  U32 value;
  bool scc;
};
struct Out64 {
  U64 value;
  bool scc;
};
constexpr Out32 nonzero(U32 x) { return {x, x != 0}; }
constexpr Out64 nonzero64(U64 x) { return {x, x != 0}; }

template <auto F>
void two32(Wave& w, const Instruction& in) {
  const U32 a = w.scalar(in, in.src[0]);
  const Out32 out = F(a, w.scalar(in, in.src[1]), w.scc);
  w.scc = out.scc;
  w.set_scalar(in, in.dst, out.value);
}

/// 64-bit shifts and fields: the second source is a dword.
template <auto F>
void by32(Wave& w, const Instruction& in) {
  const U64 a = w.scalar64(in, in.src[0]);
  const Out64 out = F(a, w.scalar(in, in.src[1]));
  w.scc = out.scc;
  w.set_scalar64(in, in.dst, out.value);
}

template <auto F>
void one32(Wave& w, const Instruction& in) {
  const Out32 out = F(w.scalar(in, in.src[0]), w.scc);
  w.scc = out.scc;
  w.set_scalar(in, in.dst, out.value);
}

template <auto F>
void one64(Wave& w, const Instruction& in) {
  const Out64 out = F(w.scalar64(in, in.src[0]), w.scc);
  w.scc = out.scc;
  w.set_scalar64(in, in.dst, out.value);
}

/// 64 bits counted or found: a dword result.
template <auto F>
void count64(Wave& w, const Instruction& in) {
  const Out32 out = F(w.scalar64(in, in.src[0]), w.scc);
  w.scc = out.scc;
  w.set_scalar(in, in.dst, out.value);
}

/// Logic on lane masks: lanes that are off, or that a branch passed by, have no bit of their own,
/// and what compilers make of those is masked out before it is used. So undefined bits go through
/// as such unless the other side decides: F says which results they leave open.
template <auto F>
Bits64 logic(const Bits64& a, const Bits64& b) {
  const U64 value = F(a.value, b.value);
  const U64 open_a = ~a.defined & (F(~U64{0}, b.value) ^ F(U64{0}, b.value));
  const U64 open_b = ~b.defined & (F(a.value, ~U64{0}) ^ F(a.value, U64{0}));
  return {value, ~(open_a | open_b | (~a.defined & ~b.defined))};
}

void set_bits(Wave& w, const Instruction& in, std::uint16_t code, const Bits64& bits, bool wide) {
  w.set_scalar(in, code, static_cast<U32>(bits.value));
  w.mark_scalar(code, static_cast<U32>(bits.defined));
  if (!wide) return;
  const auto high = static_cast<std::uint16_t>(code + 1);
  w.set_scalar(in, high, static_cast<U32>(bits.value >> 32));
  w.mark_scalar(high, static_cast<U32>(bits.defined >> 32));
  if (code == kExecLo && bits.defined != ~U64{0}) {
    w.fault(in, FaultKind::kUnwrittenRegister, "the execution mask");
  }
}

template <auto F, bool Wide>
void logic_op(Wave& w, const Instruction& in) {
  const Bits64 a = w.scalar_bits(in, in.src[0], Wide);
  const Bits64 out = logic<F>(a, w.scalar_bits(in, in.src[1], Wide));
  w.scc = (Wide ? out.value : static_cast<U32>(out.value)) != 0;
  set_bits(w, in, in.dst, out, Wide);
}

/// exec = f(source, exec), the old exec is kept in the destination.
template <auto F>
void save_exec(Wave& w, const Instruction& in) {
  const Bits64 source = w.scalar_bits(in, in.src[0], true);
  const U64 old = w.exec;
  w.set_scalar64(in, in.dst, old);
  set_bits(w, in, kExecLo, logic<F>(source, {old, ~U64{0}}), true);
  w.scc = w.exec != 0;
}

template <int Words>
void move(Wave& w, const Instruction& in, std::uint16_t code) {
  for (int i = 0; i < Words; ++i) {
    const auto step = static_cast<std::uint16_t>(code < kScalars ? i : 0);
    const auto from = static_cast<std::uint16_t>(code + step);
    const U64 value =
        Words == 2 && code >= kScalars ? w.scalar64(in, code) >> (32 * i) : w.scalar(in, from);
    const auto to = static_cast<std::uint16_t>(in.dst + i);
    const U32 written = w.written_bits(from);
    w.set_scalar(in, to, static_cast<U32>(value));
    w.mark_scalar(to, written);
  }
}

template <int Words>
void mov(Wave& w, const Instruction& in) {
  move<Words>(w, in, in.src[0]);
}
template <int Words>
void conditional_mov(Wave& w, const Instruction& in) {
  if (w.scc) move<Words>(w, in, in.src[0]);
}
template <int Words>
void select(Wave& w, const Instruction& in) {
  move<Words>(w, in, w.scc ? in.src[0] : in.src[1]);
}

template <auto F>
void compare32(Wave& w, const Instruction& in) {
  const U32 a = w.scalar(in, in.src[0]);
  w.scc = F(a, w.scalar(in, in.src[1]));
}
template <auto F>
void compare64(Wave& w, const Instruction& in) {
  const U64 a = w.scalar64(in, in.src[0]);
  w.scc = F(a, w.scalar64(in, in.src[1]));
}
template <auto F>
void compare_const(Wave& w, const Instruction& in) {
  w.scc = F(w.scalar(in, in.dst), in.immediate);
}

constexpr auto add_u32 = [](U32 a, U32 b, bool) { return Out32{a + b, a + b < a}; };
constexpr auto sub_u32 = [](U32 a, U32 b, bool) { return Out32{a - b, b > a}; };
constexpr auto add_i32 = [](U32 a, U32 b, bool) {
  const U32 r = a + b;
  return Out32{r, ((~(a ^ b) & (a ^ r)) >> 31) != 0};
};
constexpr auto sub_i32 = [](U32 a, U32 b, bool) {
  const U32 r = a - b;
  return Out32{r, (((a ^ b) & (a ^ r)) >> 31) != 0};
};
constexpr auto addc_u32 = [](U32 a, U32 b, bool c) {
  const U64 r = U64{a} + b + (c ? 1 : 0);
  return Out32{static_cast<U32>(r), r >> 32 != 0};
};
constexpr auto subb_u32 = [](U32 a, U32 b, bool c) {
  const U64 take = U64{b} + (c ? 1 : 0);
  return Out32{static_cast<U32>(a - take), take > a};
};
constexpr auto min_i32 = [](U32 a, U32 b, bool) {
  return Out32{s32(a) < s32(b) ? a : b, s32(a) < s32(b)};
};
constexpr auto min_u32 = [](U32 a, U32 b, bool) { return Out32{a < b ? a : b, a < b}; };
constexpr auto max_i32 = [](U32 a, U32 b, bool) {
  return Out32{s32(a) > s32(b) ? a : b, s32(a) > s32(b)};
};
constexpr auto max_u32 = [](U32 a, U32 b, bool) { return Out32{a > b ? a : b, a > b}; };

constexpr auto and_ = [](U64 a, U64 b) { return a & b; };
constexpr auto or_ = [](U64 a, U64 b) { return a | b; };
constexpr auto xor_ = [](U64 a, U64 b) { return a ^ b; };
constexpr auto andn2 = [](U64 a, U64 b) { return a & ~b; };
constexpr auto orn2 = [](U64 a, U64 b) { return a | ~b; };
constexpr auto nand = [](U64 a, U64 b) { return ~(a & b); };
constexpr auto nor = [](U64 a, U64 b) { return ~(a | b); };
constexpr auto xnor = [](U64 a, U64 b) { return ~(a ^ b); };

constexpr auto lshl32 = [](U32 a, U32 b, bool) { return nonzero(a << (b & 31)); };
constexpr auto lshr32 = [](U32 a, U32 b, bool) { return nonzero(a >> (b & 31)); };
constexpr auto ashr32 = [](U32 a, U32 b, bool) { return nonzero(u32(s32(a) >> (b & 31))); };
constexpr auto lshl64 = [](U64 a, U32 b) { return nonzero64(a << (b & 63)); };
constexpr auto lshr64 = [](U64 a, U32 b) { return nonzero64(a >> (b & 63)); };
constexpr auto ashr64 = [](U64 a, U32 b) {
  return nonzero64(static_cast<U64>(s64(a) >> (b & 63)));
};
constexpr auto bfm32 = [](U32 a, U32 b, bool scc) {
  return Out32{((1U << (a & 31)) - 1) << (b & 31), scc};
};
constexpr auto bfe_u32 = [](U32 a, U32 b, bool) {
  const U32 width = (b >> 16) & 127;
  const U64 field = U64{a} >> (b & 31);
  return nonzero(static_cast<U32>(width >= 32 ? field : field & ((U64{1} << width) - 1)));
};
constexpr auto bfe_i32 = [](U32 a, U32 b, bool) {
  const U32 width = (b >> 16) & 127;
  const U32 shifted = u32(s32(a) >> (b & 31));
  if (width == 0) return Out32{0, false};
  if (width >= 32) return nonzero(shifted);
  return nonzero(u32(s32(shifted << (32 - width)) >> (32 - width)));
};
constexpr auto bfe_u64 = [](U64 a, U32 b) {
  const U32 width = (b >> 16) & 127;
  const U64 field = a >> (b & 63);
  return nonzero64(width >= 64 ? field : field & ((U64{1} << width) - 1));
};
constexpr auto mul = [](U32 a, U32 b, bool scc) { return Out32{a * b, scc}; };
constexpr auto absdiff = [](U32 a, U32 b, bool) {
  const U32 d = a - b;
  return nonzero(s32(d) < 0 ? 0 - d : d);
};

constexpr auto not32 = [](U32 a, bool) { return nonzero(~a); };
constexpr auto not64 = [](U64 a, bool) { return nonzero64(~a); };
constexpr U32 reverse(U32 a) {
  U32 r = 0;
  for (int i = 0; i < 32; ++i) r |= ((a >> i) & 1) << (31 - i);
  return r;
}
constexpr auto brev32 = [](U32 a, bool scc) { return Out32{reverse(a), scc}; };
constexpr auto brev64 = [](U64 a, bool scc) {
  const U64 high = reverse(static_cast<U32>(a));
  return Out64{high << 32 | reverse(static_cast<U32>(a >> 32)), scc};
};
constexpr auto bcnt1_32 = [](U32 a, bool) { return nonzero(u32(std::popcount(a))); };
constexpr auto bcnt1_64 = [](U64 a, bool) { return nonzero(u32(std::popcount(a))); };
constexpr auto bcnt0_32 = [](U32 a, bool) { return nonzero(u32(std::popcount(~a))); };
constexpr auto bcnt0_64 = [](U64 a, bool) { return nonzero(u32(std::popcount(~a))); };
constexpr auto ff1_32 = [](U32 a, bool scc) {
  return Out32{a == 0 ? ~0U : u32(std::countr_zero(a)), scc};
};
constexpr auto ff1_64 = [](U64 a, bool scc) {
  return Out32{a == 0 ? ~0U : u32(std::countr_zero(a)), scc};
};
constexpr auto flbit32 = [](U32 a, bool scc) {
  return Out32{a == 0 ? ~0U : u32(std::countl_zero(a)), scc};
};
constexpr auto flbit64 = [](U64 a, bool scc) {
  return Out32{a == 0 ? ~0U : u32(std::countl_zero(a)), scc};
};
constexpr auto flbit_i32 = [](U32 a, bool scc) {
  const U32 x = s32(a) < 0 ? ~a : a;
  return Out32{x == 0 ? ~0U : u32(std::countl_zero(x)), scc};
};
constexpr auto sext8 = [](U32 a, bool scc) { return Out32{u32(static_cast<std::int8_t>(a)), scc}; };
constexpr auto sext16 = [](U32 a, bool scc) {
  return Out32{u32(static_cast<std::int16_t>(a)), scc};
};
constexpr auto abs32 = [](U32 a, bool) { return nonzero(s32(a) < 0 ? 0 - a : a); };

void bitset0(Wave& w, const Instruction& in) {
  const U32 bit = w.scalar(in, in.src[0]) & 31;
  w.set_scalar(in, in.dst, w.scalar(in, in.dst) & ~(1U << bit));
}
void bitset1(Wave& w, const Instruction& in) {
  const U32 bit = w.scalar(in, in.src[0]) & 31;
  w.set_scalar(in, in.dst, w.scalar(in, in.dst) | 1U << bit);
}
void bitset0_64(Wave& w, const Instruction& in) {
  const U32 bit = w.scalar(in, in.src[0]) & 63;
  w.set_scalar64(in, in.dst, w.scalar64(in, in.dst) & ~(U64{1} << bit));
}
void bitset1_64(Wave& w, const Instruction& in) {
  const U32 bit = w.scalar(in, in.src[0]) & 63;
  w.set_scalar64(in, in.dst, w.scalar64(in, in.dst) | U64{1} << bit);
}

void movk(Wave& w, const Instruction& in) { w.set_scalar(in, in.dst, u32(in.immediate)); }
void cmovk(Wave& w, const Instruction& in) {
  if (w.scc) movk(w, in);
}
void addk(Wave& w, const Instruction& in) {
  const Out32 out = add_i32(w.scalar(in, in.dst), u32(in.immediate), false);
  w.scc = out.scc;
  w.set_scalar(in, in.dst, out.value);
}
void mulk(Wave& w, const Instruction& in) {
  w.set_scalar(in, in.dst, w.scalar(in, in.dst) * u32(in.immediate));
}

constexpr U32 kModeRegister = 1;

U32 mode_bits(const FloatMode& m) {
  return m.round32 | static_cast<U32>(m.round16_64) << 2 | (m.keep_denorm32 ? 0x30U : 0U) |
         (m.keep_denorm16_64 ? 0xC0U : 0U);
}

/// The MODE register's fields that this model knows: rounding and denormals.
void set_mode(Wave& w, const Instruction& in, U32 value) {
  const auto field = u32(in.immediate);
  const U32 offset = (field >> 6) & 31;
  const U32 size = ((field >> 11) & 31) + 1;
  if ((field & 63) != kModeRegister || offset + size > 8) {
    w.fault(in, FaultKind::kUnsupported, "a hardware register other than MODE's float fields");
    return;
  }
  const U32 mask = ((1U << size) - 1) << offset;
  const U32 bits = (mode_bits(w.mode) & ~mask) | ((value << offset) & mask);
  w.mode.round32 = bits & 3;
  w.mode.round16_64 = (bits >> 2) & 3;
  const U32 denorm32 = (bits >> 4) & 3;
  const U32 denorm16_64 = (bits >> 6) & 3;
  if ((denorm32 != 0 && denorm32 != 3) || (denorm16_64 != 0 && denorm16_64 != 3)) {
    w.fault(in, FaultKind::kUnsupported, "denormals kept on one side only");
  }
  w.mode.keep_denorm32 = denorm32 == 3;
  w.mode.keep_denorm16_64 = denorm16_64 == 3;
}
void setreg(Wave& w, const Instruction& in) { set_mode(w, in, w.scalar(in, in.dst)); }

template <auto F>
constexpr auto with_signed = [](U32 a, U32 b) { return F(s32(a), s32(b)); };
constexpr auto eq = [](auto a, auto b) { return a == b; };
constexpr auto lg = [](auto a, auto b) { return a != b; };
constexpr auto gt = [](auto a, auto b) { return a > b; };
constexpr auto ge = [](auto a, auto b) { return a >= b; };
constexpr auto lt = [](auto a, auto b) { return a < b; };
constexpr auto le = [](auto a, auto b) { return a <= b; };
constexpr auto bit0 = [](U32 a, U32 b) { return ((a >> (b & 31)) & 1) == 0; };
constexpr auto bit1 = [](U32 a, U32 b) { return ((a >> (b & 31)) & 1) == 1; };
template <auto F>
constexpr auto k_signed = [](U32 a, S32 k) { return F(s32(a), k); };
template <auto F>
constexpr auto k_unsigned = [](U32 a, S32 k) { return F(a, U32{static_cast<std::uint16_t>(k)}); };

void nothing(Wave&, const Instruction&) {}
void end(Wave& w, const Instruction&) { w.ended = true; }
void barrier(Wave& w, const Instruction&) { w.at_barrier = true; }

void go(Wave& w, const Instruction& in, bool taken) {
  if (taken) w.next = u32(in.target);
}
void branch(Wave& w, const Instruction& in) { go(w, in, true); }
void if_scc0(Wave& w, const Instruction& in) { go(w, in, !w.scc); }
void if_scc1(Wave& w, const Instruction& in) { go(w, in, w.scc); }
void if_vccz(Wave& w, const Instruction& in) { go(w, in, w.scalar64(in, kVccLo) == 0); }
void if_vccnz(Wave& w, const Instruction& in) { go(w, in, w.scalar64(in, kVccLo) != 0); }
void if_execz(Wave& w, const Instruction& in) { go(w, in, w.exec == 0); }
void if_execnz(Wave& w, const Instruction& in) { go(w, in, w.exec != 0); }

/// Fields of a wait: a counter at its largest value waits for nothing.
void waitcnt(Wave& w, const Instruction& in) {
  const auto bits = u32(in.immediate);
  const int vm = static_cast<int>(bits & 15);
  const int lgkm = static_cast<int>((bits >> 8) & 15);
  w.wait(vm == 15 ? 1 << 20 : vm, lgkm == 15 ? 1 << 20 : lgkm);
}

constexpr Op two(std::uint16_t number, const char* name, Run run) {
  return {.number = number, .name = name, .run = run, .sources = 2};
}
constexpr Op wide(std::uint16_t number, const char* name, Run run, std::uint8_t sources = 2) {
  return {.number = number,
          .name = name,
          .run = run,
          .type = Type::kB64,
          .sources = sources,
          .dst_dwords = 2,
          .src_dwords = {2, 2, 1}};
}
constexpr Op one(std::uint16_t number, const char* name, Run run) {
  return {.number = number, .name = name, .run = run, .sources = 1};
}
constexpr Op shift64(std::uint16_t number, const char* name, Run run) {
  Op op = wide(number, name, run);
  op.src_dwords[1] = 1;
  return op;
}
constexpr Op from64(std::uint16_t number, const char* name, Run run) {
  Op op = wide(number, name, run, 1);
  op.dst_dwords = 1;
  return op;
}
constexpr Op copying(Op op) {
  op.flags = kCopies;
  return op;
}

constexpr Op kSop2[] = {
    two(0, "s_add_u32", two32<add_u32>),
    two(1, "s_sub_u32", two32<sub_u32>),
    two(2, "s_add_i32", two32<add_i32>),
    two(3, "s_sub_i32", two32<sub_i32>),
    two(4, "s_addc_u32", two32<addc_u32>),
    two(5, "s_subb_u32", two32<subb_u32>),
    two(6, "s_min_i32", two32<min_i32>),
    two(7, "s_min_u32", two32<min_u32>),
    two(8, "s_max_i32", two32<max_i32>),
    two(9, "s_max_u32", two32<max_u32>),
    copying(two(10, "s_cselect_b32", select<1>)),
    copying(wide(11, "s_cselect_b64", select<2>)),
    two(12, "s_and_b32", logic_op<and_, false>),
    wide(13, "s_and_b64", logic_op<and_, true>),
    two(14, "s_or_b32", logic_op<or_, false>),
    wide(15, "s_or_b64", logic_op<or_, true>),
    two(16, "s_xor_b32", logic_op<xor_, false>),
    wide(17, "s_xor_b64", logic_op<xor_, true>),
    two(18, "s_andn2_b32", logic_op<andn2, false>),
    wide(19, "s_andn2_b64", logic_op<andn2, true>),
    two(20, "s_orn2_b32", logic_op<orn2, false>),
    wide(21, "s_orn2_b64", logic_op<orn2, true>),
    two(22, "s_nand_b32", logic_op<nand, false>),
    wide(23, "s_nand_b64", logic_op<nand, true>),
    two(24, "s_nor_b32", logic_op<nor, false>),
    wide(25, "s_nor_b64", logic_op<nor, true>),
    two(26, "s_xnor_b32", logic_op<xnor, false>),
    wide(27, "s_xnor_b64", logic_op<xnor, true>),
    two(28, "s_lshl_b32", two32<lshl32>),
    shift64(29, "s_lshl_b64", by32<lshl64>),
    two(30, "s_lshr_b32", two32<lshr32>),
    shift64(31, "s_lshr_b64", by32<lshr64>),
    two(32, "s_ashr_i32", two32<ashr32>),
    shift64(33, "s_ashr_i64", by32<ashr64>),
    two(34, "s_bfm_b32", two32<bfm32>),
    two(36, "s_mul_i32", two32<mul>),
    two(37, "s_bfe_u32", two32<bfe_u32>),
    two(38, "s_bfe_i32", two32<bfe_i32>),
    shift64(39, "s_bfe_u64", by32<bfe_u64>),
    two(42, "s_absdiff_i32", two32<absdiff>),
};

constexpr Op kSop1[] = {
    copying(one(0, "s_mov_b32", mov<1>)),
    copying(wide(1, "s_mov_b64", mov<2>, 1)),
    copying(one(2, "s_cmov_b32", conditional_mov<1>)),
    copying(wide(3, "s_cmov_b64", conditional_mov<2>, 1)),
    one(4, "s_not_b32", one32<not32>),
    wide(5, "s_not_b64", one64<not64>, 1),
    one(8, "s_brev_b32", one32<brev32>),
    wide(9, "s_brev_b64", one64<brev64>, 1),
    one(10, "s_bcnt0_i32_b32", one32<bcnt0_32>),
    from64(11, "s_bcnt0_i32_b64", count64<bcnt0_64>),
    one(12, "s_bcnt1_i32_b32", one32<bcnt1_32>),
    from64(13, "s_bcnt1_i32_b64", count64<bcnt1_64>),
    one(16, "s_ff1_i32_b32", one32<ff1_32>),
    from64(17, "s_ff1_i32_b64", count64<ff1_64>),
    one(18, "s_flbit_i32_b32", one32<flbit32>),
    from64(19, "s_flbit_i32_b64", count64<flbit64>),
    one(20, "s_flbit_i32", one32<flbit_i32>),
    one(22, "s_sext_i32_i8", one32<sext8>),
    one(23, "s_sext_i32_i16", one32<sext16>),
    one(24, "s_bitset0_b32", bitset0),
    from64(25, "s_bitset0_b64", bitset0_64),
    one(26, "s_bitset1_b32", bitset1),
    from64(27, "s_bitset1_b64", bitset1_64),
    wide(32, "s_and_saveexec_b64", save_exec<and_>, 1),
    wide(33, "s_or_saveexec_b64", save_exec<or_>, 1),
    wide(34, "s_xor_saveexec_b64", save_exec<xor_>, 1),
    wide(35, "s_andn2_saveexec_b64", save_exec<andn2>, 1),
    wide(36, "s_orn2_saveexec_b64", save_exec<orn2>, 1),
    wide(37, "s_nand_saveexec_b64", save_exec<nand>, 1),
    wide(38, "s_nor_saveexec_b64", save_exec<nor>, 1),
    wide(39, "s_xnor_saveexec_b64", save_exec<xnor>, 1),
    one(48, "s_abs_i32", one32<abs32>),
};

constexpr Op k(std::uint16_t number, const char* name, Run run) {
  return {.number = number, .name = name, .run = run, .sources = 0};
}

constexpr Op kSopk[] = {
    k(0, "s_movk_i32", movk),
    k(1, "s_cmovk_i32", cmovk),
    k(2, "s_cmpk_eq_i32", compare_const<k_signed<eq>>),
    k(3, "s_cmpk_lg_i32", compare_const<k_signed<lg>>),
    k(4, "s_cmpk_gt_i32", compare_const<k_signed<gt>>),
    k(5, "s_cmpk_ge_i32", compare_const<k_signed<ge>>),
    k(6, "s_cmpk_lt_i32", compare_const<k_signed<lt>>),
    k(7, "s_cmpk_le_i32", compare_const<k_signed<le>>),
    k(8, "s_cmpk_eq_u32", compare_const<k_unsigned<eq>>),
    k(9, "s_cmpk_lg_u32", compare_const<k_unsigned<lg>>),
    k(10, "s_cmpk_gt_u32", compare_const<k_unsigned<gt>>),
    k(11, "s_cmpk_ge_u32", compare_const<k_unsigned<ge>>),
    k(12, "s_cmpk_lt_u32", compare_const<k_unsigned<lt>>),
    k(13, "s_cmpk_le_u32", compare_const<k_unsigned<le>>),
    k(14, "s_addk_i32", addk),
    k(15, "s_mulk_i32", mulk),
    k(18, "s_setreg_b32", setreg),
};

constexpr Op compare_op(std::uint16_t number, const char* name, Run run) {
  return {.number = number, .name = name, .run = run, .sources = 2, .dst_dwords = 0};
}

constexpr Op kSopc[] = {
    compare_op(0, "s_cmp_eq_i32", compare32<eq>),
    compare_op(1, "s_cmp_lg_i32", compare32<lg>),
    compare_op(2, "s_cmp_gt_i32", compare32<with_signed<gt>>),
    compare_op(3, "s_cmp_ge_i32", compare32<with_signed<ge>>),
    compare_op(4, "s_cmp_lt_i32", compare32<with_signed<lt>>),
    compare_op(5, "s_cmp_le_i32", compare32<with_signed<le>>),
    compare_op(6, "s_cmp_eq_u32", compare32<eq>),
    compare_op(7, "s_cmp_lg_u32", compare32<lg>),
    compare_op(8, "s_cmp_gt_u32", compare32<gt>),
    compare_op(9, "s_cmp_ge_u32", compare32<ge>),
    compare_op(10, "s_cmp_lt_u32", compare32<lt>),
    compare_op(11, "s_cmp_le_u32", compare32<le>),
    compare_op(12, "s_bitcmp0_b32", compare32<bit0>),
    compare_op(13, "s_bitcmp1_b32", compare32<bit1>),
    wide(18, "s_cmp_eq_u64", compare64<eq>),
    wide(19, "s_cmp_lg_u64", compare64<lg>),
};

constexpr Op kSopp[] = {
    k(0, "s_nop", nothing),
    k(1, "s_endpgm", end),
    k(2, "s_branch", branch),
    k(4, "s_cbranch_scc0", if_scc0),
    k(5, "s_cbranch_scc1", if_scc1),
    k(6, "s_cbranch_vccz", if_vccz),
    k(7, "s_cbranch_vccnz", if_vccnz),
    k(8, "s_cbranch_execz", if_execz),
    k(9, "s_cbranch_execnz", if_execnz),
    k(10, "s_barrier", barrier),
    k(12, "s_waitcnt", waitcnt),
    k(14, "s_sleep", nothing),
    k(15, "s_setprio", nothing),
};

}  // namespace

std::span<const Op> scalar_ops(Encoding encoding) {
  switch (encoding) {
    case Encoding::kSop1: return kSop1;
    case Encoding::kSop2: return kSop2;
    case Encoding::kSopk: return kSopk;
    case Encoding::kSopc: return kSopc;
    case Encoding::kSopp: return kSopp;
    default: return {};
  }
}

}  // namespace polaris::gcn
