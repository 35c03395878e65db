#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"

/// Control flow, declared once: an op says in OpDef::control which graphs ("regions") its nodes
/// hold, what feeds each of their inputs, and what becomes of their outputs. Verifier, infer,
/// evaluator, executor and passes read the ControlView of a node and know no op by name.
namespace polaris {

/// What an input of a region is given.
struct RegionInput {
  enum class From : std::uint8_t {
    kOperand,  // input `operand` of the node, the same in every round
    kCarried,  // that input in the first round, then the body's output `output`
    kElement,  // the round's slice of that input along `axis`, without that dim
    kItem,     // the round's item of that input where it is a sequence, else as kOperand
    kRound,    // int64[]: how many rounds there were before
    kTrue,     // bool[]: true
  };
  From from = From::kOperand;
  int operand = -1;
  int output = -1;
  std::int64_t axis = 0;  // negative: from the back
  bool backward = false;  // the last slice first
};

struct Region {
  std::vector<RegionInput> inputs;
  int outputs = 0;
};

/// What an output of the node is.
struct ControlResult {
  enum class From : std::uint8_t {
    kRegion,   // output `index` of the region that ran
    kLast,     // what is carried from operand `index`, after the last round
    kStacked,  // output `index` of the body, of all rounds, along a new dim `axis`
    kListed,   // output `index` of the body, of all rounds, as a sequence
  };
  From from = From::kRegion;
  int index = 0;
  std::int64_t axis = 0;
  bool backward = false;  // the last round first
};

/// A node of control flow as everybody sees it. An op's `map` fills it from the number of inputs,
/// outputs, regions and captures, and the attributes.
struct ControlView {
  enum class Form : std::uint8_t {
    kChoice,  // one region runs once
    kRounds,  // region `body` runs again and again
  };
  enum class Choose : std::uint8_t {
    kOnly,           // region 0
    kFirstIfTrue,    // region 0 where `selector` is true, else region 1
    kIndexElseLast,  // region `selector`; the last one where there is no such region
  };

  // Given to `map`.
  const OpDef* op = nullptr;
  const Attrs* attrs = nullptr;
  std::string_view node_name;
  int inputs = 0;
  int outputs = 0;
  int captures = 0;  // the last inputs: each the same operand to each region, last in it

  // Filled by `map`, but for the captures at the end of each region's inputs.
  std::vector<Region> regions;
  std::vector<ControlResult> results;  // by output of the node
  Form form = Form::kChoice;
  Choose choose = Choose::kOnly;
  int selector = -1;  // operand: one bool or integer
  int body = 0;
  // What ends the rounds; any that is not -1 does.
  std::int64_t most = -1;  // most rounds, as the attributes say
  int trips = -1;          // operand: most rounds, one int64
  int first = -1;          // operand: one bool, whether there is a first round
  int again = -1;          // output of the body: one bool, whether there is another round
  int condition =
      -1;  // region whose one output, a bool, says before each round whether there is one
  // and the length of the scanned operands and of the sequences, where there are any.

  template <class A>
  const A& as() const {
    return static_cast<const A&>(*attrs);
  }
  /// Inputs that are neither the op's own `own` first ones nor captures.
  int carried(int own) const { return inputs - captures - own; }
  /// A choice whose regions all give the node's outputs.
  void choice(Choose rule, int operand);
  /// Operand `operand` goes into every region, and the body's output `output` after it.
  void carry(int operand, int output);
  /// The operand's port, for errors.
  std::string_view port(int operand) const;
  /// `[Op] node 'x': what`.
  Error fail(std::string_view what) const;
};

/// An op's control flow, as OpDef::control points to it.
struct ControlDef {
  int regions = 1;     // 0: one or more, as many as the node has
  int own_inputs = 0;  // inputs before those that may be captures
  bool counts_captures =
      false;           // the attributes are ControlAttrs; else all other inputs are captures
  bool calls = false;  // several nodes may run one graph
  Status (*map)(ControlView&) = nullptr;
};

/// The node's view, its graphs' inputs and outputs counted. Errors: invalid, where node, graphs and
/// op do not fit.
Result<ControlView> control_view(const Node& node);

/// Dim `axis` of a value of that rank. Errors: invalid where it has no such dim.
Result<int> scan_axis(const ControlView& view, std::int64_t axis, int rank);

}  // namespace polaris
