#include "gcn/wave.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "gcn/dpp.h"

namespace polaris::gcn {
namespace {

constexpr std::array<std::uint32_t, 9> kFloats32 = {0x3F000000, 0xBF000000, 0x3F800000,
                                                    0xBF800000, 0x40000000, 0xC0000000,
                                                    0x40800000, 0xC0800000, 0x3E22F983};
constexpr std::array<std::uint32_t, 9> kFloats16 = {0x3800, 0xB800, 0x3C00, 0xBC00, 0x4000,
                                                    0xC000, 0x4400, 0xC400, 0x3118};
constexpr std::array<std::uint64_t, 9> kFloats64 = {
    0x3FE0000000000000, 0xBFE0000000000000, 0x3FF0000000000000,
    0xBFF0000000000000, 0x4000000000000000, 0xC000000000000000,
    0x4010000000000000, 0xC010000000000000, 0x3FC45F306DC9C882};

bool is_inline_int(std::uint16_t code) { return code >= kZero && code <= 208; }
std::int32_t inline_int(std::uint16_t code) { return code <= 192 ? code - 128 : 192 - code; }
bool is_inline_float(std::uint16_t code) { return code >= 240 && code <= 248; }

/// A literal has 32 bits: the upper half of a double, the lower of other quads. Those are extended
/// by their sign in instructions of signed numbers and by zeros in all others.
std::uint64_t wide_literal(const Instruction& in) {
  if (in.op->type == Type::kF64) return std::uint64_t{in.literal} << 32;
  if (!std::string_view(in.op->name).ends_with("_i64")) return in.literal;
  return static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(in.literal)});
}

std::uint32_t pick(std::uint32_t value, SubDword part) {
  if (part.select >= 6) return value;
  if (part.select >= 4) {
    const std::uint32_t word = (value >> (16 * (part.select - 4))) & 0xFFFF;
    return part.sign_extend ? static_cast<std::uint32_t>(static_cast<std::int16_t>(word)) : word;
  }
  const std::uint32_t byte = (value >> (8 * part.select)) & 0xFF;
  return part.sign_extend ? static_cast<std::uint32_t>(static_cast<std::int8_t>(byte)) : byte;
}

}  // namespace

std::string vector_name(int index) {
  std::string name = "v";
  return name.append(std::to_string(index));
}

std::string scalar_name(std::uint16_t code) {
  if (code == kVccLo || code == kVccHi) return code == kVccLo ? "vcc_lo" : "vcc_hi";
  if (code == kM0) return "m0";
  std::string name = "s";
  return name.append(std::to_string(code));
}

Wave::Wave(int vgprs, Memory& memory_in, Lds& lds_in, Faults& faults)
    : memory(memory_in),
      lds(lds_in),
      faults_(faults),
      vgpr_(static_cast<std::size_t>(vgprs)),
      vgpr_written_(vgpr_.size()),
      vgpr_pending_(vgpr_.size()) {}

void Wave::start(const std::array<std::uint32_t, 3>& group, std::uint32_t wave_id,
                 std::uint64_t lanes, const FloatMode& float_mode) {
  workgroup = group;
  id = wave_id;
  exec = lanes;
  mode = float_mode;
  scc = ended = at_barrier = false;
  next = 0;
  std::fill(vgpr_written_.begin(), vgpr_written_.end(), 0);
  std::fill(vgpr_pending_.begin(), vgpr_pending_.end(), 0);
  sgpr_written_ = {};
  sgpr_pending_ = {};
  vm_.clear();
  lgkm_.clear();
}

void Wave::fault(const Instruction& in, FaultKind kind, const std::string& text) {
  faults_.add(
      {kind, in.address, workgroup, id, 1, std::string(in.op->name).append(": ").append(text)});
}

std::uint32_t Wave::special(std::uint16_t code) const {
  switch (code) {
    case kVccz: return (sgpr_[kVccLo] | sgpr_[kVccHi]) == 0;
    case kExecz: return exec == 0;
    case kScc: return scc;
    default: return 0;
  }
}

