#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ir/attrs.h"
#include "tensor/layout.h"
#include "tensor/tensor.h"

namespace polaris {

struct ControlDef;
struct OpDef;
struct StridedMove;

/// What may stand in a port.
enum PortFlags : std::uint32_t {
  kOptional = 1u << 0,        // may be absent (input) or unused (output)
  kVariadic = 1u << 1,        // the last port, any number of times
  kHostRead = 1u << 2,        // read on the host when planning: shapes, axes, repeats, pads
  kAcceptsEncoded = 1u << 3,  // a constant with an affine or block encoding is legal here
  kSpatial = 1u << 4,         // [N, C, spatial...]: kernels may take it in other layouts
  // What else than a tensor of numbers is legal here. Strings also are in what a kMove op moves.
  kStrings = 1u << 5,
  kSequence = 1u << 6,
  kOptionalValue = 1u << 7,
  kNoTensor = 1u << 8,  // a tensor is not: only a sequence or an optional, as the flags above say
};
struct Port {
  std::string_view name;
  std::uint32_t flags = 0;
};

enum OpTraits : std::uint32_t {
  kElementwise = 1u << 0,    // output element i depends on input elements broadcast to i only
  kFoldable = 1u << 1,       // pure: constant inputs give a constant output
  kDataDependent = 1u << 2,  // an output's shape depends on input data; `infer` gives its bound
  kStateful = 1u << 4,       // updates an input in place; never folded, shared or reordered
  kCommutative = 1u << 5,
  kTypeOnly = 1u << 6,  // reads its inputs' types, never their data (Shape, Size)
  // All axes of the operands of the output's rank are alike, but for that of attribute `axis`: the
  // node may run with its axes in another order. kElementwise implies it.
  kAxisFree = 1u << 7,
  // Each element of the output is one of those of input 0 (of all inputs where that port is
  // variadic), picked or moved, so that quantizing before the op or after it gives the same.
  kPicksElements = 1u << 8,
};

/// Reads one attribute as the number that kernels take.
using AttrNumber = float (*)(const Attrs&);
template <class Member>
struct AttrsOfMember;
template <class A, class T>
struct AttrsOfMember<T A::*> {
  using Type = A;
};
/// attr_number<&EluAttrs::alpha>: the only way that an attribute is named where ops and kernels are
/// tables.
template <auto kMember>
float attr_number(const Attrs& attrs) {
  using A = typename AttrsOfMember<decltype(kMember)>::Type;
  return static_cast<float>(static_cast<const A&>(attrs).*kMember);
}

/// How integers that are sums of dims go through an op at load time, whatever sizes the dims take
/// (ir/knowledge). An op without a rule gives something known only where all its inputs are known.
enum class SizeRule : std::uint8_t {
  kNone,
  kMove,  // each output element is one of those of the `moved` inputs, or 0; the others say which
  kSum,
  kDifference,
  kProduct,
  kQuotient,
  kCompare,  // depends on which of its two inputs is larger only
};

/// An integer as far as it is known at load time, for every size that dims may take.
struct KnownInt {
  enum class Kind : std::uint8_t { kUnknown, kNumber, kDim };
  Kind kind = Kind::kUnknown;
  std::int64_t value = 0;  // kNumber: the number; kDim: the symbolic dim

  bool is_number() const { return kind == Kind::kNumber; }
  /// As a dim: a number from 0 on, a symbolic dim, or unknown.
  std::int64_t dim() const {
    const bool fits = kind == Kind::kDim || (is_number() && value >= 0);
    return fits ? value : kUnknownDim;
  }
};

/// Output may share the input's bytes when the input dies here (and types have equal bytes), or
/// must (`required`: state updates).
struct InPlace {
  int output = 0;
  int input = 0;
  bool required = false;
};

/// What infer sees and fills. Input types may hold symbolic or unknown dims at load time; at
/// planning time they are static, and `value(i)` is the host tensor where it is known (constants
/// and shape arithmetic).
class InferContext {
 public:
  const OpDef* op = nullptr;
  const Attrs* attrs = nullptr;
  std::string_view node_name;
  std::span<const TensorType* const> inputs;  // null: absent
  std::span<const Tensor* const> values;      // null: not known; same length as inputs
  // Of inputs whose values are known in part; may be shorter than inputs, empty: not known.
  std::span<const std::vector<KnownInt>> partial;
  std::vector<TensorType> outputs;  // as many as the node has; infer fills them
  /// For kDataDependent: the largest shape output i can have (static when inputs are static).
  std::vector<Shape> bounds;  // same length as outputs; default: outputs[i].shape

