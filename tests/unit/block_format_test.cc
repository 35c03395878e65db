#include "tensor/block_format.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

namespace polaris {
namespace {

// Inputs and what gguf.quants (the gguf Python package) makes of them: mixed signs whose largest
// magnitude is positive, all zeros, a growing alternation, small values. The decoded rows are of
// the third block.
constexpr int kBlocks = 4;
constexpr float kInput[kBlocks][32] = {
    {-3.875f, 0.75f,  -2.625f, 2.0f,    -1.375f, 3.25f,   -0.125f, -3.5f,   1.125f,  -2.25f, 2.375f,
     -1.0f,   3.625f, 0.25f,   -3.125f, 1.5f,    -1.875f, 2.75f,   -0.625f, 4.0f,    0.625f, -2.75f,
     1.875f,  -1.5f,  3.125f,  -0.25f,  -3.625f, 1.0f,    -2.375f, 2.25f,   -1.125f, 3.5f},
    {0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f,
     0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f,
     0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f},
    {0.10000000149011612f, -0.20000000298023224f, 0.30000001192092896f, -0.4000000059604645f, 0.5f,
     -0.6000000238418579f, 0.699999988079071f,    -0.800000011920929f,  0.8999999761581421f,  -1.0f,
     1.100000023841858f,   -1.2000000476837158f,  1.2999999523162842f,  -1.399999976158142f,  1.5f,
     -1.600000023841858f,  1.7000000476837158f,   -1.7999999523162842f, 1.899999976158142f,   -2.0f,
     2.0999999046325684f,  -2.200000047683716f,   2.299999952316284f,   -2.4000000953674316f, 2.5f,
     -2.5999999046325684f, 2.700000047683716f,    -2.799999952316284f,  2.9000000953674316f,  -3.0f,
     3.0999999046325684f,  -3.200000047683716f},
    {0.0f,
     0.0008414710173383355f,
     0.0009092974360100925f,
     0.00014112000644672662f,
     -0.0007568025612272322f,
     -0.0009589243563823402f,
     -0.0002794155152514577f,
     0.0006569866091012955f,
     0.0009893582900986075f,
     0.00041211850475519896f,
     -0.00054402113892138f,
     -0.0009999902686104178f,
     -0.0005365729448385537f,
     0.00042016705265268683f,
     0.0009906074265018106f,
     0.0006502878968603909f,
     -0.00028790332726202905f,
     -0.0009613975416868925f,
     -0.0007509872666560113f,
     0.00014987721806392074f,
     0.0009129453101195395f,
     0.0008366556721739471f,
     -8.851309758028947e-06f,
     -0.0008462204714305699f,
     -0.0009055784321390092f,
     -0.0001323517644777894f,
     0.0007625584839843214f,
     0.0009563760249875486f,
     0.00027090581716038287f,
     -0.0006636339239776134f,
     -0.0009880316210910678f,
     -0.00040403768070973456f},
};
constexpr const char* kQ4_0[kBlocks] = {
    "00b8cf379d047be248bf269df36ad148ae15",
    "008088888888888888888888888888888888",
    "6636c848d937d937ea26ea26fb15fb15fc04",
    "1908680f2f99f2f0861d1f7be4f0a43b0f5d",
};
constexpr float kQ4_0Decoded[32] = {0.0f,           0.0f,
                                    0.39990234375f, -0.39990234375f,
                                    0.39990234375f, -0.39990234375f,
                                    0.7998046875f,  -0.7998046875f,
                                    0.7998046875f,  -0.7998046875f,
                                    1.19970703125f, -1.19970703125f,
                                    1.19970703125f, -1.19970703125f,
                                    1.599609375f,   -1.599609375f,
                                    1.599609375f,   -1.599609375f,
                                    1.99951171875f, -1.99951171875f,
                                    1.99951171875f, -1.99951171875f,
                                    2.3994140625f,  -2.3994140625f,
                                    2.3994140625f,  -2.3994140625f,
                                    2.79931640625f, -2.79931640625f,
                                    2.79931640625f, -2.79931640625f,
                                    2.79931640625f, -3.19921875f};
constexpr const char* kQ8_0[kBlocks] = {
    "08288518ad40d467fc9124b94be073089d30c457ec7f14a93cd063f88d20b547dc6f",
    "00000000000000000000000000000000000000000000000000000000000000000000",
    "732604f80cf014e81ce024d82cd034c83cc043b94bb153a95ba163996b9173897b81",
    "8400006b7312a086dd537e34bb81bc357e53db86a113746aff958def617922ac83cd",
};
constexpr float kQ8_0Decoded[32] = {
    0.10076904296875f,   -0.2015380859375f,    0.30230712890625f,   -0.403076171875f,
    0.50384521484375f,   -0.6046142578125f,    0.70538330078125f,   -0.80615234375f,
    0.90692138671875f,   -1.0076904296875f,    1.10845947265625f,   -1.209228515625f,
    1.30999755859375f,   -1.4107666015625f,    1.51153564453125f,   -1.6123046875f,
    1.6878814697265625f, -1.7886505126953125f, 1.8894195556640625f, -1.9901885986328125f,
    2.0909576416015625f, -2.1917266845703125f, 2.2924957275390625f, -2.3932647705078125f,
    2.4940338134765625f, -2.5948028564453125f, 2.6955718994140625f, -2.7963409423828125f,
    2.8971099853515625f, -2.9978790283203125f, 3.0986480712890625f, -3.1994171142578125f};

std::string hex(const std::vector<std::byte>& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::byte b : bytes) {
    out += kDigits[static_cast<int>(b) >> 4];
    out += kDigits[static_cast<int>(b) & 15];
  }
  return out;
}

std::vector<std::byte> encoded(BlockFormat format, const float* in) {
  std::vector<std::byte> out(static_cast<std::size_t>(block_format_info(format).block_bytes));
  encode_blocks(format, in, 32, out.data());
  return out;
}

}  // namespace

