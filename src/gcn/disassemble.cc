#include "gcn/disassemble.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace polaris::gcn {
namespace {

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string range(char kind, int first, int count) {
  if (count == 1) return kind + std::to_string(first);
  return std::string(1, kind) + "[" + std::to_string(first) + ":" +
         std::to_string(first + count - 1) + "]";
}

std::string scalar(const Instruction& in, std::uint16_t code, int dwords) {
  constexpr std::array<const char*, 9> kFloats = {"0.5",  "-0.5", "1.0",  "-1.0",      "2.0",
                                                  "-2.0", "4.0",  "-4.0", "0.15915494"};
  if (code < 102) return range('s', code, dwords);
  if (code == kVccLo || code == kVccHi) {
    return dwords == 2 ? "vcc" : code == kVccLo ? "vcc_lo" : "vcc_hi";
  }
  if (code == kM0) return "m0";
  if (code == kExecLo || code == kExecHi) {
    return dwords == 2 ? "exec" : code == kExecLo ? "exec_lo" : "exec_hi";
  }
  if (code >= kZero && code <= 192) return std::to_string(code - kZero);
  if (code > 192 && code <= 208) return std::to_string(192 - code);
  if (code >= 240 && code <= 248) return kFloats[static_cast<std::size_t>(code - 240)];
  if (code == kVccz) return "src_vccz";
  if (code == kExecz) return "src_execz";
  if (code == kScc) return "src_scc";
  if (code == kLiteral) return hex(in.literal);
  return "?" + std::to_string(code);
}

std::string plain_source(const Instruction& in, std::uint16_t code, int dwords) {
  if (code >= kVgpr0) return range('v', code - kVgpr0, dwords);
  return scalar(in, code, dwords);
}

std::string source(const Instruction& in, int i) {
  const auto at = static_cast<std::size_t>(i);
  const bool absolute = ((in.absolute >> i) & 1) != 0;
  const bool extended = in.sdwa && i < 2 && in.part[at].sign_extend;
  std::string text = extended ? "sext(" : "";
  if (((in.negate >> i) & 1) != 0) text += '-';
  if (absolute) text += '|';
  text += plain_source(in, in.src[at], in.op->src_dwords[at]);
  if (absolute) text += '|';
  if (extended) text += ')';
  return text;
}

std::string part(std::uint8_t select) {
  constexpr std::array<const char*, 7> kNames = {"BYTE_0", "BYTE_1", "BYTE_2", "BYTE_3",
                                                 "WORD_0", "WORD_1", "DWORD"};
  return select < kNames.size() ? kNames[select] : "?";
}

std::string dpp_words(const Instruction& in) {
  const int control = in.dpp_control;
  const std::string amount = std::to_string(control & 15);
  std::string text;
  if (control <= 0xFF) {
    text = " quad_perm:[";
    for (int i = 0; i < 4; ++i) {
      text += (i == 0 ? "" : ",") + std::to_string((control >> (2 * i)) & 3);
    }
    text += "]";
  } else if ((control & 0x1F0) == 0x100) {
    text = " row_shl:" + amount;
  } else if ((control & 0x1F0) == 0x110) {
    text = " row_shr:" + amount;
  } else if ((control & 0x1F0) == 0x120) {
    text = " row_ror:" + amount;
  } else {
    switch (control) {
      case 0x130: text = " wave_shl:1"; break;
      case 0x134: text = " wave_rol:1"; break;
      case 0x138: text = " wave_shr:1"; break;
      case 0x13C: text = " wave_ror:1"; break;
      case 0x140: text = " row_mirror"; break;
      case 0x141: text = " row_half_mirror"; break;
      case 0x142: text = " row_bcast:15"; break;
      case 0x143: text = " row_bcast:31"; break;
      default: text = " ?"; break;
    }
  }
  text += " row_mask:" + hex(in.row_mask) + " bank_mask:" + hex(in.bank_mask);
  return text + (in.bound_zero ? " bound_ctrl:0" : "");
}

std::string modifiers(const Instruction& in) {
  std::string text;
  const bool compares = (in.op->flags & kCompare) != 0;
  if (in.clamp) text += " clamp";
  if (in.multiply == 1) text += " mul:2";
  if (in.multiply == 2) text += " mul:4";
  if (in.multiply == 3) text += " div:2";
  if (in.sdwa) {
    constexpr std::array<const char*, 4> kUnused = {"PAD", "SEXT", "PRESERVE", "?"};
    if (!compares) {
      text += " dst_sel:" + part(in.dst_part) + " dst_unused:UNUSED_" + kUnused[in.dst_unused];
    }
    text += " src0_sel:" + part(in.part[0].select);
    if (in.op->sources > 1) text += " src1_sel:" + part(in.part[1].select);
  }
  if (in.dpp) text += dpp_words(in);
  return text;
}

std::string vector(const Instruction& in) {
  const std::uint8_t flags = in.op->flags;
  const bool compares = (flags & kCompare) != 0;
  std::string name = in.op->name;
  const bool both = in.op->number < 0x1C0 || in.op->number == 0x289;
  const bool one_form =
      in.op->number == 0x142 || in.op->number >= 0x1C0 || (flags & kTrailingConst) != 0;
  if (in.sdwa || in.dpp) {
    // LLVM prints no suffix on comparisons of parts.
    if (!compares) name += in.sdwa ? "_sdwa" : "_dpp";
  } else if (!one_form && both) {
    name += in.encoding == Encoding::kVop3 ? "_e64" : "_e32";
  }
  std::string text = name + " ";
  if (compares) {
    text += scalar(in, in.mask_dst, 2);
  } else if ((flags & kScalarResult) != 0) {
    text += scalar(in, in.dst, 1);
  } else {
    text += range('v', in.dst, in.op->dst_dwords);
    if ((flags & kWritesMask) != 0) text += ", " + scalar(in, in.mask_dst, 2);
  }
  for (int i = 0; i < in.op->sources; ++i) {
    if (i == 1 && in.op->number == 0x117) text += ", " + hex(in.literal);
    text += ", " + source(in, i);
  }
  if (in.op->number == 0x118) text += ", " + hex(in.literal);
  if ((flags & kReadsMask) != 0) text += ", " + scalar(in, in.mask_src, 2);
  return text + modifiers(in);
}

std::string wait(const Instruction& in) {
  std::string text = "s_waitcnt";
  const int vm = in.immediate & 15;
  const int exports = (in.immediate >> 4) & 7;
  const int lgkm = (in.immediate >> 8) & 15;
  if (vm != 15) text += " vmcnt(" + std::to_string(vm) + ")";
  if (exports != 7) text += " expcnt(" + std::to_string(exports) + ")";
  if (lgkm != 15) text += " lgkmcnt(" + std::to_string(lgkm) + ")";
  return text;
}

std::string sopp(const Instruction& in) {
  if (in.op->number == 12) return wait(in);
  std::string text = in.op->name;
  if (in.unit == Unit::kBranch) {
    return text + " " + hex(static_cast<std::uint64_t>(in.address + 4 + in.immediate * 4));
  }
  const bool bare = in.op->number == 1 || in.op->number == 10;
  return bare ? text : text + " " + std::to_string(in.immediate);
}

std::string scalar_op(const Instruction& in) {
  std::string text = std::string(in.op->name) + " ";
  if (in.encoding == Encoding::kSopk) {
    text += scalar(in, in.dst, 1) + ", ";
    if (in.op->number == 18) {
      const int bits = in.immediate;
      return "s_setreg_b32 hwreg(" + std::string((bits & 63) == 1 ? "HW_REG_MODE" : "?") + ", " +
             std::to_string((bits >> 6) & 31) + ", " + std::to_string(((bits >> 11) & 31) + 1) +
             "), " + scalar(in, in.dst, 1);
    }
    // Comparisons print what they compare with as it is read, the others 16 bits.
    return text + hex(static_cast<std::uint16_t>(in.immediate));
  }
  if (in.op->dst_dwords > 0 && in.encoding != Encoding::kSopc) {
    text += scalar(in, in.dst, in.op->dst_dwords) + ", ";
  }
  text += source(in, 0);
  if (in.op->sources > 1) text += ", " + source(in, 1);
  return text;
}

std::string smem(const Instruction& in) {
  std::string text = std::string(in.op->name);
  if (in.op->dst_dwords == 0) return text;
  text += " " + scalar(in, in.dst, in.op->dst_dwords);
  if (in.op->number == 36) return text;
  text += ", " + scalar(in, in.base, in.op->number >= 8 ? 4 : 2) + ", ";
  text += in.immediate_offset ? hex(static_cast<std::uint32_t>(in.immediate))
                              : scalar(in, in.offset, 1);
  return text + (in.glc ? " glc" : "");
}

std::string buffer(const Instruction& in) {
  const int data = std::max(in.op->dst_dwords, in.op->src_dwords[0]);
  std::string text = std::string(in.op->name) + " " + range('v', in.data, data) + ", ";
  text += in.offset_enable ? range('v', in.src[0] - kVgpr0, 1) : std::string("off");
  text += ", " + range('s', in.base, 4) + ", " + scalar(in, in.offset, 1);
  if (in.offset_enable) text += " offen";
  if (in.immediate != 0) text += " offset:" + std::to_string(in.immediate);
  return text + (in.glc ? " glc" : "") + (in.slc ? " slc" : "");
}

std::string flat(const Instruction& in) {
  std::string text = std::string(in.op->name) + " ";
  const std::string address = range('v', in.src[0] - kVgpr0, 2);
  const bool stores = in.op->src_dwords[0] > 0;
  const bool loads = in.op->dst_dwords > 0 && (!stores || in.glc);
  if (loads) text += range('v', in.dst, in.op->dst_dwords) + ", ";
  text += address;
  if (stores) text += ", " + range('v', in.data, in.op->src_dwords[0]);
  return text + (in.glc ? " glc" : "") + (in.slc ? " slc" : "");
}

std::string local(const Instruction& in) {
  std::string text = std::string(in.op->name) + " ";
  const bool loads = in.op->dst_dwords > 0;
  const int stored = in.op->src_dwords[0];
  if (loads) text += range('v', in.dst, in.op->dst_dwords) + ", ";
  text += range('v', in.src[0] - kVgpr0, 1);
  if (stored > 0) text += ", " + range('v', in.data, stored);
  if (in.op->sources == 2) {
    if (stored > 0) text += ", " + range('v', in.data1, stored);
    if (in.offset0 != 0) text += " offset0:" + std::to_string(in.offset0);
    if (in.offset1 != 0) text += " offset1:" + std::to_string(in.offset1);
  } else if (in.immediate != 0) {
    text += " offset:" + std::to_string(in.immediate);
  }
  return text;
}

}  // namespace

std::string disassemble(const Instruction& in) {
  switch (in.encoding) {
    case Encoding::kSop1:
    case Encoding::kSop2:
    case Encoding::kSopk:
    case Encoding::kSopc: return scalar_op(in);
    case Encoding::kSopp: return sopp(in);
    case Encoding::kSmem: return smem(in);
    case Encoding::kVop1:
    case Encoding::kVop2:
    case Encoding::kVopc:
    case Encoding::kVop3: return vector(in);
    case Encoding::kDs: return local(in);
    case Encoding::kMubuf: return buffer(in);
    case Encoding::kFlat: return flat(in);
  }
  return "";
}

}  // namespace polaris::gcn
