#include <cmath>
#include <map>

#include "ir/op_util/elements.h"
#include "ir/op_util/ml.h"

namespace polaris {
namespace {

/// Keys and values stand in one attribute each, of whichever type: the value of key i is value i.
struct LabelEncoderAttrs final : AttrsOf<LabelEncoderAttrs> {
  float default_float = -0.0f;
  std::int64_t default_int64 = -1;
  std::string default_string = "_Unused";
  Tensor default_tensor;
  std::vector<float> keys_floats;
  std::vector<std::int64_t> keys_int64s;
  std::vector<std::string> keys_strings;
  Tensor keys_tensor;
  std::vector<float> values_floats;
  std::vector<std::int64_t> values_int64s;
  std::vector<std::string> values_strings;
  Tensor values_tensor;

  void visit(AttrVisitor& v) override {
    v.field("default_float", default_float);
    v.field("default_int64", default_int64);
    v.field("default_string", default_string);
    v.field("default_tensor", default_tensor);
    v.field("keys_floats", keys_floats);
    v.field("keys_int64s", keys_int64s);
    v.field("keys_strings", keys_strings);
    v.field("keys_tensor", keys_tensor);
    v.field("values_floats", values_floats);
    v.field("values_int64s", values_int64s);
    v.field("values_strings", values_strings);
    v.field("values_tensor", values_tensor);
  }
};

constexpr DTypeSet kLabelTypes =
    dtype_set(DType::kF32, DType::kF64, DType::kI64, DType::kI32, DType::kI16) | kStringTypes;
constexpr std::int64_t kNoPlace = -1;

/// One side of the mapping, in whichever attribute it stands.
struct Side {
  const std::vector<float>& floats;
  const std::vector<std::int64_t>& ints;
  const std::vector<std::string>& strings;
  const Tensor& tensor;

