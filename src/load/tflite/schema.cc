#include "load/tflite/schema.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace polaris::tflite {
namespace {

constexpr std::string_view kMark = "TFL3";
constexpr std::uint32_t kVersion = 3;

// What one file may hold; real ones stay far below.
constexpr std::size_t kSubgraphsMax = 4096;

struct Row {
  std::string_view name;
  std::optional<DType> dtype;
};
constexpr Row kRows[] = {
    {"FLOAT32", DType::kF32},
    {"FLOAT16", DType::kF16},
    {"INT32", DType::kI32},
    {"UINT8", DType::kU8},
    {"INT64", DType::kI64},
    {"STRING", DType::kString},
    {"BOOL", DType::kBool},
    {"INT16", DType::kI16},
    {"COMPLEX64", {}},
    {"INT8", DType::kI8},
    {"FLOAT64", DType::kF64},
    {"COMPLEX128", {}},
    {"UINT64", DType::kU64},
    {"RESOURCE", {}},
    {"VARIANT", {}},
    {"UINT32", DType::kU32},
    {"UINT16", DType::kU16},
    {"INT4", DType::kI4},
    {"BFLOAT16", DType::kBF16},
    {"INT2", DType::kI2},
    {"UINT4", DType::kU4},
    {"FLOAT8_E4M3FN", DType::kF8E4M3FN},
    {"FLOAT8_E5M2", DType::kF8E5M2},
};

QuantizationDef parse_quantization(const FlatTable& table) {
  QuantizationDef out;
  out.scale = table.scalars<float>(2);
  out.zero_point = table.scalars<std::int64_t>(3);
  constexpr std::uint8_t kBlockwise = 2;
  if (table.scalar<std::uint8_t>(4, 0) == kBlockwise) {
    const FlatTable details = table.table(5);
    out.scales_tensor = details.scalar<std::int32_t>(0, -1);
    out.zero_points_tensor = details.scalar<std::int32_t>(1, -1);
    out.block = details.scalar<std::int32_t>(2, 0);
  }
  out.axis = table.scalar<std::int32_t>(6, 0);
  return out;
}

// SparseIndexVector: a union of vectors of int32, uint16 and uint8.
std::vector<std::int32_t> parse_indices(std::uint8_t kind, const FlatTable& table) {
  const auto widen = [](const auto& values) {
    return std::vector<std::int32_t>(values.begin(), values.end());
  };
  switch (kind) {
    case 1: return table.scalars<std::int32_t>(0);
    case 2: return widen(table.scalars<std::uint16_t>(0));
    case 3: return widen(table.scalars<std::uint8_t>(0));
    default: return {};
  }
}

SparsityDef parse_sparsity(const FlatTable& table) {
  SparsityDef out;
  out.traversal_order = table.scalars<std::int32_t>(0);
  out.block_map = table.scalars<std::int32_t>(1);
  for (const FlatTable& dim : table.tables(2)) {
    DimensionDef& to = out.dims.emplace_back();
    to.sparse = dim.scalar<std::int8_t>(0, 0) != 0;
    to.dense_size = dim.scalar<std::int32_t>(1, 0);
    to.segments = parse_indices(dim.scalar<std::uint8_t>(2, 0), dim.table(3));
    to.indices = parse_indices(dim.scalar<std::uint8_t>(4, 0), dim.table(5));
  }
  return out;
}

TensorDef parse_tensor(const FlatTable& table) {
  TensorDef out;
  out.shape = table.scalars<std::int32_t>(0);
  out.type = table.scalar<std::int8_t>(1, 0);
  out.buffer = table.scalar<std::uint32_t>(2, 0);
  out.name = table.text(3);
  out.quantization = parse_quantization(table.table(4));
  out.is_variable = table.flag(5);
  if (const FlatTable sparsity = table.table(6)) out.sparsity = parse_sparsity(sparsity);
  out.shape_signature = table.scalars<std::int32_t>(7);
  out.has_rank = table.flag(8);
  return out;
}

// Bytes that stand behind the tables, in files too large for 32-bit offsets.
std::optional<std::span<const std::byte>> outside(std::span<const std::byte> file,
                                                  std::uint64_t offset, std::uint64_t size) {
  if (offset > file.size() || size > file.size() - offset) return std::nullopt;
  return file.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
}

Result<OperatorDef> parse_operator(const FlatTable& table, std::span<const std::byte> file) {
  OperatorDef out;
  out.opcode = table.scalar<std::uint32_t>(0, 0);
  out.inputs = table.scalars<std::int32_t>(1);
  out.outputs = table.scalars<std::int32_t>(2);
  out.options = table.scalar<std::uint8_t>(3, 0) != 0 ? table.table(4) : FlatTable();
  out.custom_options = table.bytes(5);
  out.intermediates = table.scalars<std::int32_t>(8);
  const auto offset = table.scalar<std::uint64_t>(9, 0);
  if (offset > 1) {
    const auto found = outside(file, offset, table.scalar<std::uint64_t>(10, 0));
    if (!found) return Error::invalid("[tflite] an operator's options lead past the end");
    out.custom_options = *found;
  }
  if (table.scalar<std::uint8_t>(11, 0) != 0) out.options = table.table(12);
  return out;
}

Result<SubgraphDef> parse_subgraph(const FlatTable& table, FlatBuffer& file) {
  SubgraphDef out;
  for (const FlatTable& tensor : table.tables(0)) out.tensors.push_back(parse_tensor(tensor));
  out.inputs = table.scalars<std::int32_t>(1);
  out.outputs = table.scalars<std::int32_t>(2);
  for (const FlatTable& op : table.tables(3)) {
    auto parsed = parse_operator(op, file.bytes());
    if (!parsed) return parsed.error();
    out.operators.push_back(parsed.take());
  }
  out.name = table.text(4);
  return out;
}

std::vector<NamedTensor> parse_named(const std::vector<FlatTable>& tables) {
  std::vector<NamedTensor> out;
  for (const FlatTable& table : tables) {
    out.push_back({table.text(0), table.scalar<std::uint32_t>(1, 0)});
  }
  return out;
}

Status parse_buffers(const FlatTable& model, FlatBuffer& file, ModelDef& out) {
  for (const FlatTable& buffer : model.tables(4)) {
    auto bytes = buffer.bytes(0);
    const auto offset = buffer.scalar<std::uint64_t>(1, 0);
    if (offset > 1) {
      const auto found = outside(file.bytes(), offset, buffer.scalar<std::uint64_t>(2, 0));
      if (!found) {
        return Error::invalid("[tflite] buffer " + std::to_string(out.buffers.size()) +
                              " leads past the end");
      }
      bytes = *found;
    }
    out.buffers.push_back(bytes);
  }
  return Status::success();
}

/// Indices that nothing checks when it uses them.
class Checker {
 public:
  explicit Checker(const ModelDef& model) : model_(model) {}

