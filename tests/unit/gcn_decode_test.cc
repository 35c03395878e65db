#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "gcn/decode.h"
#include "gcn/disassemble.h"
#include "gcn/program.h"

using namespace polaris;
using namespace polaris::gcn;

namespace {

struct Line {
  const char* text;
  std::vector<std::uint32_t> words;
};

}  // namespace

TEST_CASE("each encoding is read as LLVM writes it") {
  const std::vector<Line> lines = {
      {"v_mov_b32_e32 v1, 0x3f800001", {0x7E0202FF, 0x3F800001}},
      {"v_mac_f32_e32 v3, v1, v2", {0x2C060501}},
      {"v_fma_f32 v4, v1, v2, -1.0", {0xD1CB0004, 0x03CE0501}},
      {"v_add_f32_e64 v6, v6, -v6", {0xD1010006, 0x40020D06}},
      {"s_mov_b64 exec, 0xff", {0xBEFE01FF, 0x000000FF}},
      {"v_mov_b32_dpp v8, v0 row_shr:1 row_mask:0xf bank_mask:0xf bound_ctrl:0",
       {0x7E1002FA, 0xFF091100}},
      {"v_add_u32_dpp v8, vcc, v0, v0 quad_perm:[1,0,3,2] row_mask:0xf bank_mask:0xf",
       {0x321000FA, 0xFF00B100}},
      {"v_mov_b32_sdwa v8, v0 dst_sel:BYTE_1 dst_unused:UNUSED_PRESERVE src0_sel:BYTE_0",
       {0x7E1002F9, 0x00001100}},
      {"v_cvt_f32_i32_sdwa v9, sext(v0) dst_sel:DWORD dst_unused:UNUSED_PAD src0_sel:BYTE_1",
       {0x7E120AF9, 0x00090600}},
      {"v_mad_u32_u24 v0, s12, 64, v0", {0xD1C30000, 0x0401800C}},
      {"v_cmp_gt_f32_e64 s[6:7], s5, |v4|", {0xD0440206, 0x00020805}},
      {"v_cmpx_lt_u32_e32 vcc, 5, v0", {0x7DB20085}},
      {"v_readlane_b32 s3, v0, 63", {0xD2890003, 0x00017F00}},
      {"v_madak_f32 v6, v6, v5, 0x3fb5f0e3", {0x300C0B06, 0x3FB5F0E3}},
      {"v_add_u32_e64 v1, s[4:5], v0, 1 clamp", {0xD1198401, 0x00010300}},
      {"v_lshlrev_b64 v[2:3], 3, v[2:3]", {0xD28F0002, 0x00020483}},
      {"v_subb_u32_e32 v1, vcc, v1, v2, vcc", {0x3A020501}},
      {"s_and_saveexec_b64 s[12:13], s[12:13]", {0xBE8C200C}},
      {"s_bfe_u32 s4, s5, 0x80004", {0x9284FF05, 0x00080004}},
      {"s_movk_i32 s7, 0xff80", {0xB007FF80}},
      {"s_buffer_load_dwordx4 s[32:35], s[16:19], 0x2c", {0xC02A0808, 0x0000002C}},
      {"s_load_dwordx2 s[10:11], s[6:7], 0x0", {0xC0060283, 0x00000000}},
      {"s_waitcnt vmcnt(1) lgkmcnt(0)", {0xBF8C0071}},
      {"ds_write_b32 v0, v1", {0xD81A0000, 0x00000100}},
      {"ds_read2st64_b32 v[4:5], v2 offset1:1", {0xD8700100, 0x04000002}},
      {"ds_read_b128 v[8:11], v3 offset:8512", {0xD9FE2140, 0x08000003}},
      {"ds_bpermute_b32 v4, v0, v1", {0xD87E0000, 0x04000100}},
      {"buffer_load_dword v4, v3, s[12:15], 0 offen offset:16 glc", {0xE0505010, 0x80030403}},
      {"buffer_store_dwordx2 v[3:4], off, s[24:27], s13", {0xE0740000, 0x0D060300}},
      {"flat_load_dword v1, v[2:3]", {0xDC500000, 0x01000002}},
      {"flat_store_dword v[2:3], v1", {0xDC700000, 0x00000102}},
      {"s_endpgm", {0xBF810000}},
  };
  for (const Line& line : lines) {
    const auto code = decode(line.words);
    REQUIRE_MESSAGE(code.ok(), line.text);
    REQUIRE(code->size() == 1);
    CHECK(disassemble((*code)[0]) == line.text);
  }
}