  int given() const {
    return int{!floats.empty()} + int{!ints.empty()} + int{!strings.empty()} +
           int{static_cast<bool>(tensor)};
  }
  DType dtype() const {
    if (tensor) return tensor.dtype();
    return !floats.empty() ? DType::kF32 : !ints.empty() ? DType::kI64 : DType::kString;
  }
  std::int64_t size() const {
    if (tensor) return tensor.elements();
    return static_cast<std::int64_t>(floats.size() + ints.size() + strings.size());
  }
  double real(std::int64_t i) const {
    return tensor ? element_as_f64(tensor, i)
                  : static_cast<double>(floats[static_cast<std::size_t>(i)]);
  }
  std::int64_t integer(std::int64_t i) const {
    return tensor ? element_as_i64(tensor, i) : ints[static_cast<std::size_t>(i)];
  }
  std::string_view text(std::int64_t i) const {
    return tensor ? tensor.string(i) : std::string_view(strings[static_cast<std::size_t>(i)]);
  }
};

Side keys_of(const LabelEncoderAttrs& a) {
  return {a.keys_floats, a.keys_int64s, a.keys_strings, a.keys_tensor};
}
Side values_of(const LabelEncoderAttrs& a) {
  return {a.values_floats, a.values_int64s, a.values_strings, a.values_tensor};
}

Status check_tensor(const InferContext& c, std::string_view what, const Tensor& tensor) {
  if (!tensor || (contains(kLabelTypes, tensor.dtype()) && tensor.type().encoding.is_plain())) {
    return Status::success();
  }
  return c.fail(std::string(what) + " type, got " + tensor.type().to_string());
}

Status check_default(const InferContext& c, const Tensor& value, DType dtype) {
  if (!value || (value.dtype() == dtype && value.elements() == 1)) return Status::success();
  return c.fail("default_tensor, got " + value.type().to_string() + ", wanted one " +
                std::string(dtype_name(dtype)));
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<LabelEncoderAttrs>();
  const Side keys = keys_of(attrs);
  const Side values = values_of(attrs);
  if (auto s = all_of(check_one_given(c, "keys_*", keys.given()),
                      check_one_given(c, "values_*", values.given()),
                      check_tensor(c, "keys_tensor", attrs.keys_tensor),
                      check_tensor(c, "values_tensor", attrs.values_tensor),
                      check_count(c, "values_*", static_cast<std::size_t>(values.size()),
                                  static_cast<std::size_t>(keys.size())),
                      check_default(c, attrs.default_tensor, values.dtype()),
                      check_dtype(c, 0, dtype_bit(keys.dtype())));
      !s) {
    return s;
  }
  set_output(c, 0, values.dtype(), c.in(0).shape);
  return Status::success();
}

/// Where each of `count` elements stands among the keys; the first of equals counts.
template <class Key, class KeyAt, class At>
std::vector<std::int64_t> find_all(std::int64_t keys, KeyAt key_at, std::int64_t count, At at) {
  std::map<Key, std::int64_t> places;
  for (std::int64_t i = 0; i < keys; ++i) places.emplace(key_at(i), i);
  std::vector<std::int64_t> out;
  out.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const auto found = places.find(at(i));
    out.push_back(found == places.end() ? kNoPlace : found->second);
  }
  return out;
}

/// A number as a key: all NaN are one, which a map's order has no place for.
using RealKey = std::pair<bool, double>;
RealKey real_key(double value) {
  return std::isnan(value) ? RealKey{true, 0} : RealKey{false, value};
}

std::vector<std::int64_t> find_numbers(const Side& keys, DType dtype, const std::byte* data,
                                       std::int64_t count) {
  if (is_float(dtype)) {
    return find_all<RealKey>(
        keys.size(), [&](std::int64_t i) { return real_key(keys.real(i)); }, count,
        [&](std::int64_t i) { return real_key(load_f64(dtype, data, i)); });
  }
  return find_all<std::int64_t>(
      keys.size(), [&](std::int64_t i) { return keys.integer(i); }, count,
      [&](std::int64_t i) { return load_i64(dtype, data, i); });
}

double default_real(const LabelEncoderAttrs& a) {
  if (a.default_tensor) return element_as_f64(a.default_tensor, 0);
  return a.values_tensor ? -0.0 : static_cast<double>(a.default_float);
}
std::int64_t default_integer(const LabelEncoderAttrs& a) {
  if (a.default_tensor) return element_as_i64(a.default_tensor, 0);
  return a.values_tensor ? -1 : a.default_int64;
}
std::string_view default_text(const LabelEncoderAttrs& a) {
  if (a.default_tensor) return a.default_tensor.string(0);
  return a.values_tensor ? "_Unused" : std::string_view(a.default_string);
}

void put_numbers(const LabelEncoderAttrs& attrs, const std::vector<std::int64_t>& places,
                 DType dtype, std::byte* out) {
  const Side values = values_of(attrs);
  for (std::size_t k = 0; k < places.size(); ++k) {
    const auto i = static_cast<std::int64_t>(k);
    const bool found = places[k] != kNoPlace;
    if (is_float(dtype)) {
      store_f64(dtype, out, i, found ? values.real(places[k]) : default_real(attrs));
    } else {
      store_i64(dtype, out, i, found ? values.integer(places[k]) : default_integer(attrs));
    }
  }
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<LabelEncoderAttrs>();
  const RefTensor& x = c.in(0);
  put_numbers(attrs, find_numbers(keys_of(attrs), x.type.dtype, x.data, x.type.shape.elements()),
              c.out(0).type.dtype, c.out(0).data);
  return Status::success();
}

Status host(HostContext& c) {
  const auto& attrs = c.as<LabelEncoderAttrs>();
  const Side keys = keys_of(attrs);
  const Side values = values_of(attrs);
  const Tensor& x = c.in(0);
  const std::vector<std::int64_t> places =
      x.dtype() != DType::kString ? find_numbers(keys, x.dtype(), x.bytes().data(), x.elements())
                                  : find_all<std::string_view>(
                                        keys.size(), [&](std::int64_t i) { return keys.text(i); },
                                        x.elements(), [&](std::int64_t i) { return x.string(i); });
  if (c.types[0].dtype != DType::kString) {
    auto out = allocate_output(c, 0);
    if (!out) return out.error();
    put_numbers(attrs, places, out->dtype(), out->mutable_bytes().data());
    c.give(0, out.take());
    return Status::success();
  }
  std::vector<std::string_view> strings;
  for (const std::int64_t place : places) {
    strings.push_back(place == kNoPlace ? default_text(attrs) : values.text(place));
  }
  auto out = make_strings(c, x.shape(), strings);
  if (!out) return out.error();
  c.give(0, out.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"X", kStrings}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_label_encoder{
    .name = "LabelEncoder",
    .domain = kMlDomain,
    .doc =
        "For each element the value of the key that it is, or a default; numbers and strings. All "
        "NaN are one key, and the first of equal keys counts.",
    .since = 4,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<LabelEncoderAttrs>,
    .infer = infer,
    .reference = reference,
    .host = host,
};

}  // namespace polaris
