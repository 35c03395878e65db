#include <doctest/doctest.h>

#include <functional>

#include "base/os/memory_info.h"
#include "load/load.h"
#include "support/gguf_builder.h"
#include "support/onnx_builder.h"
#include "wire/npy.h"

namespace polaris {
namespace {

using Bytes = std::vector<std::byte>;

// The same numbers on every machine and in every build.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t limit) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % limit;
  }

 private:
  std::uint64_t state_;
};

struct Sample {
  const char* name;
  Bytes bytes;
};

Bytes text_sample() {
  constexpr std::string_view kText = R"(state s : float32[2] = [1, 2]
graph a {
  symbol T bucketed 8
  input %x : float32[T, 2]
  state %s : float32[2]
  %y = Add(%x, %s) : float32[T, 2]
  output %y "out"
}
graph b { state %m : float32[2] named "s" update %m = %m }
)";
  const auto bytes = std::as_bytes(std::span(kText));
  return {bytes.begin(), bytes.end()};
}

std::vector<Sample> samples() {
  test::TinyLlama plain;
  plain.layers = 1;
  plain.width = 8;
  plain.feed_forward = 8;
  plain.heads = 2;
  plain.kv_heads = 1;
  plain.vocab = 8;
  test::TinyLlama blocks;
  blocks.layers = 1;
  blocks.weight_type = 2;
  blocks.tied = true;
  auto tensor = Tensor::allocate(DType::kI16, Shape{3, 2});
  REQUIRE(tensor.ok());
  return {{"llama f32", test::tiny_llama(plain).file()},
          {"llama q4_0", test::tiny_llama(blocks).file()},
          {"onnx", test::sample_onnx()},
          {"text", text_sample()},
          {"npy", *format_npy(*tensor)}};
}

// Every outcome is fine but a crash, an empty message or an error that blames our own code.
void try_load(const Bytes& bytes, const OpSet& ops) {
  if (const auto tensor = read_npy(bytes); !tensor) CHECK(!tensor.error().message().empty());
  LoadOptions options;
  options.arch.context_max = 256;
  Source source = Source::in_memory("mutant", bytes);
  const auto model = load_model(source, ops, options);
  if (model) return;
  const bool ours = model.error().code() == ErrorCode::kInternal;
  if (model.error().message().empty() || ours) FAIL_CHECK(model.error().message());
}

TEST_CASE("files cut anywhere give an answer") {
  const OpSet ops = OpSet::builtin();
  for (const Sample& sample : samples()) {
    INFO(sample.name);
    const std::size_t step = sample.bytes.size() > 4000 ? 7 : 1;
    for (std::size_t cut = 0; cut < sample.bytes.size(); cut += step) {
      try_load(Bytes(sample.bytes.begin(), sample.bytes.begin() + static_cast<std::ptrdiff_t>(cut)),
               ops);
    }
  }
}

// Damage of one kind at `at`.
void damage(Bytes& bytes, std::size_t at, Random& random) {
  switch (random.below(4)) {
    case 0: bytes[at] ^= static_cast<std::byte>(1u << random.below(8)); break;
    case 1: bytes[at] = static_cast<std::byte>(random.below(256)); break;
    case 2:
      for (std::size_t i = at; i < std::min(at + 8, bytes.size()); ++i) bytes[i] = std::byte{0xFF};
      break;
    default:
      for (std::size_t i = at; i < std::min(at + 4, bytes.size()); ++i) bytes[i] = std::byte{0};
  }
}

TEST_CASE("files with damaged bytes give an answer in bounded memory") {
  const OpSet ops = OpSet::builtin();
  const bool measured = reset_peak_memory();
  const std::int64_t before = process_memory().resident_bytes;
  for (const Sample& sample : samples()) {
    INFO(sample.name);
    Random random(20240611);
    for (int round = 0; round < 3000; ++round) {
      Bytes mutant = sample.bytes;
      // Headers carry the meaning: half of the damage is done in the first part.
      const std::size_t reach =
          round % 2 == 0 ? std::min<std::size_t>(mutant.size(), 600) : mutant.size();
      for (std::uint64_t hits = random.below(3) + 1; hits > 0; --hits) {
        damage(mutant, random.below(reach), random);
      }
      try_load(mutant, ops);
    }
  }
  // Inputs of a few kilobytes: nothing they claim may make us take much more.
  if (measured) CHECK(process_memory().peak_bytes - before < (std::int64_t{512} << 20));
}

TEST_CASE("every single byte of a header may be anything") {
  const OpSet ops = OpSet::builtin();
  for (const Sample& sample : samples()) {
    INFO(sample.name);
    const std::size_t end = std::min<std::size_t>(sample.bytes.size(), 900);
    Bytes mutant = sample.bytes;
    for (std::size_t at = 0; at < end; ++at) {
      for (unsigned value : {0x00u, 0x7Fu, 0x80u, 0xFFu}) {
        mutant[at] = static_cast<std::byte>(value);
        try_load(mutant, ops);
      }
      mutant[at] = sample.bytes[at];
    }
  }
}

}  // namespace
}  // namespace polaris