TEST_CASE("branches find their instruction, and nothing else") {
  // s_branch over one long instruction, then back to the start.
  const std::vector<std::uint32_t> words = {0xBF820002, 0x7E0202FF, 0x3F800001, 0xBF82FFFC};
  const auto code = decode(words);
  REQUIRE(code.ok());
  REQUIRE(code->size() == 3);
  CHECK((*code)[0].target == 2);
  CHECK((*code)[2].target == 0);
  const auto inside = decode(std::vector<std::uint32_t>{0xBF820001, 0x7E0202FF, 0x3F800001});
  REQUIRE(!inside.ok());
  CHECK(inside.error().message().find("a branch to no instruction") != std::string::npos);
}

TEST_CASE("what the model does not know fails by name") {
  const auto unknown = decode(std::vector<std::uint32_t>{0xBF810000, 0xBF920000});  // s_trap
  REQUIRE(!unknown.ok());
  CHECK(unknown.error().message().find("opcode 18 of SOPP") != std::string::npos);
  CHECK(unknown.error().message().find("0x4") != std::string::npos);
  const auto cut = decode(std::vector<std::uint32_t>{0x7E0202FF});
  REQUIRE(!cut.ok());
  CHECK(cut.error().message().find("inside an instruction") != std::string::npos);
}

TEST_CASE("machine words come from the disassembly's comments") {
  const auto words = machine_words(
      "BB0:\n\tv_mov_b32_e32 v1, 0x3f800001  ; 7e0202ff 3f800001\n"
      "\ts_endpgm   ; bf810000\n");
  REQUIRE(words.ok());
  CHECK(*words == std::vector<std::uint32_t>{0x7E0202FF, 0x3F800001, 0xBF810000});
  CHECK(!machine_words("\ts_endpgm ; bf8100\n").ok());
  CHECK(!machine_words("\ts_endpgm\n").ok());
}

TEST_CASE("arguments follow the driver's conventions") {
  DriverText text;
  text.assembly = "\ts_endpgm ; bf810000\n";
  text.nir =
      "workgroup-size: 64, 2, 1\n"
      "\tvec1 32 con ssa_0 = load_const (0x00000010 = 0.000000)\n"
      "\tvec1 32 con ssa_1 = intrinsic load_push_constant (ssa_0) (base=0, range=32)\n"
      "\tvec3 32 con ssa_4 = intrinsic load_workgroup_id () ()\n"
      "\tvec1 32 con ssa_6 = ishl ssa_4.x, ssa_5\n"
      "\tvec1 32 con ssa_7 = ishl ssa_4.z, ssa_5\n"
      "\tvec3 32 con ssa_9 = intrinsic load_num_workgroups () ()\n"
      "\tvec1 32 con ssa_10 = load_const (0x00000000 = 0.000000)\n"
      "\tvec2 32 con ssa_11 = intrinsic load_push_constant (ssa_10) (base=4, range=32)\n"
      "\tvec1 32 con ssa_77 = intrinsic load_scalar_arg_amd () (base=1)\n";
  text.ir =
      "\ts2: %1:s[0-1],  s1: %2:s[2],  s1: %3:s[3],  s1: %4:s[4],  s1: %5:s[5],  "
      "s2: %6:s[6-7],  s1: %7:s[8],  s1: %8:s[9],  s1: %9:s[10],  v3: %10:v[0-2] = p_startpgm\n";
  const auto program = make_program("test", text);
  REQUIRE(program.ok());
  const Arguments& a = program->arguments;
  CHECK(program->local == std::array<std::uint32_t, 3>{64, 2, 1});
  CHECK(a.descriptors == 2);
  CHECK(a.push_pointer == -1);
  CHECK(a.push_words == 3);
  CHECK(a.push_mask == 0b10110);
  CHECK(a.grid_pointer == 6);
  CHECK(a.workgroup == std::array<int, 3>{8, -1, 9});
  CHECK(a.scratch_offset == 10);
  text.ir = "\ts2: %1:s[0-1],  v3: %10:v[0-2] = p_startpgm\n";
  const auto other = make_program("test", text);
  REQUIRE(!other.ok());
  CHECK(other.error().message().find("not the conventions of Mesa 22.3") != std::string::npos);
}
