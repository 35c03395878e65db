#include <algorithm>
#include <map>

#include "ir/op_util/elements.h"
#include "ir/op_util/ml.h"

namespace polaris {
namespace {

struct OneHotEncoderAttrs final : AttrsOf<OneHotEncoderAttrs> {
  std::vector<std::int64_t> cats_int64s;
  std::vector<std::string> cats_strings;
  bool zeros = true;

  void visit(AttrVisitor& v) override {
    v.field("cats_int64s", cats_int64s);
    v.field("cats_strings", cats_strings);
    v.field("zeros", zeros);
  }
};

Status infer(InferContext& c) {
  const auto& attrs = c.as<OneHotEncoderAttrs>();
  const bool text = !attrs.cats_strings.empty();
  if (auto s = all_of(check_one_given(c, "cats_*", (text ? 1 : 0) + !attrs.cats_int64s.empty()),
                      check_dtype(c, 0, text ? kStringTypes : kMlTypes),
                      check_rank(c, 0, 0, kMaxRank - 1));
      !s) {
    return s;
  }
  Shape out = c.in(0).shape;
  out.push_back(
      static_cast<std::int64_t>(text ? attrs.cats_strings.size() : attrs.cats_int64s.size()));
  set_output(c, 0, DType::kF32, out);
  return Status::success();
}

/// Where each category stands; the last of equals counts.
template <class Key, class Cats>
std::map<Key, std::int64_t> places_of(const Cats& cats) {
  std::map<Key, std::int64_t> out;
  for (std::size_t i = 0; i < cats.size(); ++i) out[cats[i]] = static_cast<std::int64_t>(i);
  return out;
}

/// A 1 in each row of zeros where the category of at(i) stands.
template <class Key, class Context, class Cats, class At>
Status encode(const Context& c, const Cats& cats, std::int64_t count, At at, float* out) {
  const auto places = places_of<Key>(cats);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto place = places.find(at(i));
    if (place != places.end()) {
      out[i * static_cast<std::int64_t>(cats.size()) + place->second] = 1;
    } else if (!c.template as<OneHotEncoderAttrs>().zeros) {
      return c.fail("element " + std::to_string(i) + ", got none of the categories");
    }
  }
  return Status::success();
}

Status reference(RefContext& c) {
  auto* out = reinterpret_cast<float*>(c.out(0).data);
  std::fill(out, out + c.out(0).type.shape.elements(), 0.0f);
  return encode<std::int64_t>(
      c, c.as<OneHotEncoderAttrs>().cats_int64s, c.in(0).type.shape.elements(),
      [&](std::int64_t i) { return get_i64(c.in(0), i); }, out);
}

Status host(HostContext& c) {
  auto out = allocate_output(c, 0);
  if (!out) return out.error();
  if (auto s = encode<std::string_view>(
          c, c.as<OneHotEncoderAttrs>().cats_strings, c.in(0).elements(),
          [&](std::int64_t i) { return c.in(0).string(i); }, out->mutable_data<float>());
      !s) {
    return s;
  }
  c.give(0, out.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"X", kStrings}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_one_hot_encoder{
    .name = "OneHotEncoder",
    .domain = kMlDomain,
    .doc =
        "For each element, along a new last dim, a 1 at its category and zeros; all zeros where it "
        "is none of them, or an error as attribute zeros says. Floats lose their fraction first.",
    .since = 1,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<OneHotEncoderAttrs>,
    .infer = infer,
    .reference = reference,
    .host = host,
};

}  // namespace polaris
