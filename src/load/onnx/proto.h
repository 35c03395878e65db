#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

/// The messages of onnx.proto that we read, as views into the file.
namespace polaris::onnx {

/// TensorProto.DataType and AttributeProto.AttributeType, by number.
using DataType = std::int64_t;
enum class AttrType : std::uint8_t {
  kUndefined = 0,
  kFloat = 1,
  kInt = 2,
  kString = 3,
  kTensor = 4,
  kGraph = 5,
  kFloats = 6,
  kInts = 7,
  kStrings = 8,
  kOther = 9,
  kType = 13,
};

struct TensorDef {
  std::string_view name;
  std::vector<std::int64_t> dims;
  DataType data_type = 0;
  std::optional<std::span<const std::byte>> raw;
  std::vector<float> floats;
  std::vector<std::int64_t> ints;  // int32_data and int64_data
  std::vector<double> doubles;
  std::vector<std::uint64_t> words;  // uint64_data
  std::vector<std::string_view> strings;
  bool external = false;
  bool segmented = false;
  std::vector<std::pair<std::string_view, std::string_view>> external_data;
};

struct GraphDef;
struct ValueDef;

struct AttrDef {
  std::string_view name;
  AttrType type = AttrType::kUndefined;
  std::string_view ref;  // in a function: the function's attribute whose value this one has
  float f = 0;
  std::int64_t i = 0;
  std::string_view s;
  std::shared_ptr<const TensorDef> tensor;
  std::shared_ptr<const GraphDef> graph;
  std::shared_ptr<const ValueDef> value_type;  // nameless
  std::vector<float> floats;
  std::vector<std::int64_t> ints;
  std::vector<std::string_view> strings;
};

struct NodeDef {
  std::string_view name;
  std::string_view op_type;
  std::string_view domain;  // "" for ai.onnx
  std::string_view overload;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::vector<AttrDef> attributes;
};

/// A dim is a size, a name, or (both absent) anything.
struct DimDef {
  std::optional<std::int64_t> value;
  std::string_view param;
};

struct ValueDef {
  std::string_view name;
  std::optional<ValueKind> kind;  // of types that we know
  DataType element_type = 0;
  std::optional<std::vector<DimDef>> shape;
};

struct GraphDef {
  std::string_view name;
  std::vector<NodeDef> nodes;
  std::vector<TensorDef> initializers;
  std::vector<ValueDef> inputs;
  std::vector<ValueDef> outputs;
};

using Opsets = std::map<std::string_view, std::int64_t>;  // by domain; "" for ai.onnx

/// A function of the model's own: nodes of its domain, name and overload run its nodes.
struct FunctionDef {
  std::string_view name;
  std::string_view domain;
  std::string_view overload;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::vector<std::string_view> attributes;  // those without a default
  std::vector<AttrDef> defaults;
  std::vector<NodeDef> nodes;
  Opsets opsets;
};

struct ModelDef {
  std::int64_t ir_version = 0;
  std::int64_t model_version = 0;
  std::string_view producer_name;
  std::string_view producer_version;
  std::string_view domain;
  std::string_view doc_string;
  Opsets opsets;
  std::vector<std::pair<std::string_view, std::string_view>> properties;
  std::optional<GraphDef> graph;
  std::vector<FunctionDef> functions;
};

/// Files from this IR version on say which op-sets they use.
inline constexpr std::int64_t kOpsetImportFrom = 3;

/// Whether the bytes read as the front of a ModelProto.
bool is_onnx(std::span<const std::byte> file);

/// Reads a ModelProto. Errors: invalid (malformed wire format, nested too deep, more items than
/// kItemsMax); unsupported (sparse initializers, training info).
Result<ModelDef> parse_model(std::span<const std::byte> file);

}  // namespace polaris::onnx
