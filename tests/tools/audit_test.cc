#include <doctest/doctest.h>

#include <string>

#include "model.h"
#include "report.h"
#include "sim/null_device.h"

using namespace polaris::audit;

namespace {

// As RADV prints it for an RX 580; a loop BB1..BB2 with an inner loop BB2.
constexpr const char* kNested = R"(BB0:
  v_mov_b32_e32 v1, 0                                         ; 7e020280
BB1:
  s_cmp_ge_u32 s1, s7                                         ; bf090701
  s_cbranch_scc1 BB3                                          ; bf850081
BB2:
  v_mac_f32_e32 v1, s12, v8                                   ; 2c100c1c
  s_cbranch_scc0 BB2                                          ; bf850081
  v_mul_lo_u32 v1, v1, v8                                     ; 2c100c1c
  v_mul_lo_u32 v1, v1, v8                                     ; 2c100c1c
  s_branch BB1                                                ; bf82ff7c
BB3:
  s_endpgm                                                    ; bf810000
)";

constexpr const char* kStream = R"(BB0:
  v_mov_b32_e32 v1, 0
BB1:
  buffer_load_dwordx4 v[4:7], v3, s[12:15], 0 offen
  s_waitcnt vmcnt(0)
  v_mac_f32_e32 v1, v4, v5
  s_cbranch_scc1 BB1
  s_endpgm
)";

}  // namespace

TEST_CASE("instructions have the pipe and cost of the card") {
  CHECK(pipe_of("v_mac_f32") == Pipe::kValu);
  CHECK(pipe_of("buffer_load_dwordx4") == Pipe::kVmem);
  CHECK(pipe_of("s_buffer_load_dwordx4") == Pipe::kSmem);
  CHECK(pipe_of("s_add_u32") == Pipe::kSalu);
  CHECK(pipe_of("ds_read_b128") == Pipe::kLds);
  CHECK(cycles_of("v_mac_f32") == 4);
  CHECK(cycles_of("v_fma_f32") == 16);
  CHECK(cycles_of("v_mul_lo_u32") == 16);
  CHECK(cycles_of("v_mul_u32_u24") == 4);
  CHECK(cycles_of("v_rcp_f32") == 16);
  CHECK(cycles_of("v_cvt_f32_ubyte0") == 4);
  CHECK(cycles_of("buffer_load_ushort") == 16);
  CHECK(cycles_of("buffer_load_dwordx4") == 64);
  CHECK(cycles_of("ds_read_b128") == 32);
  CHECK(cycles_of("s_buffer_load_dwordx16") == 16);
}

TEST_CASE("an instruction that the driver writes once for several counts as several") {
  const std::string once = "BB0:\n\tv_mul_f32_e32 v3, v3, v4 ; 0a060903\n";
  const std::string end = "\ts_endpgm ; bf810000\n";
  const std::string line = once.substr(5);
  CHECK(polaris::radv::with_repeats(once + "\t(then repeated 2 times)\n" + end) ==
        once + line + line + end);
  CHECK(polaris::radv::with_repeats(once + end) == once + end);
  CHECK(polaris::radv::with_repeats("(then repeated 2 times)").empty());
}

TEST_CASE("assembly gives blocks, branch targets and waits") {
  const auto program = parse_assembly(kStream);
  REQUIRE(program.size() == 6);
  CHECK(program[0].name == "v_mov_b32");
  CHECK(program[1].block == 1);
  CHECK(program[2].vmem_left == 0);
  CHECK(program[2].lgkm_left == -1);
  CHECK(program[4].target == 1);
}

TEST_CASE("the hot loop is the one with the largest cost of its own") {
  const auto program = parse_assembly(kNested);
  const Range range = hot_loop(program);
  CHECK(range.loop);
  CHECK(program[range.first].name == "s_cmp_ge_u32");
  CHECK(program[range.last].name == "s_branch");
}

TEST_CASE("straight code that outweighs sixteen trips is the hot part") {
  std::string text = "BB0:\n";
  for (int i = 0; i < 17; ++i) text += "  v_add_f32_e32 v0, v0, v1\n";
  const std::string loop = "BB1:\n  s_cbranch_scc1 BB1\n";
  CHECK_FALSE(hot_loop(parse_assembly(text + loop)).loop);
  CHECK(hot_loop(parse_assembly("BB0:\n  v_add_f32_e32 v0, v0, v1\n" + loop)).loop);
}

TEST_CASE("a stream is bound by latency alone and by the memory pipe with enough waves") {
  const auto program = parse_assembly(kStream);
  const Modelled one = model(program, 1);
  CHECK(one.loop);
  CHECK(one.bound == "latency");
  CHECK(one.alone_cycles > 350);
  CHECK(one.alone_cycles < 420);
  const Modelled eight = model(program, 8);
  CHECK(eight.trip_cycles == doctest::Approx(64));
  CHECK(eight.bound == "vmem");
}

TEST_CASE("a program without a loop is one trip") {
  const auto program = parse_assembly("BB0:\n\tv_add_f32_e32 v0, v0, v1\n\ts_endpgm\n");
  const Modelled all = model(program, 8);
  CHECK_FALSE(all.loop);
  CHECK(all.count[0] == 1);
  CHECK(model({}, 8).trip_cycles == 0);
}