  Status run() const {
    for (const SubgraphDef& graph : model_.subgraphs) {
      if (Status s = check(graph); !s) return s;
    }
    for (const SignatureDef& signature : model_.signatures) {
      if (signature.subgraph >= model_.subgraphs.size()) {
        return bad("a signature's subgraph", signature.subgraph, model_.subgraphs.size());
      }
      const std::size_t tensors = model_.subgraphs[signature.subgraph].tensors.size();
      for (const auto* list : {&signature.inputs, &signature.outputs}) {
        for (const NamedTensor& named : *list) {
          if (named.tensor >= tensors) return bad("a signature's tensor", named.tensor, tensors);
        }
      }
    }
    return Status::success();
  }

 private:
  static Error bad(std::string_view what, std::int64_t got, std::size_t count) {
    return Error::invalid("[tflite] " + std::string(what) + ", got " + std::to_string(got) +
                          ", wanted an index of " + std::to_string(count));
  }

  Status check(const SubgraphDef& graph) const {
    const std::size_t count = graph.tensors.size();
    const auto tensors = [&](const std::vector<std::int32_t>& list, std::int32_t lowest) {
      for (const std::int32_t i : list) {
        if (i < lowest || std::cmp_greater_equal(i, count)) {
          return Status(bad("a tensor of subgraph '" + std::string(graph.name) + "'", i, count));
        }
      }
      return Status::success();
    };
    for (const auto* list : {&graph.inputs, &graph.outputs}) {
      if (Status s = tensors(*list, 0); !s) return s;
    }
    for (const OperatorDef& op : graph.operators) {
      if (op.opcode >= model_.opcodes.size()) {
        return bad("an operator's code", op.opcode, model_.opcodes.size());
      }
      if (Status s = tensors(op.inputs, -1); !s) return s;
      if (Status s = tensors(op.outputs, -1); !s) return s;
      if (Status s = tensors(op.intermediates, -1); !s) return s;
    }
    for (const TensorDef& tensor : graph.tensors) {
      if (tensor.buffer >= model_.buffers.size() && tensor.buffer != 0) {
        return bad("a tensor's buffer", tensor.buffer, model_.buffers.size());
      }
    }
    return Status::success();
  }

