#include "load/onnx/proto.h"

#include <string>

#include "base/strings.h"
#include "wire/protobuf.h"

namespace polaris::onnx {
namespace {

// Graphs inside attributes of nodes of graphs ...: as deep as the IR lets subgraphs nest.
constexpr int kGraphDepthMax = 16;
// An item takes two bytes in a hostile file and a hundred in memory, so their number is bounded.
constexpr std::int64_t kItemsMax = std::int64_t{1} << 22;

Error bad(std::string_view message, std::string_view what) {
  return Error::invalid("[onnx] " + std::string(message) + ": " + std::string(what));
}

std::string_view canonical_domain(std::string_view domain) {
  return domain == "ai.onnx" ? std::string_view() : domain;
}

class Parser {
 public:
  explicit Parser(std::span<const std::byte> file) : file_(file) {}

  // Calls on_field(field) for each field; it returns a Status.
  template <class F>
  Status fields(std::string_view message, std::span<const std::byte> bytes, F&& on_field) {
    ProtoReader reader(bytes);
    for (ProtoField field; reader.next(field);) {
      if (--items_left_ < 0) return bad(message, "the file has too many items");
      if (Status s = on_field(field); !s) {
        return s.error().message().starts_with('[') ? s : bad(message, s.error().message());
      }
    }
    if (Status s = reader.status(); !s) {
      const auto at = static_cast<std::size_t>(bytes.data() - file_.data()) + reader.offset();
      std::string what = s.error().message() + " at byte " + std::to_string(at);
      if (bytes.size() == file_.size()) {
        what += " of " + std::to_string(file_.size()) + ": the file is cut short or damaged";
      }
      return bad(message, what);
    }
    return Status::success();
  }

  static Status text(const ProtoField& field, std::string_view& out) {
    if (field.wire != ProtoWire::kBytes) return Error::invalid("a text has another wire type");
    out = field.as_text();
    return Status::success();
  }
  static Status text(const ProtoField& field, std::vector<std::string_view>& out) {
    return text(field, out.emplace_back());
  }
  static Status integer(const ProtoField& field, std::int64_t& out) {
    if (field.wire != ProtoWire::kVarint) return Error::invalid("a number has another wire type");
    out = field.as_i64();
    return Status::success();
  }
  static Status is_message(const ProtoField& field) {
    if (field.wire == ProtoWire::kBytes) return Status::success();
    return Error::invalid("a message has another wire type");
  }

  Status pair(const ProtoField& field,
              std::vector<std::pair<std::string_view, std::string_view>>& out) {
    if (Status s = is_message(field); !s) return s;
    auto& entry = out.emplace_back();
    return fields("StringStringEntryProto", field.bytes, [&](const ProtoField& f) {
      if (f.number == 1) return text(f, entry.first);
      if (f.number == 2) return text(f, entry.second);
      return Status::success();
    });
  }

  Status tensor(const ProtoField& field, TensorDef& out) {
    if (Status s = is_message(field); !s) return s;
    return fields("TensorProto", field.bytes, [&](const ProtoField& f) -> Status {
      switch (f.number) {
        case 1: return append_i64(f, out.dims);
        case 2: return integer(f, out.data_type);
        case 3: out.segmented = true; return Status::success();
        case 4: return append_f32(f, out.floats);
        case 5:
        case 7: return append_i64(f, out.ints);
        case 6: return text(f, out.strings);
        case 8: return text(f, out.name);
        case 9: {
          if (Status s = is_message(f); !s) return s;
          out.raw = f.bytes;
          return Status::success();
        }
        case 10: return append_f64(f, out.doubles);
        case 11: return append_u64(f, out.words);
        case 13: return pair(f, out.external_data);
        case 14: out.external = f.scalar == 1; return Status::success();
        default: return Status::success();
      }
    });
  }

  Status dim(const ProtoField& field, DimDef& out) {
    if (Status s = is_message(field); !s) return s;
    return fields("Dimension", field.bytes, [&](const ProtoField& f) {
      if (f.number == 1) return integer(f, out.value.emplace());
      if (f.number == 2) return text(f, out.param);
      return Status::success();
    });
  }

  Status tensor_type(const ProtoField& field, ValueDef& out) {
    if (Status s = is_message(field); !s) return s;
    return fields("TypeProto.Tensor", field.bytes, [&](const ProtoField& f) -> Status {
      if (f.number == 1) return integer(f, out.element_type);
      if (f.number != 2) return Status::success();
      if (Status s = is_message(f); !s) return s;
      out.shape.emplace();
      return fields("TensorShapeProto", f.bytes, [&](const ProtoField& d) {
        return d.number == 1 ? dim(d, out.shape->emplace_back()) : Status::success();
      });
    });
  }

