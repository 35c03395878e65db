// If and Loop: what their bodies read from outside becomes explicit inputs.
#include <set>

#include "ir/op_attrs/control.h"
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

Status add_control(NodeImport& node, std::unique_ptr<Attrs> attrs,
                   std::span<const GraphDef* const> bodies,
                   std::span<const std::string_view> captures) {
  GraphImporter& in = node.importer();
  const OpDef* op = in.file().ops.find(node.op);
  if (op == nullptr) return node.unsupported("op is not supported");
  for (std::string_view name : captures) node.inputs.push_back(in.resolve(name));
  std::vector<std::shared_ptr<Graph>> graphs;
  for (const GraphDef* body : bodies) {
    GraphImporter inner(in.file(), &in, in.depth() + 1);
    auto graph = inner.import(*body, captures);
    if (!graph) return graph.error();
    graphs.push_back(std::make_shared<Graph>(graph.take()));
  }
  const NodeDef& def = node.def();
  const NodeId id =
      in.graph().add_node(op, std::move(attrs), node.inputs, static_cast<int>(def.outputs.size()),
                          std::string(def.name.empty() ? def.outputs[0] : def.name));
  in.graph().node(id).subgraphs = std::move(graphs);
  // bind_outputs names them; done() keeps the plain path from adding the node again.
  if (Status s = in.bind_outputs(id, def); !s) return s;
  return node.set_output(def.outputs.size(), kNoValue);
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

}  // namespace polaris::onnx
