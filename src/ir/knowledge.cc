#include "ir/knowledge.h"

#include <algorithm>

#include "ir/evaluate.h"
#include "ir/op_util/elements.h"

namespace polaris {
namespace {

constexpr std::int64_t kTrackedElementsMax = 1024;
constexpr std::int64_t kTrackedBytesMax = 1 << 16;
// No shape is longer than a few dims; what is assembled of them may be a little longer.
constexpr std::int64_t kPartialElementsMax = 64;

bool holds_sizes(DType dtype) { return dtype == DType::kI64 || dtype == DType::kI32; }

std::int64_t bytes_of(const HostValue& value) {
  std::int64_t bytes = static_cast<std::int64_t>(value.data.bytes().size());
  for (const SizeForm& form : value.forms) {
    bytes += static_cast<std::int64_t>(sizeof form + form.terms.size() * sizeof(SizeForm::Term));
  }
  return bytes;
}

/// The value of these elements; `data` holds those that are numbers.
HostValue assemble(Tensor data, std::vector<SizeForm> forms) {
  const bool numbers = std::all_of(forms.begin(), forms.end(),
                                   [](const SizeForm& form) { return form.is_number(); });
  for (std::size_t e = 0; e < forms.size(); ++e) {
    store_i64(data.dtype(), data.mutable_bytes().data(), static_cast<std::int64_t>(e),
              forms[e].is_number() ? forms[e].constant : 1);
  }
  HostValue out;
  out.data = std::move(data);
  if (!numbers) out.forms = std::move(forms);
  return out;
}

}  // namespace

void Knowledge::load_constant(ValueId id) {
  const Value& value = graph_.value(id);
  if (value.constant && value.constant->data && value.type.encoding.is_plain()) {
    host(id).data = value.constant->data;
  }
}

std::vector<KnownInt> Knowledge::partial(ValueId id) const {
  const HostValue& value = values_[id];
  std::vector<KnownInt> out;
  if (!value.is_partial()) return out;
  for (const SizeForm& form : value.forms) {
    KnownInt element;
    const auto dim = form.as_dim();
    if (form.is_number()) {
      element = {KnownInt::Kind::kNumber, form.constant};
    } else if (dim && *dim < budget_.symbol_count) {
      element = {KnownInt::Kind::kDim, symbol_dim(*dim)};
    }
    out.push_back(element);
  }
  return out;
}

bool Knowledge::may_track(const Node& node) {
  const OpDef& op = *node.op;
  if (!op.has_trait(kFoldable) || op.has_trait(kDataDependent | kStateful)) return false;
  if (!op.is_defined()) return false;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!reads_data(node, i)) continue;
    const HostValue& value = host(node.inputs[i]);
    if (!value.data || value.data.elements() > kTrackedElementsMax) return false;
  }
  return std::all_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
    if (!id.valid()) return true;
    if (!graph_.value(id).type.is_tensor()) return false;
    const auto elements = graph_.value(id).type.shape.checked_elements();
    return elements && *elements <= kTrackedElementsMax;
  });
}

void Knowledge::track(const Node& node) {
  if (budget_.bytes_left <= 0 || !may_track(node)) return;
  bool partial = false;
  bool is_short = true;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i].valid()) continue;
    if (!reads_data(node, i)) {
      partial |= !graph_.value(node.inputs[i]).type.shape.is_static();
      continue;
    }
    partial |= host(node.inputs[i]).is_partial();
    is_short &= host(node.inputs[i]).data.elements() <= kPartialElementsMax;
  }
  if (!partial) return evaluate_known(node);
  for (ValueId id : node.outputs) {
    is_short &= !id.valid() || graph_.value(id).type.shape.elements() <= kPartialElementsMax;
  }
  if (!is_short) return;
  switch (node.op->size_rule) {
    case SizeRule::kNone: break;
    case SizeRule::kMove: return move(node);
    case SizeRule::kCompare: return compare(node);
    case SizeRule::kSum:
    case SizeRule::kDifference:
    case SizeRule::kProduct:
    case SizeRule::kQuotient: return calculate(node);
  }
  // Nothing is known but how many there are, so that a shape built of them has its rank.
  for (ValueId id : node.outputs) {
    if (!id.valid() || !holds_sizes(graph_.value(id).type.dtype)) continue;
    auto data = Tensor::allocate(graph_.value(id).type);
    if (!data) continue;
    const auto count = static_cast<std::size_t>(data->elements());
    keep(id, assemble(data.take(), std::vector<SizeForm>(count)));
  }
}

