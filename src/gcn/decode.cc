#include "gcn/decode.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

namespace polaris::gcn {
namespace {

constexpr std::uint16_t kSdwaSource = 249;
constexpr std::uint16_t kDppSource = 250;

constexpr std::uint32_t field(std::uint32_t word, int low, int bits) {
  return (word >> low) & ((1U << bits) - 1);
}
constexpr std::uint16_t field16(std::uint32_t word, int low, int bits) {
  return static_cast<std::uint16_t>(field(word, low, bits));
}
constexpr std::uint8_t field8(std::uint32_t word, int low, int bits) {
  return static_cast<std::uint8_t>(field(word, low, bits));
}

const char* encoding_name(Encoding encoding) {
  constexpr std::array<const char*, 13> kNames = {"SOP1", "SOP2",  "SOPK", "SOPC", "SOPP",
                                                  "SMEM", "VOP1",  "VOP2", "VOPC", "VOP3",
                                                  "DS",   "MUBUF", "FLAT"};
  return kNames[static_cast<std::size_t>(encoding)];
}

class Decoder {
 public:
  explicit Decoder(std::span<const std::uint32_t> words) : words_(words) {}

  Result<std::vector<Instruction>> run() {
    while (at_ < words_.size()) {
      in_ = {};
      in_.address = static_cast<std::uint32_t>(at_ * 4);
      in_.bits[0] = words_[at_];
      const Status decoded = one(words_[at_]);
      if (!decoded) return decoded.error();
      at_ += in_.words;
      out_.push_back(in_);
    }
    const Status linked = link();
    if (!linked) return linked.error();
    return std::move(out_);
  }

 private:
  Error fail(const std::string& what) const {
    char at[32];
    std::snprintf(at, sizeof at, " at 0x%x", in_.address);
    return Error::unsupported("[gcn] " + what + at);
  }

  Status choose(Encoding encoding, std::uint32_t number) {
    in_.encoding = encoding;
    in_.op = find_op(encoding, number);
    if (in_.op != nullptr) return Status::success();
    return fail(std::string("opcode ") + std::to_string(number) + " of " + encoding_name(encoding) +
                " is not in the model");
  }

  Result<std::uint32_t> second() {
    if (at_ + 1 >= words_.size()) return Error::invalid("[gcn] code ends inside an instruction");
    in_.words = 2;
    in_.bits[1] = words_[at_ + 1];
    return in_.bits[1];
  }

  /// A literal follows where a source asks for one.
  Status literal() {
    const bool wanted = std::find(in_.src.begin(), in_.src.end(), kLiteral) != in_.src.end() ||
                        (in_.op->flags & kTrailingConst) != 0;
    if (!wanted) return Status::success();
    const Result<std::uint32_t> word = second();
    if (!word) return word.error();
    in_.literal = *word;
    return Status::success();
  }

  Status one(std::uint32_t w) {
    if ((w >> 31) == 0) return vop2(w);
    switch (w >> 26) {
      case 0x30: return smem(w);
      case 0x34: return vop3(w);
      case 0x36: return ds(w);
      case 0x37: return flat(w);
      case 0x38: return mubuf(w);
      default: break;
    }
    if ((w >> 30) == 2) return scalar(w);
    return fail("an encoding that is not in the model");
  }

  Status scalar(std::uint32_t w) {
    in_.unit = Unit::kSalu;
    const std::uint32_t top = w >> 23;
    if (top == 0x17F) return sopp(w);
    if (top == 0x17E) {
      in_.src = {field16(w, 0, 8), field16(w, 8, 8), 0};
      const Status chosen = choose(Encoding::kSopc, field(w, 16, 7));
      return chosen ? literal() : chosen;
    }
    in_.dst = field16(w, 16, 7);
    if (top == 0x17D) {
      in_.src = {field16(w, 0, 8), 0, 0};
      const Status chosen = choose(Encoding::kSop1, field(w, 8, 8));
      return chosen ? literal() : chosen;
    }
    if ((w >> 28) == 0xB) {
      in_.immediate = static_cast<std::int16_t>(w & 0xFFFF);
      const Status chosen = choose(Encoding::kSopk, field(w, 23, 5));
      if (chosen && in_.op->number == 20) return second().ok() ? chosen : fail("cut off");
      return chosen;
    }
    in_.src = {field16(w, 0, 8), field16(w, 8, 8), 0};
    const Status chosen = choose(Encoding::kSop2, field(w, 23, 7));
    return chosen ? literal() : chosen;
  }

  Status sopp(std::uint32_t w) {
    in_.immediate = static_cast<std::int16_t>(w & 0xFFFF);
    const Status chosen = choose(Encoding::kSopp, field(w, 16, 7));
    if (!chosen) return chosen;
    const bool branch = in_.op->number == 2 || (in_.op->number >= 4 && in_.op->number <= 9);
    in_.unit = branch ? Unit::kBranch : Unit::kInternal;
    return chosen;
  }

