// Operators that bring an axis to one number.
#include "load/tflite/importer.h"

namespace polaris::tflite {
namespace {

ValueId axes(OperatorImport& o) { return o.builder().reshape(o.index(1), {-1}); }

ValueId reduced(OperatorImport& o, std::string_view op, ValueId x) {
  return o.add(op, {x, axes(o)}, {{"keepdims", o.flag(0)}, {"noop_with_empty_axes", true}});
}

void reduce(OperatorImport& o, std::string_view op) { o.give(0, reduced(o, op, o.real(0))); }

/// The largest or smallest stays one of the elements.
void pick(OperatorImport& o, std::string_view op) { o.give_moved(0, reduced(o, op, o.moved(0))); }

void arg(OperatorImport& o, std::string_view op) {
  const auto axis = o.needed_ints(1);
  if (axis.size() != 1) return o.fail("axis, wanted one number");
  const ValueId at = o.add(op, {o.raw(0)}, {{"axis", axis[0]}, {"keepdims", false}});
  o.give_raw(0, o.builder().cast(at, o.out_dtype()));
}

}  // namespace

void mean(OperatorImport& o) { reduce(o, "ReduceMean"); }
void sum(OperatorImport& o) { reduce(o, "ReduceSum"); }
void reduce_prod(OperatorImport& o) { reduce(o, "ReduceProd"); }
void reduce_max(OperatorImport& o) { pick(o, "ReduceMax"); }
void reduce_min(OperatorImport& o) { pick(o, "ReduceMin"); }
void reduce_any(OperatorImport& o) { o.give_raw(0, reduced(o, "ReduceMax", o.raw(0))); }
void reduce_all(OperatorImport& o) { o.give_raw(0, reduced(o, "ReduceMin", o.raw(0))); }

void arg_max(OperatorImport& o) { arg(o, "ArgMax"); }
void arg_min(OperatorImport& o) { arg(o, "ArgMin"); }

void topk_v2(OperatorImport& o) {
  Builder& b = o.builder();
  const auto found = b.add_all("TopK", {o.moved(0), b.reshape(o.index(1), {1})}, 2);
  o.give_moved(0, found[0]);
  if (o.has_output(1)) o.give_raw(1, b.cast(found[1], o.out_dtype(1)));
}

void cumsum(OperatorImport& o) {
  const ValueId axis = o.builder().reshape(o.index(1), std::initializer_list<std::int64_t>{});
  o.give(0, o.add("CumSum", {o.real(0), axis}, {{"exclusive", o.flag(0)}, {"reverse", o.flag(1)}}));
}

}  // namespace polaris::tflite