  int input_count() const { return static_cast<int>(inputs.size()); }
  bool has(int i) const {
    return i < input_count() && inputs[static_cast<std::size_t>(i)] != nullptr;
  }
  const TensorType& in(int i) const { return *inputs[static_cast<std::size_t>(i)]; }
  const Tensor* value(int i) const {
    return i < static_cast<int>(values.size()) ? values[static_cast<std::size_t>(i)] : nullptr;
  }
  /// The known integer values of input i (any integer dtype), or nothing where not known.
  std::optional<std::vector<std::int64_t>> ints(int i) const;
  /// The same as far as each is known, or nothing where none is.
  std::optional<std::vector<KnownInt>> known_ints(int i) const;
  TensorType& out(int i) { return outputs[static_cast<std::size_t>(i)]; }
  template <class A>
  const A& as() const {
    return static_cast<const A&>(*attrs);
  }
  /// `[Op] node 'x': what`.
  Error fail(std::string_view what) const;
};

/// One operand of the reference: a row-major plain or encoded array. Encoded constants carry their
/// scale and zero point tensors (affine).
struct RefTensor {
  TensorType type;
  std::byte* data = nullptr;  // null: absent
  const Tensor* scale = nullptr;
  const Tensor* zero_point = nullptr;
};

/// What the reference sees: slow and plain, it is the definition of the op. Required aliases are
/// set up by the caller (the output's bytes hold the input's). For kDataDependent the output buffer
/// holds `bounds`; the reference writes packed elements and the actual shape with set_shape.
class RefContext {
 public:
  const OpDef* op = nullptr;
  const Attrs* attrs = nullptr;
  std::string_view node_name;
  std::span<const RefTensor> inputs;
  std::span<RefTensor> outputs;

  bool has(int i) const {
    return i < static_cast<int>(inputs.size()) &&
           inputs[static_cast<std::size_t>(i)].data != nullptr;
  }
  const RefTensor& in(int i) const { return inputs[static_cast<std::size_t>(i)]; }
  RefTensor& out(int i) { return outputs[static_cast<std::size_t>(i)]; }
  /// The actual shape of a data-dependent output, no larger than its bound.
  void set_shape(int i, const Shape& shape) { out(i).type.shape = shape; }
  template <class A>
  const A& as() const {
    return static_cast<const A&>(*attrs);
  }
  Error fail(std::string_view what) const;
};

/// What OpDef::host sees: whole values, strings, sequences and optionals among them.
class HostContext {
 public:
  const OpDef* op = nullptr;
  const Attrs* attrs = nullptr;
  std::string_view node_name;
  std::span<const Tensor* const> inputs;  // null: absent
  std::span<const TensorType> types;      // of the outputs, as infer gave them
  std::vector<Tensor> outputs;            // as many; `host` fills them
  std::int64_t bytes_max = 0;             // that one output may hold

