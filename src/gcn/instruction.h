#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

/// Machine code of GCN3 (gfx803: POLARIS10) as data. Field layouts and numbers are those of AMD's
/// "Graphics Core Next Architecture, Generation 3" reference guide.
namespace polaris::gcn {

class Wave;
struct Instruction;

enum class Encoding : std::uint8_t {
  kSop1,
  kSop2,
  kSopk,
  kSopc,
  kSopp,
  kSmem,
  kVop1,
  kVop2,
  kVopc,
  kVop3,
  kDs,
  kMubuf,
  kFlat,
};

/// Who executes it: the five kinds that a CU issues side by side, and what needs no unit.
enum class Unit : std::uint8_t { kValu, kSalu, kVmem, kLds, kSmem, kBranch, kInternal };

/// How inline constants and modifiers of a source are read.
enum class Type : std::uint8_t { kB32, kF32, kF16, kB64, kF64 };

enum OpFlag : std::uint8_t {
  kWritesMask = 1,      // a lane mask beside its result: carry, or div_scale's flag
  kReadsMask = 2,       // a lane mask: vcc, or the third source
  kAccumulates = 4,     // reads its destination
  kCompare = 8,         // its only result is a lane mask
  kScalarResult = 16,   // writes a scalar register
  kTrailingConst = 32,  // v_madmk/v_madak: the literal is a source of its own
  kCopies = 64,         // moves bits: an undefined source makes an undefined result, no fault
};

using Run = void (*)(Wave&, const Instruction&);

/// One opcode. VALU opcodes are numbered as in the VOP3 encoding: VOPC from 0, VOP2 from 0x100,
/// VOP1 from 0x140. For memory operations dst_dwords is what is loaded, src_dwords[0] what is
/// stored.
struct Op {
  std::uint16_t number = 0;
  const char* name = nullptr;
  Run run = nullptr;
  Type type = Type::kB32;
  std::uint8_t sources = 0;
  std::uint8_t flags = 0;
  std::uint8_t dst_dwords = 1;
  std::array<std::uint8_t, 3> src_dwords = {1, 1, 1};
};

/// Numbers of scalar sources and destinations.
enum ScalarCode : std::uint16_t {
  kVccLo = 106,
  kVccHi = 107,
  kM0 = 124,
  kExecLo = 126,
  kExecHi = 127,
  kZero = 128,
  kVccz = 251,
  kExecz = 252,
  kScc = 253,
  kLiteral = 255,
  kVgpr0 = 256,
};

/// Sub-dword selection: which part of a register, and how it is widened.
struct SubDword {
  std::uint8_t select = 6;  // 0-3 byte, 4-5 word, 6 the dword
  bool sign_extend = false;
};

struct Instruction {
  const Op* op = nullptr;
  Encoding encoding = Encoding::kSopp;
  Unit unit = Unit::kInternal;
  std::uint32_t address = 0;  // in bytes
  std::uint8_t words = 1;
  std::array<std::uint32_t, 2> bits = {};  // as encoded
  std::uint32_t literal = 0;

  std::array<std::uint16_t, 3> src = {};  // source codes: scalar below 256, VGPRs from kVgpr0
  std::uint16_t dst = 0;                  // VGPR number or scalar code
  std::uint16_t mask_dst = kVccLo;        // scalar pair of kWritesMask and kCompare
  std::uint16_t mask_src = kVccLo;        // scalar pair of kReadsMask
  std::uint8_t negate = 0;                // bit i: source i
  std::uint8_t absolute = 0;
  std::uint8_t multiply = 0;  // output: 0 none, 1 *2, 2 *4, 3 /2
  bool clamp = false;

  bool sdwa = false;
  std::array<SubDword, 2> part;
  std::uint8_t dst_part = 6;
  std::uint8_t dst_unused = 0;  // 0 zeros, 1 the sign, 2 kept

  bool dpp = false;
  std::uint16_t dpp_control = 0;
  std::uint8_t row_mask = 15;
  std::uint8_t bank_mask = 15;
  bool bound_zero = false;  // sources outside of the row or the execution mask read as 0

  std::int32_t immediate = 0;  // of SOPK and SOPP; the offset of memory operations
  std::uint8_t offset0 = 0;    // of DS
  std::uint8_t offset1 = 0;
  bool offset_enable = false;
  bool index_enable = false;
  bool immediate_offset = false;
  bool glc = false;
  bool slc = false;
  std::uint16_t base = 0;    // scalar base or resource
  std::uint16_t offset = 0;  // scalar offset's code
  std::uint16_t data = 0;    // VGPR stored
  std::uint16_t data1 = 0;
  std::int32_t target = -1;  // index of the instruction branched to
};

/// The opcodes of an encoding (all of VALU under kVop3), in order of their numbers.
std::span<const Op> scalar_ops(Encoding encoding);  // SOP*
std::span<const Op> smem_ops();
std::span<const Op> valu_int_ops();
std::span<const Op> valu_float_ops();
std::span<const Op> valu_wide_ops();
std::span<const Op> valu_lane_ops();
std::span<const Op> valu_compare_ops();
std::span<const Op> ds_ops();
std::span<const Op> buffer_ops();
std::span<const Op> flat_ops();

/// Null where the table has none.
const Op* find_op(Encoding encoding, std::uint32_t number);

}  // namespace polaris::gcn
