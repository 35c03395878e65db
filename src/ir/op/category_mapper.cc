#include <map>

#include "ir/op_util/ml.h"

namespace polaris {
namespace {

struct CategoryMapperAttrs final : AttrsOf<CategoryMapperAttrs> {
  std::vector<std::int64_t> cats_int64s;
  std::vector<std::string> cats_strings;
  std::int64_t default_int64 = -1;
  std::string default_string = "_Unused";

  void visit(AttrVisitor& v) override {
    v.field("cats_int64s", cats_int64s);
    v.field("cats_strings", cats_strings);
    v.field("default_int64", default_int64);
    v.field("default_string", default_string);
  }
};

Status infer(InferContext& c) {
  const auto& attrs = c.as<CategoryMapperAttrs>();
  if (auto s = all_of(
          check_dtype(c, 0, dtype_set(DType::kI64) | kStringTypes),
          check_count(c, "cats_strings", attrs.cats_strings.size(), attrs.cats_int64s.size()));
      !s) {
    return s;
  }
  const bool text = c.in(0).dtype == DType::kString;
  set_output(c, 0, text ? DType::kI64 : DType::kString, c.in(0).shape);
  return Status::success();
}

Status host(HostContext& c) {
  const auto& attrs = c.as<CategoryMapperAttrs>();
  const Tensor& x = c.in(0);
  const std::int64_t count = x.elements();
  const std::size_t cats = attrs.cats_int64s.size();
  if (x.dtype() == DType::kString) {
    std::map<std::string_view, std::int64_t> numbers;
    for (std::size_t i = 0; i < cats; ++i) numbers[attrs.cats_strings[i]] = attrs.cats_int64s[i];
    auto out = allocate_output(c, 0);
    if (!out) return out.error();
    for (std::int64_t i = 0; i < count; ++i) {
      const auto found = numbers.find(x.string(i));
      out->mutable_data<std::int64_t>()[i] =
          found == numbers.end() ? attrs.default_int64 : found->second;
    }
    c.give(0, out.take());
    return Status::success();
  }
  std::map<std::int64_t, std::string_view> names;
  for (std::size_t i = 0; i < cats; ++i) names[attrs.cats_int64s[i]] = attrs.cats_strings[i];
  std::vector<std::string_view> strings;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto found = names.find(element_as_i64(x, i));
    strings.push_back(found == names.end() ? std::string_view(attrs.default_string)
                                           : found->second);
  }
  auto out = make_strings(c, x.shape(), strings);
  if (!out) return out.error();
  c.give(0, out.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"X", kStrings}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_category_mapper{
    .name = "CategoryMapper",
    .domain = kMlDomain,
    .doc =
        "Strings to the numbers of their category, or numbers to its string, or to a default; the "
        "last of equal ones counts.",
    .since = 1,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<CategoryMapperAttrs>,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