TEST_CASE("blocks encode to the bytes of the gguf package") {
  for (int b = 0; b < kBlocks; ++b) {
    CHECK(hex(encoded(BlockFormat::kQ4_0, kInput[b])) == kQ4_0[b]);
    CHECK(hex(encoded(BlockFormat::kQ8_0, kInput[b])) == kQ8_0[b]);
  }
}

TEST_CASE("blocks decode to the values of the gguf package") {
  float out[32];
  decode_blocks(BlockFormat::kQ4_0, encoded(BlockFormat::kQ4_0, kInput[2]).data(), 32, out);
  for (int i = 0; i < 32; ++i) CHECK(out[i] == kQ4_0Decoded[i]);
  decode_blocks(BlockFormat::kQ8_0, encoded(BlockFormat::kQ8_0, kInput[2]).data(), 32, out);
  for (int i = 0; i < 32; ++i) CHECK(out[i] == kQ8_0Decoded[i]);
}

TEST_CASE("many blocks in a row, and their error") {
  std::vector<float> in(32 * 7);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = std::sin(static_cast<float>(i) * 0.7f) * 3;
  const std::pair<BlockFormat, float> formats[] = {{BlockFormat::kQ4_0, 3.0f / 8},
                                                   {BlockFormat::kQ8_0, 3.0f / 127}};
  for (const auto& [format, step] : formats) {
    std::vector<std::byte> bytes(
        static_cast<std::size_t>(7 * block_format_info(format).block_bytes));
    std::vector<float> out(in.size());
    encode_blocks(format, in.data(), static_cast<std::int64_t>(in.size()), bytes.data());
    decode_blocks(format, bytes.data(), static_cast<std::int64_t>(in.size()), out.data());
    for (std::size_t i = 0; i < in.size(); ++i) CHECK(std::fabs(in[i] - out[i]) <= step * 1.01f);
  }
}

TEST_CASE("block formats by name") {
  CHECK(block_format_from_name("q4_0") == BlockFormat::kQ4_0);
  CHECK(block_format_from_name("q8_0") == BlockFormat::kQ8_0);
  CHECK(block_format_from_name("q4_k") == BlockFormat::kQ4_K);
  CHECK(!block_format_from_name("q8_k"));
}

}  // namespace polaris