std::uint32_t Wave::inline_constant(const Instruction& in, std::uint16_t code) const {
  if (is_inline_int(code)) return static_cast<std::uint32_t>(inline_int(code));
  if (is_inline_float(code)) {
    const auto i = static_cast<std::size_t>(code - 240);
    return in.op->type == Type::kF16 ? kFloats16[i] : kFloats32[i];
  }
  return code == kLiteral ? in.literal : special(code);
}

std::uint32_t Wave::scalar(const Instruction& in, std::uint16_t code) {
  if (code >= kScalars) return inline_constant(in, code);
  if (code == kExecLo) return static_cast<std::uint32_t>(exec);
  if (code == kExecHi) return static_cast<std::uint32_t>(exec >> 32);
  if (sgpr_pending_[code]) fault(in, FaultKind::kMissingWait, scalar_name(code));
  if (sgpr_written_[code] != ~0U && (in.op->flags & kCopies) == 0) {
    fault(in, FaultKind::kUnwrittenRegister, scalar_name(code));
  }
  return sgpr_[code];
}

Bits64 Wave::scalar_bits(const Instruction& in, std::uint16_t code, bool wide) {
  const auto high = static_cast<std::uint16_t>(code + 1);
  if (code >= kScalars || (wide && high >= kScalars)) {
    return {wide ? scalar64(in, code) : scalar(in, code), ~0ULL};
  }
  if (sgpr_pending_[code] || (wide && sgpr_pending_[high])) {
    fault(in, FaultKind::kMissingWait, scalar_name(code));
  }
  if (code == kExecLo && wide) return {exec, ~0ULL};
  if (code == kExecLo || code == kExecHi) return {scalar(in, code), ~0ULL};
  const std::uint64_t above = wide ? std::uint64_t{sgpr_[high]} << 32 : 0;
  const std::uint64_t written = wide ? std::uint64_t{sgpr_written_[high]} << 32 : ~0ULL << 32;
  return {above | sgpr_[code], written | sgpr_written_[code]};
}

std::uint64_t Wave::scalar64(const Instruction& in, std::uint16_t code) {
  if (is_inline_int(code)) return static_cast<std::uint64_t>(std::int64_t{inline_int(code)});
  if (is_inline_float(code)) return kFloats64[static_cast<std::size_t>(code - 240)];
  if (code == kLiteral) return wide_literal(in);
  if (code >= kScalars) return special(code);
  const std::uint64_t low = scalar(in, code);
  return low | std::uint64_t{scalar(in, static_cast<std::uint16_t>(code + 1))} << 32;
}

void Wave::put_scalar(std::uint16_t code, std::uint32_t value) {
  if (code >= kScalars) return;
  if (code == kExecLo) {
    exec = (exec & 0xFFFFFFFF00000000) | value;
  } else if (code == kExecHi) {
    exec = (exec & 0xFFFFFFFF) | std::uint64_t{value} << 32;
  }
  sgpr_[code] = value;
  sgpr_written_[code] = ~0U;
}

void Wave::set_scalar(const Instruction& in, std::uint16_t code, std::uint32_t value) {
  if (code >= kScalars) {
    fault(in, FaultKind::kUnsupported, "scalar destination " + std::to_string(code));
    return;
  }
  if (sgpr_pending_[code]) {
    fault(in, FaultKind::kMissingWait, "written over: " + scalar_name(code));
  }
  put_scalar(code, value);
}

void Wave::set_scalar64(const Instruction& in, std::uint16_t code, std::uint64_t value) {
  set_scalar(in, code, static_cast<std::uint32_t>(value));
  set_scalar(in, static_cast<std::uint16_t>(code + 1), static_cast<std::uint32_t>(value >> 32));
}

bool Wave::reach_vgpr(const Instruction& in, int index, std::uint64_t lanes) {
  const auto i = static_cast<std::size_t>(index);
  if (i >= vgpr_.size()) {
    fault(in, FaultKind::kUnsupported, vector_name(index).append(" is beyond those allocated"));
    return false;
  }
  if ((vgpr_pending_[i] & lanes) != 0) fault(in, FaultKind::kMissingWait, vector_name(index));
  return true;
}

