// Machine code that is kept in a file, for machines without Mesa's compiler.
#include <doctest/doctest.h>

#include <string>

#include "backend/vulkan/kernel.h"
#include "base/os/files.h"
#include "sim/program_cache.h"
#include "sim/program_file.h"
#include "support/process.h"
#include "support/skip.h"

namespace polaris::gcn {
namespace {

constexpr const char* kNoDriver = "/nowhere/icd.json";

vulkan::Dispatch gather(std::uint32_t words) {
  vulkan::Dispatch out;
  out.shader = "attention_grid";
  out.operands.resize(3);
  out.push.resize(words);
  return out;
}

TEST_CASE("programs outlive the compiler in a file") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/polaris10.programs";
  auto compiler = ProgramCache::open(radv::kDefaultIcd, path);
  if (!compiler) {
    test::skip("no Vulkan driver of Mesa for AMD cards");
    return;
  }
  auto made = (*compiler)->get(gather(5));
  REQUIRE(made);
  REQUIRE((*compiler)->save(path));

  auto kept = ProgramCache::open(kNoDriver, path);
  REQUIRE(kept);
  CHECK((*kept)->mesa() == (*compiler)->mesa());
  auto found = (*kept)->get(gather(5));
  REQUIRE(found);
  CHECK((*found)->words == (*made)->words);
  CHECK((*found)->code.size() == (*made)->code.size());
  CHECK((*found)->local == (*made)->local);
  CHECK((*found)->lds_bytes == (*made)->lds_bytes);
  CHECK((*found)->vgprs == (*made)->vgprs);
  CHECK((*found)->sgprs == (*made)->sgprs);
  CHECK((*found)->arguments.push_mask == (*made)->arguments.push_mask);
  CHECK((*found)->arguments.push_words == (*made)->arguments.push_words);
  CHECK((*found)->arguments.descriptors == (*made)->arguments.descriptors);
  CHECK((*found)->arguments.workgroup == (*made)->arguments.workgroup);

  const auto missing = (*kept)->get(gather(6));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message().find("mesa-vulkan-drivers") != std::string::npos);
  // Another run adds to what the file has.
  auto more = ProgramCache::open(radv::kDefaultIcd, path);
  REQUIRE(more);
  REQUIRE((*more)->get(gather(6)));
  REQUIRE((*more)->save(path));
  kept = ProgramCache::open(kNoDriver, path);
  REQUIRE(kept);
  CHECK((*kept)->get(gather(5)));
  CHECK((*kept)->get(gather(6)));
}

TEST_CASE("a damaged file is not written over") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/polaris10.programs";
  REQUIRE(write_file(path, std::string_view("something else")));
  auto compiler = ProgramCache::open(radv::kDefaultIcd, path);
  if (!compiler) {
    test::skip("no Vulkan driver of Mesa for AMD cards");
    return;
  }
  REQUIRE((*compiler)->get(gather(5)));
  CHECK_FALSE((*compiler)->save(path));
  CHECK(*read_file(path, 100) == "something else");
}

TEST_CASE("without a driver and a file there is nothing to take programs from") {
  CHECK_FALSE(ProgramCache::open(kNoDriver));
  CHECK_FALSE(ProgramCache::open(kNoDriver, "/nowhere/polaris10.programs"));
}

TEST_CASE("a damaged file of programs is refused by line") {
  const std::string key(32, 'a');
  const std::string numbers = " 4 16 0 64 1 1 2 3 -1 -1 4 -1 -1 -1 -1 0 ";
  const std::string head = "polaris programs 1 22.3.6\n";
  const std::string good = head + key + numbers + "bf810000\n";
  const auto parsed = parse_programs(good);
  REQUIRE(parsed);
  CHECK(parsed->mesa == "22.3.6");
  REQUIRE(parsed->programs.size() == 1);
  CHECK(print_programs(*parsed) == good);

  const auto refuse = [&](const std::string& text, const std::string& why) {
    CAPTURE(text);
    const auto result = parse_programs(text);
    REQUIRE_FALSE(result);
    CHECK(result.error().message().find(why) != std::string::npos);
  };
  refuse("", "polaris programs");
  refuse("polaris programs 2 22.3.6\n", "polaris programs 1");
  refuse(head + key + " 4 16\n", "line 2, got 3 fields");
  refuse(head + key + " 4 16 0 64 1 1 2 3 x -1 4 -1 -1 -1 -1 0 bf810000\n", "'x', wanted a number");
  refuse(head + key + numbers + "bf81000\n", "8 hexadecimal digits");
  refuse(head + key + numbers + "bf81000g\n", "8 hexadecimal digits");
  refuse(head + key + numbers + "ffffffff\n", "line 2");  // no opcode
  for (const char* bad : {" 257 16 0 64 1 1", " 4 129 0 64 1 1", " 4 16 65537 64 1 1",
                          " 4 16 0 0 1 1", " 4 16 0 64 64 1", " -1 16 0 64 1 1"}) {
    refuse(head + key + bad + " 2 3 -1 -1 4 -1 -1 -1 -1 0 bf810000\n", "that no card has");
  }
  refuse(head + key + " 4 16 0 64 1 1 2 3 -1 -1 102 -1 -1 -1 -1 0 bf810000\n", "that no card has");
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto cut = parse_programs(good.substr(0, size));
    if (cut) CHECK(cut->programs.size() <= 1);
  }
}

}  // namespace
}  // namespace polaris::gcn
