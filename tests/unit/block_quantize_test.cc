#include "tensor/block_quantize.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/strings.h"
#include "support/shared_files.h"
#include "support/split_mix.h"
#include "tensor/block_codec.h"
#include "tensor/block_format.h"

namespace polaris {
namespace {

using test::split_mix;

/// `values` of tests/data/make_quantized.py.
std::vector<float> values(const std::string& kind, std::uint64_t seed, std::size_t count) {
  const auto words = [](std::uint64_t from, std::size_t n) {
    const std::vector<std::byte> bytes = split_mix(from, 4 * n);
    std::vector<std::uint32_t> out(n);
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
  };
  const auto w = words(seed, 4 * count);
  const auto powers = words(seed + 1000, count / 32);
  const auto fraction = [&](std::size_t i) {
    return static_cast<float>(w[i] & 0xFFFF) / 65536.0f - 0.5f;
  };
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    float v = fraction(4 * i);
    if (kind != "uniform")
      v = (v + fraction(4 * i + 1)) + (fraction(4 * i + 2) + fraction(4 * i + 3));
    if (kind == "positive") v = std::fabs(v);
    if (kind == "outliers" && w[4 * i] >> 26 == 0) v *= 8;
    if (kind == "scales") {
      v = i / 32 % 9 == 0 ? 0 : std::ldexp(v, static_cast<int>(powers[i / 32] & 7) - 4);
    }
    out[i] = v;
  }
  return out;
}

std::string fnv(const std::vector<std::byte>& bytes) {
  std::uint64_t value = 0xCBF29CE484222325u;
  for (const std::byte b : bytes) {
    value = (value ^ std::to_integer<std::uint64_t>(b)) * 0x100000001B3u;
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

std::vector<std::byte> quantized(BlockFormat format, const std::vector<float>& in) {
  const BlockFormatInfo& info = block_format_info(format);
  const auto count = static_cast<std::int64_t>(in.size());
  std::vector<std::byte> out(
      static_cast<std::size_t>(count / info.block_elements * info.block_bytes));
  quantize_blocks(format, in.data(), count, out.data());
  return out;
}

double squared_error(BlockFormat format, const std::vector<float>& in) {
  std::vector<float> back(in.size());
  decode_blocks(format, quantized(format, in).data(), static_cast<std::int64_t>(in.size()),
                back.data());
  double error = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double off = static_cast<double>(back[i]) - static_cast<double>(in[i]);
    error += off * off;
  }
  return error;
}

TEST_CASE("blocks of weights are those of the gguf package, or no worse than llama.cpp's") {
  std::set<std::string> seen;
  for (const auto& row : test::read_table("data/quantized_expected.tsv")) {
    INFO(row[0], " of ", row[1]);
    const auto format = block_format_from_name(row[0]);
    REQUIRE(format);
    REQUIRE(quantizes(*format));
    seen.insert(row[0]);
    const auto in = values(row[1], static_cast<std::uint64_t>(*parse_i64(row[2])),
                           static_cast<std::size_t>(*parse_i64(row[3])));
    if (row[4] != "-") CHECK(fnv(quantized(*format, in)) == row[4]);
    CHECK(squared_error(*format, in) <= 1.0000001 * *parse_f64(row[5]));
  }
  for (int i = 0; i < kBlockFormatCount; ++i) {
    const auto format = static_cast<BlockFormat>(i);
    CHECK(seen.contains(std::string(block_format_info(format).name)) == quantizes(format));
  }
}

TEST_CASE("blocks of values at the ends of the range decode to finite numbers") {
  for (int i = 0; i < kBlockFormatCount; ++i) {
    const auto format = static_cast<BlockFormat>(i);
    if (!quantizes(format)) continue;
    CAPTURE(block_format_info(format).name);
    // Nothing but zeros, one value alone, equal values, and those too small for a float16 scale.
    for (const float value : {0.0f, 1.0f, -1.0f, 1e-9f, -1e-42f, 30000.0f}) {
      CAPTURE(value);
      std::vector<float> alone(256, 0.0f);
      alone[77] = value;
      const double slack = 2e-7 * 2e-7 * 256 * 64 + 1e-4 * static_cast<double>(value * value);
      CHECK(squared_error(format, alone) <= slack);
      const double equal = squared_error(format, std::vector<float>(256, value));
      CHECK(equal <= 256 * slack);
    }
  }
}

TEST_CASE("blocks of caches are written whatever the values are") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (int i = 0; i < kBlockFormatCount; ++i) {
    const auto format = static_cast<BlockFormat>(i);
    if (!encodes(format)) continue;
    const BlockFormatInfo& info = block_format_info(format);
    CAPTURE(info.name);
    const auto written = [&](const std::vector<float>& in) {
      std::vector<std::byte> block(static_cast<std::size_t>(info.block_bytes));
      encode_blocks(format, in.data(), info.block_elements, block.data());
      std::vector<float> back(in.size());
      decode_blocks(format, block.data(), info.block_elements, back.data());
      return back;
    };
    // What is no number counts for nothing, and its neighbours stay what they are.
    std::vector<float> ones(static_cast<std::size_t>(info.block_elements), 1.0f);
    ones[5] = std::numeric_limits<float>::quiet_NaN();
    for (std::size_t k = 0; k < ones.size(); ++k) {
      if (k != 5) CHECK(std::fabs(written(ones)[k] - 1.0f) < 0.01f);
    }
    // Values whose scale has no inverse are zeros.
    for (const float value : {1e-45f, -1e-42f, 1e-39f}) {
      for (const float b : written(std::vector<float>(ones.size(), value))) CHECK(b == 0.0f);
    }
    for (const float value : {kInfinity, -kInfinity}) {
      ones[5] = value;
      CHECK(written(ones).size() == ones.size());  // sanitizers see to the rest
    }
  }
}

}  // namespace
}  // namespace polaris