  Status smem(std::uint32_t w) {
    in_.unit = Unit::kSmem;
    in_.base = static_cast<std::uint16_t>(field(w, 0, 6) * 2);
    in_.dst = field16(w, 6, 7);
    in_.glc = field(w, 16, 1) != 0;
    in_.immediate_offset = field(w, 17, 1) != 0;
    const Result<std::uint32_t> high = second();
    if (!high) return high.error();
    in_.immediate = static_cast<std::int32_t>(field(*high, 0, 20));
    in_.offset = field16(*high, 0, 8);
    return choose(Encoding::kSmem, field(w, 18, 8));
  }

  /// Source 0 of the short vector encodings may ask for a word with more.
  Status extra_word() {
    if (in_.src[0] == kSdwaSource) {
      const Result<std::uint32_t> x = second();
      if (!x) return x.error();
      in_.sdwa = true;
      in_.src[0] = static_cast<std::uint16_t>(kVgpr0 + field(*x, 0, 8));
      in_.dst_part = field8(*x, 8, 3);
      in_.dst_unused = field8(*x, 11, 2);
      in_.clamp = field(*x, 13, 1) != 0;
      in_.part[0] = {field8(*x, 16, 3), field(*x, 19, 1) != 0};
      in_.part[1] = {field8(*x, 24, 3), field(*x, 27, 1) != 0};
      in_.negate = static_cast<std::uint8_t>(field(*x, 20, 1) | field(*x, 28, 1) << 1);
      in_.absolute = static_cast<std::uint8_t>(field(*x, 21, 1) | field(*x, 29, 1) << 1);
      return Status::success();
    }
    if (in_.src[0] == kDppSource) {
      const Result<std::uint32_t> x = second();
      if (!x) return x.error();
      in_.dpp = true;
      in_.src[0] = static_cast<std::uint16_t>(kVgpr0 + field(*x, 0, 8));
      in_.dpp_control = field16(*x, 8, 9);
      in_.bound_zero = field(*x, 19, 1) != 0;
      in_.negate = static_cast<std::uint8_t>(field(*x, 20, 1) | field(*x, 22, 1) << 1);
      in_.absolute = static_cast<std::uint8_t>(field(*x, 21, 1) | field(*x, 23, 1) << 1);
      in_.bank_mask = field8(*x, 24, 4);
      in_.row_mask = field8(*x, 28, 4);
      return Status::success();
    }
    return literal();
  }

  Status vop2(std::uint32_t w) {
    const std::uint32_t top = field(w, 25, 6);
    in_.unit = Unit::kValu;
    in_.dst = field16(w, 17, 8);
    Status chosen;
    if (top == 0x3F) {
      in_.src = {field16(w, 0, 9), kZero, kZero};
      chosen = choose(Encoding::kVop1, 0x140 + field(w, 9, 8));
    } else if (top == 0x3E) {
      in_.src = {field16(w, 0, 9), static_cast<std::uint16_t>(kVgpr0 + field(w, 9, 8)), kZero};
      in_.dst = 0;
      chosen = choose(Encoding::kVopc, field(w, 17, 8));
    } else {
      in_.src = {field16(w, 0, 9), static_cast<std::uint16_t>(kVgpr0 + field(w, 9, 8)), kZero};
      chosen = choose(Encoding::kVop2, 0x100 + top);
    }
    if (!chosen) return chosen;
    if ((in_.op->flags & kScalarResult) != 0) in_.dst = field16(w, 17, 7);
    if ((in_.op->flags & kAccumulates) != 0) {
      in_.src[2] = static_cast<std::uint16_t>(kVgpr0 + in_.dst);
    }
    return extra_word();
  }

  Status vop3(std::uint32_t w) {
    in_.unit = Unit::kValu;
    const Result<std::uint32_t> high = second();
    if (!high) return high.error();
    const std::uint32_t number = field(w, 16, 10);
    const Status chosen = choose(Encoding::kVop3, number);
    if (!chosen) return chosen;
    in_.dst = field16(w, 0, 8);
    in_.clamp = field(w, 15, 1) != 0;
    in_.src = {field16(*high, 0, 9), field16(*high, 9, 9), field16(*high, 18, 9)};
    in_.multiply = field8(*high, 27, 2);
    in_.negate = field8(*high, 29, 3);
    const std::uint8_t flags = in_.op->flags;
    if ((flags & kCompare) != 0) {
      in_.mask_dst = field16(w, 0, 8);
      in_.absolute = field8(w, 8, 3);
    } else if ((flags & kWritesMask) != 0) {
      in_.mask_dst = field16(w, 8, 7);
    } else {
      in_.absolute = field8(w, 8, 3);
    }
    if ((flags & kReadsMask) != 0 && in_.op->sources == 2) in_.mask_src = in_.src[2];
    if ((flags & kAccumulates) != 0) in_.src[2] = static_cast<std::uint16_t>(kVgpr0 + in_.dst);
    return Status::success();
  }

