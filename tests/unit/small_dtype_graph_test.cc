// Small dtypes through text form, sessions and control flow.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "ir/evaluate.h"
#include "ir/op_set.h"
#include "ir/text/model_text.h"
#include "support/session_run.h"
#include "support/text_program.h"
#include "tensor/element.h"

namespace polaris::test {
namespace {

constexpr DType kSmall[] = {
    DType::kF8E4M3FN, DType::kF8E4M3FNUZ, DType::kF8E5M2, DType::kF8E5M2FNUZ, DType::kF8E8M0,
    DType::kF4E2M1,   DType::kI4,         DType::kU4,     DType::kI2,         DType::kU2};

/// Every code of the type in turn, from `first` on.
Tensor codes(DType dtype, const Shape& shape, unsigned first = 1) {
  auto out = Tensor::allocate(dtype, shape);
  REQUIRE(out);
  for (std::int64_t i = 0; i < out->elements(); ++i) {
    const auto code = static_cast<std::uint8_t>(first + static_cast<unsigned>(i) * 5);
    store_code(dtype, out->mutable_bytes().data(), i, code);
  }
  return out.take();
}

std::vector<int> codes_of(const Tensor& tensor) {
  std::vector<int> out;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    out.push_back(load_code(tensor.dtype(), tensor.bytes().data(), i));
  }
  return out;
}

/// The codes of elements `from`, `from` + 1 ... of a tensor.
std::vector<int> part(const Tensor& tensor, std::size_t from, std::size_t count) {
  const auto all = codes_of(tensor);
  return {all.begin() + static_cast<std::ptrdiff_t>(from),
          all.begin() + static_cast<std::ptrdiff_t>(from + count)};
}

std::string with_type(std::string text, DType dtype) {
  for (std::size_t at = text.find('$'); at != text.npos; at = text.find('$')) {
    text.replace(at, 1, dtype_name(dtype));
  }
  return text;
}

std::vector<Tensor> run(std::shared_ptr<Runtime> runtime, std::string_view text,
                        const std::vector<Tensor>& inputs) {
  auto session = session_of(program_from_text(std::move(runtime), text));
  std::vector<Tensor> outputs;
  const Status status = session->run(inputs, outputs);
  REQUIRE_MESSAGE(status.ok(), (status ? "" : status.error().message()));
  for (const Tensor& out : outputs) {
    CHECK(has_clear_padding(out.dtype(), out.bytes().data(), out.elements()));
  }
  return outputs;
}

}  // namespace

TEST_CASE("small dtypes: the text form keeps every bit of a constant") {
  for (DType dtype : kSmall) {
    CAPTURE(dtype_name(dtype));
    // Odd in its elements; the second has a NaN where the type has one, which no number spells.
    for (const unsigned first : {0u, 3u}) {
      const Tensor data = codes(dtype, {3, 7}, first);
      Graph graph;
      auto constant = std::make_shared<Constant>();
      constant->name = "c";
      constant->data = data;
      graph.mark_output(graph.add_constant(constant), "c");
      const std::string text = print_graph(graph);
      auto again = parse_graph(text, OpSet::builtin());
      REQUIRE_MESSAGE(again.ok(), text);
      const Tensor& back = again->value(again->outputs()[0]).constant->data;
      CHECK(back.type() == data.type());
      CHECK(codes_of(back) == codes_of(data));
    }
  }
}

TEST_CASE("small dtypes: a text constant is a list, one number for all, or base64") {
  auto runtime = make_runtime({"reference"});
  for (DType dtype : kSmall) {
    CAPTURE(dtype_name(dtype));
    const auto out = run(runtime,
                         with_type(R"(graph main {
  const %all : $[5] = 1
  const %list : $[3] = [1, 1, 1]
  const %raw : $[1] = base64 "AQ=="
  output %all
  output %list
  output %raw
})",
                                   dtype),
                         {});
    for (int o : {0, 1}) {
      const Tensor& tensor = out[static_cast<std::size_t>(o)];
      for (std::int64_t i = 0; i < tensor.elements(); ++i) CHECK(element_as_f64(tensor, i) == 1);
    }
    CHECK(codes_of(out[2]) == std::vector<int>{1});
  }
  for (const char* bad : {"float8_e4m3fn[1] = inf", "float8_e4m3fn[1] = 1000", "int4[1] = 8",
                          "uint2[1] = -1", "float4_e2m1fn[1] = nan", "float8_e8m0fnu[1] = 0",
                          "int4[3] = base64 \"AQ==\"", "int4[3] = [1, 2]"}) {
    const auto model = parse_model(
        std::string("graph main {\n  const %c : ") + bad + "\n  output %c\n}", OpSet::builtin());
    CHECK_FALSE_MESSAGE(model.ok(), bad);
  }
}