bool Wave::reach_load(const Instruction& in, int index, Counter counter) {
  const auto i = static_cast<std::size_t>(index);
  if (i >= vgpr_.size() || (vgpr_pending_[i] & exec) == 0) return reach_vgpr(in, index, exec);
  const bool ordered = counter == Counter::kVm || counter == Counter::kLds;
  const auto overtakes = [&](const UnderWay& op) {
    return !op.scalar && i >= op.first && i < std::size_t{op.first} + op.count &&
           (op.lanes & exec) != 0 && !(ordered && op.counter == counter);
  };
  if (std::any_of(vm_.begin(), vm_.end(), overtakes) ||
      std::any_of(lgkm_.begin(), lgkm_.end(), overtakes)) {
    fault(in, FaultKind::kMissingWait, vector_name(index));
  }
  return true;
}

bool Wave::written_vgpr(const Instruction& in, int index, std::uint64_t lanes) {
  const std::uint64_t missing = lanes & ~vgpr_written_[static_cast<std::size_t>(index)];
  if (missing != 0) {
    fault(in, FaultKind::kUnwrittenRegister,
          vector_name(index).append(" lane ").append(std::to_string(std::countr_zero(missing))));
  }
  return true;
}

const Lanes& Wave::fetch(const Instruction& in, int source, Lanes& scratch) {
  const std::uint16_t code = in.src[static_cast<std::size_t>(source)];
  if (code < kVgpr0) {
    const std::uint32_t value = scalar(in, code);
    std::fill(std::begin(scratch.at), std::end(scratch.at), value);
    return scratch;
  }
  const int index = code - kVgpr0;
  const bool permuted = in.dpp && source == 0;
  const bool copies = (in.op->flags & kCopies) != 0;
  const std::uint64_t reads = permuted ? dpp_reads(in, exec) : exec;
  if (!reach_vgpr(in, index, reads)) return scratch;
  if (!copies) written_vgpr(in, index, reads);
  const Lanes& reg = vgpr(index);
  if (permuted) {
    apply_dpp(in, exec, reg, scratch);
    return scratch;
  }
  if (in.sdwa && source < 2 && in.part[static_cast<std::size_t>(source)].select != 6) {
    const SubDword part = in.part[static_cast<std::size_t>(source)];
    for (int i = 0; i < kLanes; ++i) scratch.at[i] = pick(reg.at[i], part);
    return scratch;
  }
  return reg;
}

void Wave::fetch64(const Instruction& in, int source, WideLanes& out) {
  const std::uint16_t code = in.src[static_cast<std::size_t>(source)];
  if (code < kVgpr0) {
    const std::uint64_t value = scalar64(in, code);
    std::fill(std::begin(out.at), std::end(out.at), value);
    return;
  }
  const int index = code - kVgpr0;
  if (!check_vgpr(in, index, exec) || !check_vgpr(in, index + 1, exec)) return;
  const Lanes& low = vgpr(index);
  const Lanes& high = vgpr(index + 1);
  for (int i = 0; i < kLanes; ++i) {
    out.at[i] = low.at[i] | std::uint64_t{high.at[i]} << 32;
  }
}

std::uint64_t Wave::mask_source(const Instruction& in) {
  const Bits64 mask = scalar_bits(in, in.mask_src, true);
  if ((exec & ~mask.defined) != 0) {
    fault(in, FaultKind::kUnwrittenRegister, scalar_name(in.mask_src));
  }
  return mask.value;
}

std::uint64_t Wave::write_mask(const Instruction& in) const {
  return in.dpp ? exec & dpp_writes(in, exec) : exec;
}

void Wave::land(std::uint16_t dst, const Lanes& values, std::uint64_t mask, std::uint64_t defined) {
  Lanes& to = vgpr_[dst];
  if (mask == ~0ULL) {
    to = values;
  } else {
    for (int i = 0; i < kLanes; ++i) {
      const std::uint32_t keep = 0U - static_cast<std::uint32_t>((mask >> i) & 1);
      to.at[i] = (values.at[i] & keep) | (to.at[i] & ~keep);
    }
  }
  vgpr_written_[dst] = (vgpr_written_[dst] & ~mask) | (defined & mask);
}