  /// What a type is inside `around`, where it is one that we know; else it is none.
  static std::optional<ValueKind> kind_within(ValueKind around, int field) {
    constexpr int kTensor = 1;
    constexpr int kSequence = 4;
    constexpr int kOptional = 9;
    if (field == kTensor) return around;
    const bool outermost = around == ValueKind::kTensor;
    if (field == kOptional && outermost) return ValueKind::kOptional;
    if (field != kSequence) return std::nullopt;
    if (outermost) return ValueKind::kSequence;
    return around == ValueKind::kOptional ? std::optional(ValueKind::kOptionalSequence)
                                          : std::nullopt;
  }

  Status type(const ProtoField& field, ValueDef& out, ValueKind around = ValueKind::kTensor) {
    if (Status s = is_message(field); !s) return s;
    return fields("TypeProto", field.bytes, [&](const ProtoField& t) -> Status {
      const auto kind = kind_within(around, t.number);
      if (!kind) return Status::success();
      if (t.number == 1) {
        out.kind = kind;
        return tensor_type(t, out);
      }
      if (Status s = is_message(t); !s) return s;
      return fields("TypeProto", t.bytes, [&](const ProtoField& held) {
        return held.number == 1 ? type(held, out, *kind) : Status::success();
      });
    });
  }

  Status value(const ProtoField& field, ValueDef& out) {
    if (Status s = is_message(field); !s) return s;
    return fields("ValueInfoProto", field.bytes, [&](const ProtoField& f) -> Status {
      if (f.number == 1) return text(f, out.name);
      return f.number == 2 ? type(f, out) : Status::success();
    });
  }

  // Older files leave the type out: what is there says it.
  static void note(AttrDef& out, AttrType type) {
    if (out.type == AttrType::kUndefined) out.type = type;
  }

  Status attribute_field(const ProtoField& f, AttrDef& out, AttrType& declared, int depth) {
    switch (f.number) {
      case 1: return text(f, out.name);
      case 2:
        if (f.wire != ProtoWire::kFixed32) return Error::invalid("a float has another wire type");
        out.f = f.as_f32();
        note(out, AttrType::kFloat);
        return Status::success();
      case 3: note(out, AttrType::kInt); return integer(f, out.i);
      case 4: note(out, AttrType::kString); return text(f, out.s);
      case 5: {
        note(out, AttrType::kTensor);
        auto parsed = std::make_shared<TensorDef>();
        Status status = tensor(f, *parsed);
        out.tensor = std::move(parsed);
        return status;
      }
      case 6: {
        note(out, AttrType::kGraph);
        auto parsed = std::make_shared<GraphDef>();
        Status status = graph(f, *parsed, depth + 1);
        out.graph = std::move(parsed);
        return status;
      }
      case 7: note(out, AttrType::kFloats); return append_f32(f, out.floats);
      case 8: note(out, AttrType::kInts); return append_i64(f, out.ints);
      case 9: note(out, AttrType::kStrings); return text(f, out.strings);
      case 20:
        declared = (f.scalar >= 1 && f.scalar <= 8) || f.scalar == 13
                       ? static_cast<AttrType>(f.scalar)
                       : AttrType::kOther;
        return Status::success();
      case 13: return Status::success();
      case 14: {
        note(out, AttrType::kType);
        auto parsed = std::make_shared<ValueDef>();
        Status status = type(f, *parsed);
        out.value_type = std::move(parsed);
        return status;
      }
      case 21: return text(f, out.ref);
      default: note(out, AttrType::kOther); return Status::success();
    }
  }

  Status attribute(const ProtoField& field, AttrDef& out, int depth) {
    if (Status s = is_message(field); !s) return s;
    AttrType declared = AttrType::kUndefined;
    Status status = fields("AttributeProto", field.bytes, [&](const ProtoField& f) {
      return attribute_field(f, out, declared, depth);
    });
    if (declared != AttrType::kUndefined) out.type = declared;
    const bool bound = out.ref.empty();
    const bool empty = bound && ((out.type == AttrType::kTensor && !out.tensor) ||
                                 (out.type == AttrType::kGraph && !out.graph) ||
                                 (out.type == AttrType::kType && !out.value_type));
    if (status && empty) return bad("AttributeProto", "'" + printable(out.name) + "' has no value");
    return status;
  }