  Status ds(std::uint32_t w) {
    in_.unit = Unit::kLds;
    const Result<std::uint32_t> high = second();
    if (!high) return high.error();
    if (field(w, 16, 1) != 0) return fail("global data share");
    in_.offset0 = field8(w, 0, 8);
    in_.offset1 = field8(w, 8, 8);
    in_.immediate = static_cast<std::int32_t>(field(w, 0, 16));
    in_.src[0] = static_cast<std::uint16_t>(kVgpr0 + field(*high, 0, 8));
    in_.data = field16(*high, 8, 8);
    in_.data1 = field16(*high, 16, 8);
    in_.dst = field16(*high, 24, 8);
    return choose(Encoding::kDs, field(w, 17, 8));
  }

  Status flat(std::uint32_t w) {
    in_.unit = Unit::kVmem;
    const Result<std::uint32_t> high = second();
    if (!high) return high.error();
    in_.glc = field(w, 16, 1) != 0;
    in_.slc = field(w, 17, 1) != 0;
    in_.src[0] = static_cast<std::uint16_t>(kVgpr0 + field(*high, 0, 8));
    in_.data = field16(*high, 8, 8);
    in_.dst = field16(*high, 24, 8);
    return choose(Encoding::kFlat, field(w, 18, 7));
  }

  Status mubuf(std::uint32_t w) {
    in_.unit = Unit::kVmem;
    const Result<std::uint32_t> high = second();
    if (!high) return high.error();
    if (field(w, 16, 1) != 0 || field(*high, 23, 1) != 0) return fail("buffer access to LDS");
    in_.immediate = static_cast<std::int32_t>(field(w, 0, 12));
    in_.offset_enable = field(w, 12, 1) != 0;
    in_.index_enable = field(w, 13, 1) != 0;
    in_.glc = field(w, 14, 1) != 0;
    in_.slc = field(w, 17, 1) != 0;
    in_.src[0] = static_cast<std::uint16_t>(kVgpr0 + field(*high, 0, 8));
    in_.dst = in_.data = field16(*high, 8, 8);
    in_.base = static_cast<std::uint16_t>(field(*high, 16, 5) * 4);
    in_.offset = field16(*high, 24, 8);
    return choose(Encoding::kMubuf, field(w, 18, 7));
  }

  Status link() {
    for (Instruction& in : out_) {
      if (in.unit != Unit::kBranch) continue;
      const std::int64_t to = std::int64_t{in.address} + 4 + std::int64_t{in.immediate} * 4;
      const auto found = std::lower_bound(
          out_.begin(), out_.end(), to,
          [](const Instruction& i, std::int64_t address) { return i.address < address; });
      if (found == out_.end() || found->address != to) {
        in_ = in;
        return fail("a branch to no instruction");
      }
      in.target = static_cast<std::int32_t>(found - out_.begin());
    }
    return Status::success();
  }

  std::span<const std::uint32_t> words_;
  std::size_t at_ = 0;
  Instruction in_;
  std::vector<Instruction> out_;
};

const Op* in_table(std::span<const Op> ops, std::uint32_t number) {
  for (const Op& op : ops) {
    if (op.number == number) return &op;
  }
  return nullptr;
}

constexpr std::array<std::span<const Op> (*)(), 5> kVector = {
    valu_int_ops, valu_float_ops, valu_wide_ops, valu_lane_ops, valu_compare_ops};

}  // namespace

const Op* find_op(Encoding encoding, std::uint32_t number) {
  switch (encoding) {
    case Encoding::kSop1:
    case Encoding::kSop2:
    case Encoding::kSopk:
    case Encoding::kSopc:
    case Encoding::kSopp: return in_table(scalar_ops(encoding), number);
    case Encoding::kSmem: return in_table(smem_ops(), number);
    case Encoding::kDs: return in_table(ds_ops(), number);
    case Encoding::kMubuf: return in_table(buffer_ops(), number);
    case Encoding::kFlat: return in_table(flat_ops(), number);
    case Encoding::kVop1:
    case Encoding::kVop2:
    case Encoding::kVopc:
    case Encoding::kVop3: break;
  }
  for (const auto table : kVector) {
    if (const Op* op = in_table(table(), number)) return op;
  }
  return nullptr;
}

Result<std::vector<Instruction>> decode(std::span<const std::uint32_t> words) {
  return Decoder(words).run();
}

}  // namespace polaris::gcn