TEST_CASE("the ratchet lets 3 percent through, no more, and knows every variant") {
  const Ratchet marks{{"22.3.6", {{"gemv", 100.0}, {"gone", 5.0}}}};
  Row row{.name = "gemv", .mesa = "22.3.6"};
  row.cycles_per_unit = 102.9;
  CHECK(compare(marks, {row}) == std::vector<std::string>{"gone: has a mark that holds nothing"});
  row.cycles_per_unit = 103.1;
  CHECK(compare(marks, {row}).front().find("within 3 %") != std::string::npos);
  row.name = "new";
  CHECK(compare(marks, {row}).front().find("has no mark") != std::string::npos);
  row.mesa = "99.0.0";
  CHECK(compare(marks, {row}).empty());
}

TEST_CASE("with a part of the variants only their marks are compared") {
  const Ratchet marks{{"22.3.6", {{"gemv", 100.0}, {"gone", 5.0}}}};
  Row row{.name = "gemv", .mesa = "22.3.6"};
  row.cycles_per_unit = 100;
  CHECK(compare(marks, {row}, false).empty());
}

TEST_CASE("an update adds, drops and lowers; a mark rises by name alone") {
  const std::map<std::string, double> before = {
      {"conv slow", 100}, {"conv drift", 100}, {"gemv fast", 100}, {"gone", 5}};
  const auto row = [](const std::string& name, double cycles) {
    Row out{.name = name, .mesa = "22.3.6"};
    out.cycles_per_unit = cycles;
    return out;
  };
  const std::vector<Row> rows = {row("conv slow", 120), row("conv drift", 102),
                                 row("gemv fast", 90), row("new", 7)};
  Ratchet ratchet{{"22.3.6", before}};
  auto problems = update(ratchet, rows, {});
  CHECK(ratchet["22.3.6"] ==
        std::map<std::string, double>{
            {"conv slow", 100}, {"conv drift", 100}, {"gemv fast", 90}, {"new", 7}});
  REQUIRE(problems.size() == 1);  // what drifts within the slack is kept without a word
  CHECK(problems[0].find("--raise 'conv slow'") != std::string::npos);

  ratchet["22.3.6"] = before;
  CHECK(update(ratchet, rows, {"slow"}).empty());
  CHECK(ratchet["22.3.6"]["conv slow"] == 120);
  CHECK(ratchet["22.3.6"]["conv drift"] == 100);

  ratchet["22.3.6"] = before;
  CHECK(update(ratchet, {rows[2]}, {}, false).empty());
  CHECK(ratchet["22.3.6"].size() == 4);
  problems = update(ratchet, {rows[2]}, {"nowhere"}, false);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].find("'nowhere'") != std::string::npos);
}

TEST_CASE("what did not compile leaves its mark as it was") {
  Ratchet ratchet{{"22.3.6", {{"gemv", 100}}}};
  CHECK(update(ratchet, {{.name = "gemv", .mesa = "22.3.6", .faults = {"hangs"}}}, {}).empty());
  CHECK(ratchet["22.3.6"]["gemv"] == 100);
}

TEST_CASE("variants that simulated marks hold are left to them, of the same Mesa alone") {
  std::vector<Row> rows = {{.name = "conv", .mesa = "22.3.6"},
                           {.name = "conv 3d", .mesa = "22.3.6"},
                           {.name = "gemv", .mesa = "22.3.6"}};
  const Ratchet simulated = {{"22.3.6", {{"conv @ deep", 2.0}, {"conv @ wide", 1.0}}},
                             {"23.0.0", {{"gemv @ token", 1.0}}}};
  drop_simulated(rows, simulated);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].name == "conv 3d");
  CHECK(rows[1].name == "gemv");

  const std::vector<Row> slower = {
      {.name = "conv @ deep", .mesa = "22.3.6", .cycles_per_unit = 2.1},
      {.name = "conv @ wide", .mesa = "22.3.6", .cycles_per_unit = 1.0}};
  const auto problems = compare(simulated, slower, true, "us, simulated");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].starts_with("conv @ deep: got 2.1"));
  CHECK(problems[0].find("us, simulated, wanted 2.0") != std::string::npos);
}

TEST_CASE("a shader that needs what the card lacks is refused") {
  // Header, then OpCapability Shader and OpCapability Float16.
  const std::vector<std::uint32_t> words{0x07230203, 0x10500, 0, 1, 0, 0x20011, 1, 0x20011, 9};
  const Row row = judge({.name = "half"}, words, {.error = "not compiled"});
  REQUIRE(row.faults.size() == 2);
  CHECK(row.faults[0] == "needs SPIR-V capability 9, which the card lacks");
}

TEST_CASE("rows survive the pipe between processes") {
  Row row{.name = "a", .mesa = "22.3.6", .faults = {"x"}, .vgprs = 16};
  row.hot.bound = "valu";
  row.hot.count = {1, 2, 3, 4, 5};
  CHECK(to_json(from_json(to_json(row))) == to_json(row));
}