void Knowledge::keep(ValueId id, HostValue value) {
  budget_.bytes_left -= bytes_of(value);
  host(id) = std::move(value);
}

std::optional<std::vector<Tensor>> Knowledge::run(const Node& node,
                                                  std::span<const Tensor* const> inputs) const {
  auto outputs = evaluate_node(*node.op, *node.attrs, node.name, inputs,
                               static_cast<int>(node.outputs.size()), kTrackedBytesMax);
  // A bad shape computation is reported where its value is used.
  if (!outputs) return std::nullopt;
  return outputs.take();
}

void Knowledge::evaluate_known(const Node& node) {
  std::vector<Tensor> typed(node.inputs.size());
  std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i].valid()) continue;
    if (!reads_data(node, i))
      typed[i] = Tensor::view(graph_.value(node.inputs[i]).type, {}, nullptr);
    inputs[i] = reads_data(node, i) ? &host(node.inputs[i]).data : &typed[i];
  }
  auto outputs = run(node, inputs);
  if (!outputs) return;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].valid()) keep(node.outputs[i], {std::move((*outputs)[i]), {}});
  }
}

SizeForm Knowledge::form_of(const HostValue& value, std::int64_t element) const {
  if (!value.forms.empty()) return value.forms[static_cast<std::size_t>(element)];
  return SizeForm::number(element_as_i64(value.data, element));
}

SizeForm Knowledge::form_of_dim(ValueId id, int dim) {
  const std::int64_t size = graph_.value(id).type.shape[dim];
  if (is_static_dim(size)) return SizeForm::number(size);
  if (is_symbol_dim(size)) return SizeForm::dim(symbol_of(size));
  const auto [found, fresh] = unknown_ids_.try_emplace({id, dim}, budget_.next_id);
  if (fresh) ++budget_.next_id;
  return SizeForm::dim(found->second);
}

bool Knowledge::is_moved(const Node& node, std::size_t input) const {
  const std::size_t port = std::min(input, node.op->inputs.size() - 1);
  return ((node.op->moved >> port) & 1u) != 0;
}

/// A tensor like input `input` that holds, for each element (of kTypeOnly ops: as each dim), one
/// more than the index in `sources` of what stands there.
Tensor Knowledge::tags_of(const Node& node, std::size_t input, std::vector<SizeForm>& sources) {
  const ValueId id = node.inputs[input];
  if (!reads_data(node, input)) {
    TensorType type = graph_.value(id).type;
    for (int d = 0; d < type.shape.rank(); ++d) {
      sources.push_back(form_of_dim(id, d));
      type.shape[d] = static_cast<std::int64_t>(sources.size());
    }
    return Tensor::view(type, {}, nullptr);
  }
  const HostValue& value = host(id);
  if (!holds_sizes(value.data.dtype())) return {};
  auto tags = Tensor::allocate(value.data.type());
  if (!tags) return {};
  for (std::int64_t e = 0; e < value.data.elements(); ++e) {
    sources.push_back(form_of(value, e));
    store_i64(tags->dtype(), tags->mutable_bytes().data(), e,
              static_cast<std::int64_t>(sources.size()));
  }
  return tags.take();
}