  const ModelDef& model_;
};

}  // namespace

std::optional<DType> dtype_of(DataType type) {
  if (type < 0 || std::cmp_greater_equal(type, std::size(kRows))) return std::nullopt;
  return kRows[type].dtype;
}

std::string data_type_name(DataType type) {
  if (type < 0 || std::cmp_greater_equal(type, std::size(kRows))) return std::to_string(type);
  return std::string(kRows[type].name);
}

bool is_tflite(std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  return text.size() >= 8 && text.substr(4).starts_with(kMark);
}

Result<ModelDef> parse_model(FlatBuffer& file) {
  const FlatTable root = file.root();
  ModelDef out;
  out.version = root.scalar<std::uint32_t>(0, 0);
  if (file.status() && out.version != kVersion) {
    return Error::unsupported("[tflite] version of the schema, got " + std::to_string(out.version) +
                              ", wanted " + std::to_string(kVersion));
  }
  for (const FlatTable& code : root.tables(1)) {
    OpcodeDef& to = out.opcodes.emplace_back();
    // The byte came first; codes that do not fit it stand in the wider field alone.
    to.builtin =
        std::max<std::int32_t>(code.scalar<std::int8_t>(0, 0), code.scalar<std::int32_t>(3, 0));
    to.custom = code.text(1);
    to.version = code.scalar<std::int32_t>(2, 1);
  }
  const auto subgraphs = root.tables(2);
  if (subgraphs.empty() && file.status())
    return Error::invalid("[tflite] the file has no subgraph");
  if (subgraphs.size() > kSubgraphsMax) {
    return Error::exhausted("[tflite] subgraphs, got " + std::to_string(subgraphs.size()) +
                            ", wanted at most " + std::to_string(kSubgraphsMax));
  }
  for (const FlatTable& table : subgraphs) {
    auto parsed = parse_subgraph(table, file);
    if (!parsed) return parsed.error();
    out.subgraphs.push_back(parsed.take());
  }
  out.description = root.text(3);
  if (Status s = parse_buffers(root, file, out); !s) return s.error();
  for (const FlatTable& table : root.tables(6)) out.metadata.push_back(table.text(0));
  for (const FlatTable& table : root.tables(7)) {
    out.signatures.push_back({table.text(2), parse_named(table.tables(0)),
                              parse_named(table.tables(1)), table.scalar<std::uint32_t>(4, 0)});
  }
  if (!file.status()) {
    return Error(file.status().error().code(), "[tflite] " + file.status().error().message());
  }
  if (Status s = Checker(out).run(); !s) return s.error();
  return out;
}

}  // namespace polaris::tflite