void Wave::store(const Instruction& in, const Lanes& values, std::uint64_t defined) {
  const std::uint64_t mask = write_mask(in);
  if (!reach_vgpr(in, in.dst, mask)) return;
  if (!in.sdwa || in.dst_part == 6) {
    land(in.dst, values, mask, defined);
    return;
  }
  const int shift = in.dst_part >= 4 ? 16 * (in.dst_part - 4) : 8 * in.dst_part;
  const int width = in.dst_part >= 4 ? 16 : 8;
  const std::uint32_t field = ((1U << width) - 1) << shift;
  Lanes merged;
  for (int i = 0; i < kLanes; ++i) {
    const std::uint32_t part = (values.at[i] << shift) & field;
    std::uint32_t rest = 0;
    if (in.dst_unused == 2) rest = vgpr_[in.dst].at[i] & ~field;
    if (in.dst_unused == 1 && ((part >> (shift + width - 1)) & 1) != 0) {
      rest = shift + width == 32 ? 0 : ~0U << (shift + width);
    }
    merged.at[i] = part | rest;
  }
  // What is kept stays as defined as it was; nobody reads a part alone to tell.
  land(in.dst, merged, mask, defined);
}

void Wave::store64(const Instruction& in, const WideLanes& values) {
  if (!reach_vgpr(in, in.dst, exec) || !reach_vgpr(in, in.dst + 1, exec)) return;
  for (int half = 0; half < 2; ++half) {
    const auto reg = static_cast<std::uint16_t>(in.dst + half);
    Lanes part;
    for (int i = 0; i < kLanes; ++i) {
      part.at[i] = static_cast<std::uint32_t>(values.at[i] >> (32 * half));
    }
    land(reg, part, exec, ~0ULL);
  }
}

void Wave::store_mask(const Instruction& in, std::uint64_t mask) {
  set_scalar64(in, in.mask_dst, mask & exec);
}

void Wave::add_pending(const UnderWay& op) {
  for (std::size_t i = op.first; i < std::size_t{op.first} + op.count; ++i) {
    if (op.scalar && i < sgpr_pending_.size()) sgpr_pending_[i] = true;
    if (!op.scalar && i < vgpr_pending_.size()) vgpr_pending_[i] |= op.lanes;
  }
}

void Wave::clear_pending(const UnderWay& op) {
  for (std::size_t i = op.first; i < std::size_t{op.first} + op.count; ++i) {
    if (op.scalar && i < sgpr_pending_.size()) sgpr_pending_[i] = false;
    if (!op.scalar && i < vgpr_pending_.size()) vgpr_pending_[i] = 0;
  }
}

void Wave::issue(Counter counter, bool scalar_register, int first, int count) {
  const UnderWay op{counter, scalar_register, static_cast<std::uint16_t>(first),
                    static_cast<std::uint16_t>(count), exec};
  add_pending(op);
  if (counter == Counter::kVm || counter == Counter::kFlat) vm_.push_back(op);
  if (counter == Counter::kScalarMemory || counter == Counter::kLds) lgkm_.push_back(op);
  // A flat access counts in both; its registers hang on the vector counter, which it needs too.
  if (counter == Counter::kFlat) lgkm_.push_back({counter, false, 0, 0, 0});
}

/// What is sure to be done once at most `left` are under way (reference guide, chapter 4.4): what
/// is of one kind comes back in order, so an operation with that many of its own kind behind it
/// has. Other kinds overtake it, and scalar loads and flat accesses each other: those are done
/// when all are.
void Wave::finish(std::vector<UnderWay>& list, std::size_t left) {
  if (list.size() <= left) return;
  std::array<std::size_t, 4> behind = {};
  const auto done = [&](const UnderWay& op) {
    const bool ordered = op.counter == Counter::kVm || op.counter == Counter::kLds;
    return left == 0 || (ordered && behind[static_cast<std::size_t>(op.counter)]++ >= left);
  };
  for (std::size_t i = list.size(); i-- > 0;) {
    if (done(list[i])) {
      clear_pending(list[i]);
      list[i].finished = true;
    }
  }
  std::erase_if(list, [](const UnderWay& op) { return op.finished; });
  for (const UnderWay& op : vm_) add_pending(op);
  for (const UnderWay& op : lgkm_) add_pending(op);
}

void Wave::wait(int vm_left, int lgkm_left) {
  finish(vm_, static_cast<std::size_t>(vm_left));
  finish(lgkm_, static_cast<std::size_t>(lgkm_left));
}

}  // namespace polaris::gcn