// The reference moves tags instead of the elements; the tags tell where each of them went.
void Knowledge::move(const Node& node) {
  std::vector<SizeForm> sources;
  std::vector<Tensor> tags(node.inputs.size());
  std::vector<const Tensor*> inputs(node.inputs.size(), nullptr);
  DType dtype = DType::kI64;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i].valid()) continue;
    if (is_moved(node, i)) {
      tags[i] = tags_of(node, i, sources);
      if (reads_data(node, i)) dtype = tags[i] ? tags[i].dtype() : DType::kBool;
      inputs[i] = &tags[i];
    } else {
      if (!host(node.inputs[i]).is_known()) return;
      inputs[i] = &host(node.inputs[i]).data;
    }
  }
  if (!holds_sizes(dtype)) return;
  auto outputs = run(node, inputs);
  if (!outputs) return;
  for (std::size_t i = 0; i < outputs->size(); ++i) {
    Tensor& moved = (*outputs)[i];
    if (!node.outputs[i].valid() || !holds_sizes(moved.dtype())) continue;
    const bool narrows = moved.dtype() == DType::kI32 && dtype == DType::kI64;
    std::vector<SizeForm> forms;
    for (std::int64_t e = 0; e < moved.elements(); ++e) {
      const std::int64_t tag = element_as_i64(moved, e);
      SizeForm form = tag == 0 ? SizeForm::number(0) : sources[static_cast<std::size_t>(tag - 1)];
      // A size may lose bits, so the narrow one is not the dim any more.
      const bool kept =
          !narrows || (form.is_number() && std::in_range<std::int32_t>(form.constant));
      forms.push_back(kept ? std::move(form) : SizeForm::unknown());
    }
    keep(node.outputs[i], assemble(std::move(moved), std::move(forms)));
  }
}

/// Elements whose operands are numbers by the reference, the others as forms.
void Knowledge::calculate(const Node& node) {
  const HostValue& a = host(node.inputs[0]);
  const HostValue& b = host(node.inputs[1]);
  if (!holds_sizes(a.data.dtype())) return;
  const Tensor* inputs[] = {&a.data, &b.data};
  auto outputs = run(node, inputs);
  if (!outputs) return;
  Tensor& out = (*outputs)[0];
  const bool narrow = out.dtype() != DType::kI64;
  Walk walk(out.shape());
  walk.add_broadcast(a.data.shape());
  walk.add_broadcast(b.data.shape());
  std::vector<SizeForm> forms;
  for (std::int64_t e = 0; e < walk.size(); ++e, walk.next()) {
    const SizeForm left = form_of(a, walk[0]);
    const SizeForm right = form_of(b, walk[1]);
    if (left.is_number() && right.is_number()) {
      forms.push_back(SizeForm::number(element_as_i64(out, e)));
    } else {
      forms.push_back(narrow ? SizeForm::unknown() : combine(node.op->size_rule, left, right));
    }
  }
  keep(node.outputs[0], assemble(std::move(out), std::move(forms)));
}

/// What a comparison says of a difference below, at and above 0 is asked of the reference.
void Knowledge::compare(const Node& node) {
  const HostValue& a = host(node.inputs[0]);
  const HostValue& b = host(node.inputs[1]);
  if (!holds_sizes(a.data.dtype())) return;
  constexpr std::int64_t kLeft[] = {0, 0, 1};
  constexpr std::int64_t kRight[] = {1, 0, 0};
  auto left = Tensor::allocate(a.data.dtype(), {3});
  auto right = Tensor::allocate(a.data.dtype(), {3});
  auto out = Tensor::allocate(graph_.value(node.outputs[0]).type);
  if (!left || !right || !out) return;
  for (std::int64_t i = 0; i < 3; ++i) {
    store_i64(left->dtype(), left->mutable_bytes().data(), i, kLeft[i]);
    store_i64(right->dtype(), right->mutable_bytes().data(), i, kRight[i]);
  }
  const Tensor* inputs[] = {&*left, &*right};
  auto answers = run(node, inputs);
  if (!answers) return;
  Walk walk(out->shape());
  walk.add_broadcast(a.data.shape());
  walk.add_broadcast(b.data.shape());
  std::vector<SizeForm> forms;
  for (std::int64_t e = 0; e < walk.size(); ++e, walk.next()) {
    const Signs signs =
        signs_of(combine(SizeRule::kDifference, form_of(a, walk[0]), form_of(b, walk[1])));
    const bool may[] = {signs.negative, signs.zero, signs.positive};
    bool yes = false;
    bool no = false;
    for (std::int64_t i = 0; i < 3; ++i) {
      if (may[i]) (element_as_i64((*answers)[0], i) != 0 ? yes : no) = true;
    }
    forms.push_back(yes != no ? SizeForm::number(yes ? 1 : 0) : SizeForm::unknown());
  }
  keep(node.outputs[0], assemble(out.take(), std::move(forms)));
}

}  // namespace polaris
