#include "load/adapter_tensors.h"

#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "tensor/block_codec.h"
#include "tensor/element.h"

namespace polaris {
namespace {

Error bad(const std::string& tensor, const std::string& what) {
  return Error::invalid("[lora] tensor '" + printable(tensor) + "' " + what);
}

Result<Tensor> as_f32(const Tensor& tensor) {
  auto out = Tensor::allocate(DType::kF32, tensor.shape());
  if (!out) return out;
  auto* values = out->mutable_data<float>();
  const TensorType& type = tensor.type();
  if (type.encoding.is_block()) {
    decode_blocks(type.encoding.format, tensor.bytes().data(), tensor.elements(), values);
    return out;
  }
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    values[i] = static_cast<float>(element_as_f64(tensor, i));
  }
  return out;
}

}  // namespace

Status add_adapter_tensor(Adapter& adapter, const std::string& matrix, bool is_a,
                          const std::string& name, const Tensor& tensor) {
  const TensorType& type = tensor.type();
  if (!is_float(type.dtype) || type.shape.rank() != 2) {
    return bad(name, "type, got " + type.to_string() + ", wanted floats of rank 2");
  }
  AdapterPair& pair = adapter.pairs[matrix];
  Tensor& half = is_a ? pair.a : pair.b;
  if (half) {
    return bad(name, "got it besides '" + printable(is_a ? pair.a_name : pair.b_name) +
                         "', wanted one of both");
  }
  auto values = as_f32(tensor);
  if (!values) return values.error();
  const auto* first = values->data<float>();
  const auto* end = first + values->elements();
  if (!std::all_of(first, end, [](float v) { return std::isfinite(v); })) {
    return bad(name, "got a value that is no finite number, wanted finite ones alone");
  }
  half = values.take();
  (is_a ? pair.a_name : pair.b_name) = name;
  return Status::success();
}

Status check_adapter_pairs(const Adapter& adapter) {
  for (const auto& [matrix, pair] : adapter.pairs) {
    if (!pair.a) return bad(pair.b_name, "got no A to this B, wanted both");
    if (!pair.b) return bad(pair.a_name, "got no B to this A, wanted both");
    const std::int64_t rank = pair.a.shape()[0];
    if (rank < 1 || rank > kAdapterRankMax) {
      return bad(pair.a_name, "rank, got " + std::to_string(rank) + ", wanted 1 to " +
                                  std::to_string(kAdapterRankMax));
    }
    if (pair.b.shape()[1] != rank) {
      return bad(pair.b_name, "rank, got " + std::to_string(pair.b.shape()[1]) + ", wanted the " +
                                  std::to_string(rank) + " of '" + printable(pair.a_name) + "'");
    }
  }
  return Status::success();
}

}  // namespace polaris
