// Constant weights of convolutions on Vulkan keep their width in device memory.
#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "backend/vulkan/parts/conv_weights.h"
#include "backend/vulkan/parts/direct_conv.h"
#include "ir/op_attrs/conv.h"
#include "support/node_run.h"
#include "support/session_run.h"
#include "support/text_program.h"

namespace polaris::test {
namespace {

using vulkan::ConvKind;
using vulkan::ConvProblem;

struct Geometry {
  Shape x, w;  // w as the file has it
  std::int64_t groups;
};
const Geometry kGeometries[] = {
    {{1, 3, 8, 8}, {4, 3, 3, 3}, 1},     {{1, 16, 11, 13}, {33, 16, 3, 2}, 1},
    {{1, 32, 7, 7}, {64, 32, 1, 1}, 1},  {{1, 6, 10, 10}, {12, 2, 3, 3}, 3},
    {{1, 8, 12, 12}, {8, 1, 3, 3}, 8},   {{1, 132, 5, 5}, {132, 1, 3, 5}, 132},
    {{1, 1, 70, 70}, {1, 1, 3, 3}, 1},   {{2, 5, 40}, {9, 5, 7}, 1},
    {{1, 3, 200, 200}, {1, 3, 2, 2}, 1}, {{1, 4, 6, 6, 6}, {5, 4, 2, 3, 2}, 1},
    {{1, 7, 64, 64}, {300, 7, 1, 1}, 1}, {{1, 70, 9, 9}, {8, 70, 5, 5}, 1},
    {{1, 22, 9, 9}, {26, 11, 3, 7}, 2},
};

/// Weight of output channel c, input channel i of its group, and tap, in the file.
std::int64_t place_in_file(const ConvProblem& p, std::int64_t c, std::int64_t i, std::int64_t tap) {
  const ConvGeometry& g = p.geometry;
  if (p.kind != ConvKind::kTransposed) return (c * g.group_in + i) * p.taps() + tap;
  const std::int64_t in = c / g.group_out * g.group_in + i;
  return (in * g.group_out + c % g.group_out) * p.taps() + tap;
}

std::int64_t place_in_memory(const ConvProblem& p, std::int64_t c, std::int64_t i,
                             std::int64_t tap) {
  if (p.depthwise()) return tap * p.out_channels() + c;
  const std::int64_t in_group = c % p.geometry.group_out;
  const std::int64_t tile = c / p.geometry.group_out * p.tiles() + in_group / p.tile.out;
  const std::int64_t padded = (p.geometry.group_in + p.step - 1) / p.step * p.step;
  return ((tile * p.taps() + tap) * padded + i) * p.tile.out + in_group % p.tile.out;
}

void check_packing(const ConvProblem& p, DType dtype) {
  const ConvGeometry& g = p.geometry;
  const std::int64_t count = p.out_channels() * g.group_in * p.taps();
  const auto size = static_cast<std::size_t>(p.weight_bytes());
  Tensor weight = *Tensor::allocate(dtype, {count});
  std::uint32_t state = 1;
  for (std::byte& b : weight.mutable_bytes()) {
    state = state * 1664525u + 1013904223u;
    b = static_cast<std::byte>(state >> 24);
  }
  const std::int64_t bytes = vulkan::packed_weight_bytes(p);
  std::vector<std::byte> got(static_cast<std::size_t>(bytes), std::byte{0xA5});
  vulkan::pack_conv_weights(p, weight, got);
  std::vector<std::byte> wanted(got.size());
  for (std::int64_t c = 0; c < p.out_channels(); ++c) {
    for (std::int64_t i = 0; i < g.group_in; ++i) {
      for (std::int64_t tap = 0; tap < p.taps(); ++tap) {
        const auto from = static_cast<std::size_t>(place_in_file(p, c, i, tap)) * size;
        const auto to = static_cast<std::size_t>(place_in_memory(p, c, i, tap)) * size;
        REQUIRE(to + size <= wanted.size());
        std::memcpy(wanted.data() + to, weight.bytes().data() + from, size);
        if (dtype == DType::kU8) wanted[to] ^= std::byte{0x80};
      }
    }
  }
  CHECK(got == wanted);
}

ConvProblem problem_of(const Geometry& geometry, DType dtype, bool transposed, bool last) {
  ConvProblem p;
  const bool integer = dtype == DType::kI8 || dtype == DType::kU8;
  p.kind = integer ? ConvKind::kInteger : transposed ? ConvKind::kTransposed : ConvKind::kFloat;
  p.half = dtype == DType::kF16 || dtype == DType::kBF16;
  p.last = last;
  ConvAttrs attrs;
  attrs.group = geometry.groups;
  p.geometry = *conv_geometry(geometry.x, geometry.w, attrs);
  if (transposed) std::swap(p.geometry.group_in, p.geometry.group_out);
  vulkan::choose_tile(p, 1024);
  return p;
}

/// Bytes of weights on the device after a run of the text.
std::int64_t weight_bytes(const std::shared_ptr<Runtime>& runtime, const std::string& text) {
  auto program = program_from_text(runtime, text);
  auto session = session_of(program);
  std::vector<Tensor> outputs;
  std::vector<Tensor> inputs;
  for (const ValueId id : program->graph().inputs()) {
    const TensorType& type = program->graph().value(id).type;
    inputs.push_back(*Tensor::allocate(type));
  }
  REQUIRE(session->run(inputs, outputs, {}));
  return program->memory()[0].weight_bytes;
}

}  // namespace

TEST_CASE("vulkan convolution weights: packed element by element where the shader reads them") {
  for (const Geometry& geometry : kGeometries) {
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kI8, DType::kU8}) {
      for (const bool last : {false, true}) {
        CAPTURE(geometry.w.to_string());
        CAPTURE(dtype_name(dtype));
        CAPTURE(last);
        check_packing(problem_of(geometry, dtype, false, last), dtype);
        if (dtype == DType::kI8 || dtype == DType::kU8) continue;
        check_packing(problem_of(geometry, dtype, true, last), dtype);
      }
    }
  }
}

TEST_CASE("vulkan convolution weights: device memory holds them at their own width") {
  auto runtime = make_runtime({"vulkan"});
  if (runtime == nullptr) return;
  constexpr std::int64_t kWeights = 64 * 64 * 3 * 3;
  for (const auto& [type, width] :
       {std::pair{"float32", 4}, std::pair{"float16", 2}, std::pair{"bfloat16", 2}}) {
    const std::string t = type;
    CAPTURE(t);
    const std::int64_t conv = weight_bytes(runtime, "graph main {\n  input %x : " + t +
                                                        "[1, 64, 20, 20]\n  const %w : " + t +
                                                        "[64, 64, 3, 3] = random 1\n"
                                                        "  %y = Conv(%x, %w)\n  output %y\n}");
    CHECK(conv == kWeights * width);
    const std::int64_t transposed = weight_bytes(
        runtime, "graph main {\n  input %x : " + t + "[1, 64, 20, 20]\n  const %w : " + t +
                     "[64, 64, 3, 3] = random 1\n"
                     "  %y = ConvTranspose(%x, %w)\n  output %y\n}");
    CHECK(transposed == kWeights * width);
  }
  for (const std::string type : {"int8", "uint8"}) {
    CAPTURE(type);
    const std::int64_t bytes = weight_bytes(
        runtime, "graph main {\n  input %x : " + type + "[1, 64, 20, 20]\n  const %w : " + type +
                     "[64, 64, 3, 3] = random 1\n  %y = ConvInteger(%x, %w)\n  output %y\n}");
    CHECK(bytes == kWeights);
  }
}

}  // namespace polaris::test
