// Control flow: what its bodies read from outside becomes explicit inputs.
#include <set>
#include <utility>

#include "ir/op_attrs/control.h"
#include "ir/op_attrs/sequence.h"
#include "load/onnx/importer.h"

namespace polaris::onnx {
namespace {

// The free names of the bodies that are not constants outside, each once.
Result<std::vector<std::string_view>> captures_of(NodeImport& node,
                                                  std::span<const GraphDef* const> bodies) {
  std::vector<std::string_view> out;
  std::set<std::string_view> seen;
  for (const GraphDef* body : bodies) {
    for (std::string_view name : free_names(*body)) {
      const ValueId value = node.importer().resolve(name);
      if (!value.valid()) {
        return node.fail("its body reads '" + std::string(name) + "', which is never made");
      }
      if (node.importer().graph().value(value).constant) continue;
      if (seen.insert(name).second) out.push_back(name);
    }
  }
  return out;
}

Result<const GraphDef*> body_of(NodeImport& node, std::string_view name) {
  if (Status s = node.require(name); !s) return s.error();
  const AttrDef* attr = node.attrs.find(name);
  if (attr == nullptr || attr->type != AttrType::kGraph) {
    return node.fail("attribute '" + std::string(name) + "', wanted GRAPH");
  }
  return attr->graph.get();
}

using Graphs = std::vector<std::shared_ptr<Graph>>;

/// `depth`: of the bodies below the node.
Result<Graphs> import_bodies(NodeImport& node, std::span<const GraphDef* const> bodies,
                             std::span<const std::string_view> captures, int depth = 1) {
  GraphImporter& in = node.importer();
  Graphs out;
  for (const GraphDef* body : bodies) {
    GraphImporter inner(in.file(), &in, in.depth() + depth);
    auto graph = inner.import(*body, captures);
    if (!graph) return graph.error();
    out.push_back(std::make_shared<Graph>(graph.take()));
  }
  return out;
}

Status add_bodies(NodeImport& node, std::unique_ptr<Attrs> attrs, Graphs graphs,
                  std::span<const std::string_view> captures) {
  GraphImporter& in = node.importer();
  const OpDef* op = in.file().ops.find(node.op);
  if (op == nullptr) return node.unsupported("op is not supported");
  for (std::string_view name : captures) node.inputs.push_back(in.resolve(name));
  const NodeDef& def = node.def();
  const NodeId id =
      in.graph().add_node(op, std::move(attrs), node.inputs, static_cast<int>(def.outputs.size()),
                          std::string(def.name.empty() ? def.outputs[0] : def.name));
  in.graph().node(id).subgraphs = std::move(graphs);
  // bind_outputs names them; done() keeps the plain path from adding the node again.
  if (Status s = in.bind_outputs(id, def); !s) return s;
  return node.set_output(def.outputs.size(), kNoValue);
}

Status add_control(NodeImport& node, std::unique_ptr<Attrs> attrs,
                   std::span<const GraphDef* const> bodies,
                   std::span<const std::string_view> captures) {
  auto graphs = import_bodies(node, bodies, captures);
  if (!graphs) return graphs.error();
  return add_bodies(node, std::move(attrs), graphs.take(), captures);
}

Status only_attributes(NodeImport& node, std::size_t count) {
  if (node.attrs.all().size() == count && node.output_count() > 0) return Status::success();
  return node.fail("wanted outputs, and no other attributes than its bodies");
}

}  // namespace

Status if_node(NodeImport& node) {
  const auto then_body = body_of(node, "then_branch");
  const auto else_body = body_of(node, "else_branch");
  if (!then_body) return then_body.error();
  if (!else_body) return else_body.error();
  if (Status s = only_attributes(node, 2); !s) return s;
  if (!node.has_input(0) || node.inputs.size() != 1) return node.fail("wanted one input");
  const GraphDef* bodies[] = {*then_body, *else_body};
  for (const GraphDef* body : bodies) {
    if (!body->inputs.empty()) return node.fail("a branch has inputs of its own");
  }
  const auto captures = captures_of(node, bodies);
  if (!captures) return captures.error();
  return add_control(node, nullptr, bodies, *captures);
}

Status loop_node(NodeImport& node) {
  const auto body = body_of(node, "body");
  if (!body) return body.error();
  if (Status s = only_attributes(node, 1); !s) return s;
  // Trailing absent inputs were cut; the op's own two keep their places.
  if (node.inputs.size() < 2) node.inputs.resize(2, kNoValue);
  if (node.inputs.size() != (*body)->inputs.size()) {
    return node.fail("inputs of the body, got " + std::to_string((*body)->inputs.size()) +
                     ", wanted " + std::to_string(node.inputs.size()));
  }
  const GraphDef* bodies[] = {*body};
  const auto captures = captures_of(node, bodies);
  if (!captures) return captures.error();
  auto attrs = std::make_unique<LoopAttrs>();
  attrs->captures = static_cast<std::int64_t>(captures->size());
  return add_control(node, std::move(attrs), bodies, *captures);
}

Status sequence_map(NodeImport& node) {
  const auto body = body_of(node, "body");
  if (!body) return body.error();
  if (Status s = only_attributes(node, 1); !s) return s;
  if (node.inputs.size() != (*body)->inputs.size()) {
    return node.fail("inputs of the body, got " + std::to_string((*body)->inputs.size()) +
                     ", wanted " + std::to_string(node.inputs.size()));
  }
  for (ValueId input : node.inputs) {
    if (!input.valid()) return node.fail("an input is missing");
  }
  const GraphDef* bodies[] = {*body};
  const auto captures = captures_of(node, bodies);
  if (!captures) return captures.error();
  auto attrs = std::make_unique<SequenceMapAttrs>();
  attrs->captures = static_cast<std::int64_t>(captures->size());
  return add_control(node, std::move(attrs), bodies, *captures);
}

namespace {

/// A Scan as the file has it: body, what it captures, attributes without either.
struct ScanImport {
  const GraphDef* body = nullptr;
  std::vector<std::string_view> captures;
  std::unique_ptr<ScanAttrs> attrs = std::make_unique<ScanAttrs>();
};

Result<ScanImport> read_scan(NodeImport& node) {
  ScanImport out;
  const auto body = body_of(node, "body");
  if (!body) return body.error();
  out.body = *body;
  if (Status s = node.require("num_scan_inputs"); !s) return s.error();
  if (node.attrs.find("captures") != nullptr) return node.fail("has no attribute 'captures'");
  node.attrs.drop("body");
  const OpDef* op = node.importer().file().ops.find("Scan");
  if (op == nullptr) return node.unsupported("op is not supported");
  if (Status s = import_attrs(node.attrs, node.importer().file().source, *out.attrs); !s) {
    return node.fail(s.error().message());
  }
  if (node.output_count() == 0) return node.fail("wanted outputs");
  const std::int64_t inputs = static_cast<std::int64_t>(node.inputs.size());
  if (out.attrs->num_scan_inputs < 1 || out.attrs->num_scan_inputs > inputs) {
    return node.fail("attribute 'num_scan_inputs', got " +
                     std::to_string(out.attrs->num_scan_inputs) + " of " + std::to_string(inputs) +
                     " inputs");
  }
  if (node.inputs.size() != out.body->inputs.size()) {
    return node.fail("inputs of the body, got " + std::to_string(out.body->inputs.size()) +
                     ", wanted " + std::to_string(inputs));
  }
  for (ValueId input : node.inputs) {
    if (!input.valid()) return node.fail("an input is missing");
  }
  const GraphDef* bodies[] = {out.body};
  auto captures = captures_of(node, bodies);
  if (!captures) return captures.error();
  out.captures = captures.take();
  out.attrs->captures = static_cast<std::int64_t>(out.captures.size());
  return out;
}

}  // namespace

Status scan_node(NodeImport& node) {
  auto scan = read_scan(node);
  if (!scan) return scan.error();
  const GraphDef* bodies[] = {scan->body};
  return add_control(node, std::move(scan->attrs), bodies, scan->captures);
}

// Scan before op-set 9 has a batch as the first dim of everything: a Scan over it, without carried
// values, whose body is the Scan as we know it.
Status batched_scan(NodeImport& node) {
  if (node.has_input(0)) return node.unsupported("sequence_lens is given");
  if (!node.inputs.empty()) node.inputs.erase(node.inputs.begin());
  std::vector<std::int64_t> directions;
  for (std::string_view name :
       {"scan_input_axes", "scan_input_directions", "scan_output_axes", "scan_output_directions"}) {
    if (node.attrs.find(name) != nullptr) {
      return node.fail("has no attribute '" + std::string(name) + "' before op-set 9");
    }
  }
  if (node.attrs.find("directions") != nullptr) {
    const auto values = node.attrs.get_ints("directions");
    if (!values) return node.fail("attribute 'directions', wanted INTS");
    directions = *values;
    node.attrs.drop("directions");
  }
  auto scan = read_scan(node);
  if (!scan) return scan.error();
  scan->attrs->scan_input_directions = std::move(directions);
  const GraphDef* bodies[] = {scan->body};
  auto inner = import_bodies(node, bodies, scan->captures, 2);
  if (!inner) return inner.error();
  auto batch = std::make_shared<Graph>();
  batch->share_symbols(node.importer().graph());
  batch->name = scan->body->name;
  std::vector<ValueId> slices;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    slices.push_back(batch->add_input(std::string(scan->body->inputs[i].name), {}));
  }
  for (std::string_view name : scan->captures) {
    slices.push_back(batch->add_input(std::string(name), {}));
  }
  auto outer = std::make_unique<ScanAttrs>();
  outer->num_scan_inputs = static_cast<std::int64_t>(node.inputs.size());
  outer->captures = scan->attrs->captures;
  const auto outputs = static_cast<int>(node.output_count());
  const NodeId id = batch->add_node(node.importer().file().ops.find("Scan"), std::move(scan->attrs),
                                    slices, outputs, "sequence");
  batch->node(id).subgraphs = inner.take();
  for (int i = 0; i < outputs; ++i) {
    const ValueId output = batch->node(id).outputs[static_cast<std::size_t>(i)];
    batch->mark_output(output, "output" + std::to_string(i));
  }
  return add_bodies(node, std::move(outer), {batch}, scan->captures);
}

}  // namespace polaris::onnx