  Status node(const ProtoField& field, NodeDef& out, int depth) {
    if (Status s = is_message(field); !s) return s;
    return fields("NodeProto", field.bytes, [&](const ProtoField& f) {
      switch (f.number) {
        case 1: return text(f, out.inputs);
        case 2: return text(f, out.outputs);
        case 3: return text(f, out.name);
        case 4: return text(f, out.op_type);
        case 5: return attribute(f, out.attributes.emplace_back(), depth);
        case 7: {
          Status status = text(f, out.domain);
          out.domain = canonical_domain(out.domain);
          return status;
        }
        case 8: return text(f, out.overload);
        default: return Status::success();
      }
    });
  }

  Status function(const ProtoField& field, FunctionDef& out) {
    if (Status s = is_message(field); !s) return s;
    return fields("FunctionProto", field.bytes, [&](const ProtoField& f) {
      switch (f.number) {
        case 1: return text(f, out.name);
        case 4: return text(f, out.inputs);
        case 5: return text(f, out.outputs);
        case 6: return text(f, out.attributes);
        case 7: return node(f, out.nodes.emplace_back(), 0);
        case 9: return opset(f, out.opsets);
        case 10: {
          Status status = text(f, out.domain);
          out.domain = canonical_domain(out.domain);
          return status;
        }
        case 11: return attribute(f, out.defaults.emplace_back(), 0);
        case 13: return text(f, out.overload);
        default: return Status::success();
      }
    });
  }

  Status graph(const ProtoField& field, GraphDef& out, int depth) {
    if (Status s = is_message(field); !s) return s;
    if (depth > kGraphDepthMax) {
      return bad("GraphProto", "graphs nested deeper than " + std::to_string(kGraphDepthMax));
    }
    return fields("GraphProto", field.bytes, [&](const ProtoField& f) -> Status {
      switch (f.number) {
        case 1: return node(f, out.nodes.emplace_back(), depth);
        case 2: return text(f, out.name);
        case 5: return tensor(f, out.initializers.emplace_back());
        case 11: return value(f, out.inputs.emplace_back());
        case 12: return value(f, out.outputs.emplace_back());
        case 15: return Error::unsupported("[onnx] sparse initializers cannot be read");
        default: return Status::success();
      }
    });
  }

  Status opset(const ProtoField& field, Opsets& out) {
    if (Status s = is_message(field); !s) return s;
    std::string_view domain;
    std::int64_t version = 0;
    Status status = fields("OperatorSetIdProto", field.bytes, [&](const ProtoField& f) {
      if (f.number == 1) return text(f, domain);
      if (f.number == 2) return integer(f, version);
      return Status::success();
    });
    out[canonical_domain(domain)] = version;
    return status;
  }

  Status model_field(const ProtoField& f, ModelDef& out) {
    switch (f.number) {
      case 1: return integer(f, out.ir_version);
      case 2: return text(f, out.producer_name);
      case 3: return text(f, out.producer_version);
      case 4: return text(f, out.domain);
      case 5: return integer(f, out.model_version);
      case 6: return text(f, out.doc_string);
      case 7: return graph(f, out.graph.emplace(), 0);
      case 8: return opset(f, out.opsets);
      case 14: return pair(f, out.properties);
      case 20: return Error::unsupported("[onnx] training information cannot be read");
      case 25: return function(f, out.functions.emplace_back());
      default: return Status::success();
    }
  }

 private:
  std::span<const std::byte> file_;
  std::int64_t items_left_ = kItemsMax;
};

}  // namespace

bool is_onnx(std::span<const std::byte> file) {
  ProtoReader reader(file);
  bool version = false;
  for (ProtoField field; reader.next(field);) {
    const bool scalar = field.number == 1 || field.number == 5;
    const bool known = (field.number >= 1 && field.number <= 8) || field.number == 14 ||
                       field.number == 20 || field.number == 25 || field.number == 26;
    if (!known || (field.wire == ProtoWire::kVarint) != scalar) return false;
    if (field.number == 1) version = true;
    if (field.number == 7 && version) return true;
  }
  // A cut file is still one of ours, to be refused by name.
  return version;
}

Result<ModelDef> parse_model(std::span<const std::byte> file) {
  Parser parser(file);
  ModelDef out;
  Status status = parser.fields(
      "ModelProto", file, [&](const ProtoField& field) { return parser.model_field(field, out); });
  if (!status) return status.error();
  if (!out.graph) return bad("ModelProto", "the file has no graph");
  return out;
}

}  // namespace polaris::onnx
