#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tensor/dtype.h"
#include "wire/flatbuffer.h"

/// The parts of TensorFlow Lite's schema (tensorflow/compiler/mlir/lite/schema/schema.fbs, version
/// 3) that a run needs, as plain structs. Names and bytes point into the file.
namespace polaris::tflite {

/// TensorType of the schema, by number.
using DataType = std::int8_t;
inline constexpr DataType kResource = 13;
/// Nothing for complex numbers, resources and variants.
std::optional<DType> dtype_of(DataType type);
std::string data_type_name(DataType type);

/// Real = scale * (q - zero_point), for all elements or for each index of `axis`.
struct QuantizationDef {
  std::vector<float> scale;  // empty: not quantized
  std::vector<std::int64_t> zero_point;
  std::int32_t axis = 0;
  // Scales for every `block` elements along the last axis, in a tensor of the subgraph.
  std::int32_t block = 0;
  std::int32_t scales_tensor = -1;
  std::int32_t zero_points_tensor = -1;
};

struct DimensionDef {
  bool sparse = false;
  std::int32_t dense_size = 0;
  std::vector<std::int32_t> segments;
  std::vector<std::int32_t> indices;
};

struct SparsityDef {
  std::vector<std::int32_t> traversal_order;
  std::vector<std::int32_t> block_map;
  std::vector<DimensionDef> dims;
};

struct TensorDef {
  std::string_view name;
  DataType type = 0;
  std::vector<std::int32_t> shape;
  std::vector<std::int32_t> shape_signature;  // -1: any size; empty: as shape
  std::uint32_t buffer = 0;
  bool has_rank = false;
  bool is_variable = false;
  QuantizationDef quantization;
  std::optional<SparsityDef> sparsity;
};

struct OperatorDef {
  std::uint32_t opcode = 0;
  std::vector<std::int32_t> inputs;  // -1: absent
  std::vector<std::int32_t> outputs;
  std::vector<std::int32_t> intermediates;
  FlatTable options;  // of whichever type the operator has
  std::span<const std::byte> custom_options;
};

struct SubgraphDef {
  std::string_view name;
  std::vector<TensorDef> tensors;
  std::vector<std::int32_t> inputs;
  std::vector<std::int32_t> outputs;
  std::vector<OperatorDef> operators;
};

struct OpcodeDef {
  std::int32_t builtin = 0;
  std::string_view custom;
  std::int32_t version = 1;
};

struct NamedTensor {
  std::string_view name;
  std::uint32_t tensor = 0;
};

struct SignatureDef {
  std::string_view key;
  std::vector<NamedTensor> inputs;
  std::vector<NamedTensor> outputs;
  std::uint32_t subgraph = 0;
};

struct ModelDef {
  std::uint32_t version = 0;
  std::string_view description;
  std::vector<OpcodeDef> opcodes;
  std::vector<SubgraphDef> subgraphs;
  std::vector<std::span<const std::byte>> buffers;
  std::vector<SignatureDef> signatures;
  std::vector<std::string_view> metadata;  // its names
};

bool is_tflite(std::span<const std::byte> file);

/// Errors: invalid where an offset, size or index leads outside of what there is; unsupported for
/// another version of the schema.
Result<ModelDef> parse_model(FlatBuffer& file);

inline constexpr std::int32_t kCustomOp = 32;

}  // namespace polaris::tflite
