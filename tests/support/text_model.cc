#include "support/text_model.h"

#include <doctest/doctest.h>

#include "ir/text/text.h"
#include "tensor/element.h"

namespace polaris::test {
namespace {

Tensor numbers(const TensorType& type, std::uint64_t state) {
  auto tensor = Tensor::allocate(type);
  REQUIRE(tensor);
  std::byte* data = tensor->mutable_bytes().data();
  for (std::int64_t i = 0; i < tensor->elements(); ++i) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;  // xorshift64
    const auto number = static_cast<std::int64_t>(state >> 40);       // 24 bits
    if (is_float(type.dtype)) {
      store_f64(type.dtype, data, i, static_cast<double>(number) * 0x1p-24 - 0.5);
    } else if (type.dtype == DType::kBool) {
      data[i] = static_cast<std::byte>(number & 1);
    } else if (dtype_info(type.dtype).bits == 8) {
      data[i] = static_cast<std::byte>(number & 0xFF);
    } else {
      store_i64(type.dtype, data, i, number % 200 - 100);
    }
  }
  return tensor.take();
}

}  // namespace

Graph graph_from_text(std::string_view text) {
  auto graph = parse_graph(text, OpSet::builtin());
  REQUIRE_MESSAGE(graph, graph.error().message());
  return graph.take();
}

std::vector<Tensor> numbers_for_inputs(const Graph& graph, std::uint64_t seed) {
  std::vector<Tensor> out;
  std::uint64_t state = 88172645463325252u + seed * 0xD1342543DE82EF95u;
  for (ValueId input : graph.inputs()) {
    out.push_back(numbers(graph.value(input).type, state));
    state += 0x9E3779B97F4A7C15u;
  }
  return out;
}

}  // namespace polaris::test
