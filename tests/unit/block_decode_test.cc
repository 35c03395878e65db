#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "base/strings.h"
#include "support/shared_files.h"
#include "support/split_mix.h"
#include "tensor/block_format.h"

namespace polaris {
namespace {

constexpr std::uint16_t kEdges[] = {0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x3c00,
                                    0x7bff, 0x7c00, 0xfc00, 0x7e01, 0xbc01};

void set_edges(std::vector<std::byte>& data, std::size_t blocks, const std::string& where) {
  const std::size_t bytes = data.size() / blocks;
  constexpr std::size_t kCount = std::size(kEdges);
  for (std::size_t b = 0; b < blocks; ++b) {
    std::byte* start = data.data() + b * bytes;
    if (where == "spread") {
      for (int i = 0; i < 4; ++i) {
        std::byte& byte = start[48 + 2 * i + 1];
        byte = (byte & std::byte{15}) |
               static_cast<std::byte>(((kEdges[b % kCount] >> (4 * i)) & 15) << 4);
      }
      continue;
    }
    std::size_t i = 0;
    for (const std::string_view at : split(where, ',')) {
      const std::uint16_t half = kEdges[(b + i * (1 + b / kCount)) % kCount];
      const auto offset = static_cast<std::size_t>(*parse_i64(at));
      start[offset] = static_cast<std::byte>(half & 255);
      start[offset + 1] = static_cast<std::byte>(half >> 8);
      ++i;
    }
  }
}

std::string fnv(const std::vector<float>& floats) {
  std::uint64_t value = 0xCBF29CE484222325u;
  for (const float f : floats) {
    const std::uint32_t word = std::isnan(f) ? 0x7FC00000u : std::bit_cast<std::uint32_t>(f);
    value = (value ^ word) * 0x100000001B3u;
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

TEST_CASE("blocks of every format decode to the bits of the gguf package") {
  std::set<std::string> seen;
  for (const auto& row : test::read_table("data/blocks_expected.tsv")) {
    INFO(row[0], " seed ", row[1], ", scales ", row[3]);
    const auto format = block_format_from_name(row[0]);
    REQUIRE(format);
    seen.insert(row[0]);
    const BlockFormatInfo& info = block_format_info(*format);
    const auto blocks = static_cast<std::size_t>(*parse_i64(row[2]));
    const auto seed = static_cast<std::uint64_t>(*parse_i64(row[1]));
    auto data = test::split_mix(seed, blocks * static_cast<std::size_t>(info.block_bytes));
    if (row[3] != "random") set_edges(data, blocks, row[3]);
    std::vector<float> out(blocks * static_cast<std::size_t>(info.block_elements));
    decode_blocks(*format, data.data(), static_cast<std::int64_t>(out.size()), out.data());
    CHECK(fnv(out) == row[4]);
  }
  for (int i = 0; i < kBlockFormatCount; ++i) {
    CHECK(seen.contains(std::string(block_format_info(static_cast<BlockFormat>(i)).name)));
  }
}

}  // namespace polaris