  bool has(int i) const {
    return i < static_cast<int>(inputs.size()) && inputs[static_cast<std::size_t>(i)] != nullptr;
  }
  const Tensor& in(int i) const { return *inputs[static_cast<std::size_t>(i)]; }
  /// Sets output i, where the node has it.
  void give(int i, Tensor value) {
    if (static_cast<std::size_t>(i) < outputs.size()) {
      outputs[static_cast<std::size_t>(i)] = std::move(value);
    }
  }
  template <class A>
  const A& as() const {
    return static_cast<const A&>(*attrs);
  }
  Error fail(std::string_view what) const;
};

/// Runs the op's reference, and zeroes the padding of packed outputs. All that runs references goes
/// through here.
Status run_reference(RefContext& context);

/// A node as kernels, views and costs see it: no graph.
struct NodeTypes {
  const OpDef* op = nullptr;
  const Attrs* attrs = nullptr;
  std::span<const TensorType> inputs;  // static types; dtype kF32 rank 0 for an absent input
  std::span<const TensorType> outputs;
  std::span<const Tensor* const> values;  // known host values per input or null
};

/// An output whose bytes are a contiguous run of input `input`, or an input whose bytes can be
/// produced right inside output `output` (Concat along the outermost non-1 dim).
struct ViewOf {
  int index = 0;
  std::int64_t offset_bytes = 0;
};

/// Expands a polaris-domain node into plain ops that define it (see ir/decompose.h).
class DecomposeContext;

/// An operator, declared once. Semantics are ONNX's newest op-set unless domain is "polaris".
struct OpDef {
  std::string_view name;
  std::string_view domain = "";  // "" is ai.onnx
  std::string_view doc;
  int since = 1;  // ONNX op-set of these semantics
  std::span<const Port> inputs;
  std::span<const Port> outputs;
  std::uint32_t traits = 0;
  SizeRule size_rule = SizeRule::kNone;
  std::uint32_t moved = 0;  // kMove: bit i for input i, the last port's for variadic ones
  std::unique_ptr<Attrs> (*make_attrs)() = nullptr;  // null: no attributes
  Status (*infer)(InferContext&) = nullptr;
  Status (*reference)(RefContext&) = nullptr;  // null for control flow, and where `host` is all
  /// The definition where an operand or a result lives on the host alone (strings, sequences,
  /// optionals). Null: there is no such node, or strings are only moved or compared, for which
  /// `reference` serves on numbers that stand for them.
  Status (*host)(HostContext&) = nullptr;
  /// Control flow: how the node's graphs are run (ir/control.h). `infer` then only checks operands;
  /// what the outputs are follows from the graphs.
  const ControlDef* control = nullptr;
  std::span<const InPlace> inplace;
  /// Output `output` as a view of an input, for these static types, or nothing.
  std::optional<ViewOf> (*view)(const NodeTypes&, int output) = nullptr;
  /// An op that only moves elements (ir/strided_move.h): which of input 0's make output 0, for
  /// these static types and known values, or nothing where a value is not known.
  std::optional<StridedMove> (*move)(const NodeTypes&) = nullptr;
  /// Input `input` as a part of an output (index = output), or nothing.
  std::optional<ViewOf> (*part)(const NodeTypes&, int input) = nullptr;
  Status (*decompose)(DecomposeContext&) = nullptr;
  /// Floating-point operations of a node with these types; null: one per output element.
  std::int64_t (*flops)(const NodeTypes&) = nullptr;
  /// Bytes read and written by a node with these types; null: every operand once.
  std::int64_t (*bytes)(const NodeTypes&) = nullptr;
  /// Scalar definition of an elementwise op (one or two operands), used by fused chains; null where
  /// the op is not of that form.
  double (*scalar)(const Attrs&, double a, double b) = nullptr;
  /// The attributes that kernels of an elementwise op take as numbers, in their order there.
  std::span<const AttrNumber> numbers;
  const void* plugin = nullptr;  // the plugin's own record of a run-time op

  bool is(std::string_view op_name, std::string_view op_domain = "") const {
    return name == op_name && domain == op_domain;
  }
  bool has_trait(std::uint32_t trait) const { return (traits & trait) != 0; }
  bool is_control() const { return control != nullptr; }
  /// Whether the op says itself what its nodes compute.
  bool is_defined() const { return reference != nullptr || host != nullptr; }
  /// Whether strings may stand in input i.
  bool takes_strings(int i) const;
  /// Flags of input i, the last port's for variadic ones.
  std::uint32_t input_flags(int i) const;
  /// Flags of output i, likewise.
  std::uint32_t output_flags(int i) const;
};

template <class A>
std::unique_ptr<Attrs> make_attrs() {
  return std::make_unique<A>();
}

/// "Name" or "domain.Name".
std::string op_full_name(const OpDef& op);
/// invalid: "[Name] node 'x': what", or "[Name] what" of a node that has no name.
Error node_error(const OpDef& op, std::string_view node_name, std::string_view what);

}  // namespace polaris