TEST_CASE("small dtypes: moved by every op that moves, on every device") {
  for (const std::string name : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime(name == "vulkan" ? std::vector<std::string>{"vulkan", "cpu"}
                                                 : std::vector<std::string>{name});
    if (!runtime) continue;
    CAPTURE(name);
    for (DType dtype : kSmall) {
      CAPTURE(dtype_name(dtype));
      const Tensor x = codes(dtype, {3, 5});
      const auto out = run(runtime,
                           with_type(R"(graph main {
  input %x : $[3, 5]
  const %one : int64[1] = [1]
  const %four : int64[1] = [4]
  const %zero : int64[1] = [0]
  const %flat : int64[1] = [15]
  const %row : int64[] = 2
  %same = Identity(%x)
  %shaped = Reshape(%x, %flat)
  %turned = Transpose(%x)
  %back = Transpose(%turned)
  %cut = Slice(%shaped, %one, %four)
  %head = Slice(%shaped, %zero, %four)
  %both = Concat(%head, %cut, axis = 0)
  %picked = Gather(%x, %row, axis = 0)
  output %same
  output %back
  output %cut
  output %both
  output %picked
})",
                                     dtype),
                           {x});
      CHECK(codes_of(out[0]) == codes_of(x));
      CHECK(codes_of(out[1]) == codes_of(x));
      CHECK(codes_of(out[2]) == part(x, 1, 3));
      auto both = part(x, 0, 4);
      for (int code : part(x, 1, 3)) both.push_back(code);
      CHECK(codes_of(out[3]) == both);
      CHECK(codes_of(out[4]) == part(x, 10, 5));
    }
  }
}

TEST_CASE("small dtypes: If, Loop and Scan carry, slice and stack them") {
  for (const std::string name : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime(name == "vulkan" ? std::vector<std::string>{"vulkan", "cpu"}
                                                 : std::vector<std::string>{name});
    if (!runtime) continue;
    CAPTURE(name);
    for (DType dtype : kSmall) {
      CAPTURE(dtype_name(dtype));
      const Tensor x = codes(dtype, {3, 5});
      auto yes = Tensor::allocate(DType::kBool, {});
      yes->mutable_bytes()[0] = std::byte{1};
      const auto out = run(runtime,
                           with_type(R"(graph main {
  input %x : $[3, 5]
  input %c : bool[]
  const %trips : int64[] = 3
  %chosen = If(%c, %x) graph {
    input %a : $[3, 5]
    output %a
  } graph {
    input %a : $[3, 5]
    %b = Identity(%a)
    output %b
  }
  %last, %rows = Loop(%trips, _, %chosen, %x, captures = 1) graph {
    input %i : int64[]
    input %go : bool[]
    input %v : $[3, 5]
    input %all : $[3, 5]
    %row = Gather(%all, %i, axis = 0)
    %kept = Identity(%v)
    output %go
    output %kept
    output %row
  }
  %scanned = Scan(%x, num_scan_inputs = 1) graph {
    input %r : $[5]
    %s = Identity(%r)
    output %s
  }
  output %chosen
  output %last
  output %rows
  output %scanned
})",
                                     dtype),
                           {x, *yes});
      for (const Tensor& tensor : out) CHECK(codes_of(tensor) == codes_of(x));
    }
  }
}

TEST_CASE("small dtypes: quantized between convolutions that run channels-last") {
  constexpr std::string_view kText = R"(graph main {
  input %x : float32[1, 5, 7, 3]
  const %w : float32[5, 3, 3, 3] = 0.25
  const %v : float32[3, 5, 1, 1] = 0.5
  const %scale : float32[5] = [0.25, 0.5, 0.125, 0.25, 0.5]
  const %zero : $[5] = 1
  %planes = Transpose(%x, perm = [0, 3, 1, 2])
  %a = Conv(%planes, %w)
  %q = QuantizeLinear(%a, %scale, %zero, axis = 1)
  %d = DequantizeLinear(%q, %scale, %zero, axis = 1)
  %b = Conv(%d, %v)
  %y = Transpose(%b, perm = [0, 2, 3, 1])
  output %q
  output %y
})";
  for (DType dtype : {DType::kI4, DType::kU2, DType::kF8E4M3FN, DType::kF4E2M1}) {
    CAPTURE(dtype_name(dtype));
    auto x = Tensor::allocate(DType::kF32, {1, 5, 7, 3});
    // Few bits, so that no order of sums moves a quotient across a step.
    for (int i = 0; i < 105; ++i) x->mutable_data<float>()[i] = static_cast<float>(i * 37 % 11 - 5);
    const std::string text = with_type(std::string(kText), dtype);
    const auto want = run(make_runtime({"reference"}), text, {*x});
    const auto got = run(make_runtime({"cpu"}), text, {*x});
    CHECK(codes_of(got[0]) == codes_of(want[0]));
    CHECK(max_difference(got[1], want[1]) < 1e-4);
  }
}

TEST_CASE("small dtypes: every op takes them by its definition or refuses them by name") {
  int taken = 0;
  for (const OpDef* op : OpSet::builtin().all()) {
    if (op->is_control() || op->reference == nullptr) continue;
    CAPTURE(op_full_name(*op));
    const auto attrs = op->make_attrs != nullptr ? op->make_attrs() : std::make_unique<NoAttrs>();
    for (DType dtype : kSmall) {
      for (std::size_t count = 1; count <= std::min<std::size_t>(op->inputs.size() + 1, 4);
           ++count) {
        // Odd in its elements; the second operand also as indices, a shape or an axis would be.
        const Tensor x = codes(dtype, {3, 5});
        const Tensor whole =
            *Tensor::from<std::int64_t>(DType::kI64, {1}, std::array{std::int64_t{0}});
        for (const bool mixed : {false, true}) {
          std::vector<const Tensor*> inputs(count, &x);
          if (mixed && count > 1) inputs[1] = &whole;
          auto out = evaluate_node(*op, *attrs, "n", inputs, 1, 1 << 20);
          if (!out) {
            CHECK(!out.error().message().empty());
            continue;
          }
          ++taken;
          const Tensor& y = (*out)[0];
          CHECK(has_clear_padding(y.dtype(), y.bytes().data(), y.elements()));
        }
      }
    }
  }
  CHECK(taken > 100);
}

}  // namespace polaris::test
