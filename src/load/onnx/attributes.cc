#include "load/onnx/attributes.h"

#include <set>
#include <utility>

#include "base/strings.h"
#include "load/onnx/tensor.h"

namespace polaris::onnx {
namespace {

std::string_view type_name(AttrType type) {
  switch (type) {
    case AttrType::kUndefined: return "UNDEFINED";
    case AttrType::kFloat: return "FLOAT";
    case AttrType::kInt: return "INT";
    case AttrType::kString: return "STRING";
    case AttrType::kTensor: return "TENSOR";
    case AttrType::kGraph: return "GRAPH";
    case AttrType::kFloats: return "FLOATS";
    case AttrType::kInts: return "INTS";
    case AttrType::kStrings: return "STRINGS";
    case AttrType::kType: return "TYPE_PROTO";
    case AttrType::kOther: break;
  }
  return "another type";
}

// Takes each field's value from the map; the first error stays.
class Importer final : public AttrVisitor {
 public:
  Importer(const AttrMap& map, Source& source) : map_(map), source_(source) {}

  void field(std::string_view name, std::int64_t& value) override {
    if (const AttrDef* a = take(name, AttrType::kInt)) value = a->i;
  }
  void field(std::string_view name, float& value) override {
    if (const AttrDef* a = take(name, AttrType::kFloat)) value = a->f;
  }
  void field(std::string_view name, bool& value) override {
    const AttrDef* a = take(name, AttrType::kInt);
    if (a == nullptr) return;
    if (a->i != 0 && a->i != 1) fail(name, "got " + std::to_string(a->i) + ", wanted 0 or 1");
    value = a->i != 0;
  }
  void field(std::string_view name, std::string& value) override {
    if (const AttrDef* a = take(name, AttrType::kString)) value = a->s;
  }
  void field(std::string_view name, DType& value) override {
    const AttrDef* a = take(name, AttrType::kInt);
    if (a == nullptr) return;
    if (a->i == 0) {  // UNDEFINED: not said
      unsaid_.insert(a->name);
      return;
    }
    const auto dtype = dtype_of(a->i);
    if (!dtype && status_) {
      status_ = Error::unsupported("attribute '" + printable(name) + "' type " +
                                   data_type_name(a->i) + " cannot be read");
    }
    if (!dtype) return;
    value = *dtype;
  }
  void field(std::string_view name, Tensor& value) override {
    const AttrDef* a = take(name, AttrType::kTensor);
    if (a == nullptr) return;
    const auto constant = make_constant(*a->tensor, source_);
    if (!constant) {
      if (status_) status_ = constant.error();
      return;
    }
    value = (*constant)->data;
  }
  void field(std::string_view name, std::vector<std::int64_t>& value) override {
    if (const AttrDef* a = take(name, AttrType::kInts)) value = a->ints;
  }
  void field(std::string_view name, std::vector<float>& value) override {
    if (const AttrDef* a = take(name, AttrType::kFloats)) value = a->floats;
  }
  void field(std::string_view name, std::vector<std::string>& value) override {
    const AttrDef* a = take(name, AttrType::kStrings);
    if (a != nullptr) value.assign(a->strings.begin(), a->strings.end());
  }

  void require(std::string_view name) override {
    if (map_.find(name) == nullptr || unsaid_.contains(name)) fail(name, "is required");
  }

  Status finish() {
    for (const auto& [name, attr] : map_.all()) {
      if (!taken_.contains(name)) fail(name, "is not known to the op");
    }
    return status_;
  }

 private:
  const AttrDef* take(std::string_view name, AttrType type) {
    const AttrDef* found = map_.find(name);
    if (found == nullptr) return nullptr;
    taken_.insert(found->name);
    if (found->type == type) return found;
    fail(name,
         "got " + std::string(type_name(found->type)) + ", wanted " + std::string(type_name(type)));
    return nullptr;
  }
  void fail(std::string_view name, const std::string& what) {
    if (status_) status_ = Error::invalid("attribute '" + printable(name) + "' " + what);
  }

  const AttrMap& map_;
  Source& source_;
  std::set<std::string_view> taken_;
  std::set<std::string_view> unsaid_;
  Status status_;
};

/// Every attribute as it is: the op, a plugin's, reads those it knows.
Status import_generic(const AttrMap& map, Source& source, GenericAttrs& attrs) {
  for (const auto& [name, attr] : map.all()) {
    AttrValue& value = attrs.values[std::string(name)];
    switch (attr->type) {
      case AttrType::kInt: value = attr->i; break;
      case AttrType::kFloat: value = attr->f; break;
      case AttrType::kString: value = std::string(attr->s); break;
      case AttrType::kInts: value = attr->ints; break;
      case AttrType::kFloats: value = attr->floats; break;
      case AttrType::kStrings:
        value = std::vector<std::string>(attr->strings.begin(), attr->strings.end());
        break;
      case AttrType::kTensor: {
        const auto constant = make_constant(*attr->tensor, source);
        if (!constant) return constant.error();
        value = (*constant)->data;
        break;
      }
      case AttrType::kUndefined:
      case AttrType::kGraph:
      case AttrType::kType:
      case AttrType::kOther:
        return Error::unsupported("attribute '" + printable(name) + "' got " +
                                  std::string(type_name(attr->type)) +
                                  ", wanted a number, a text, a tensor or a list");
    }
  }
  return Status::success();
}

}  // namespace

Result<AttrMap> AttrMap::of(const NodeDef& node) {
  AttrMap out;
  for (const AttrDef& attr : node.attributes) {
    if (!attr.ref.empty()) {
      return Error::invalid("attribute '" + printable(attr.name) +
                            "' refers to one of a function, got a node of none");
    }
    if (!out.by_name_.emplace(attr.name, &attr).second) {
      return Error::invalid("attribute '" + printable(attr.name) + "' appears twice");
    }
  }
  return out;
}

const AttrDef* AttrMap::find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : at->second;
}

AttrDef& AttrMap::own(std::string_view name, AttrType type) {
  auto attr = std::make_unique<AttrDef>();
  attr->name = name;
  attr->type = type;
  by_name_[name] = attr.get();
  owned_.push_back(std::move(attr));
  return *owned_.back();
}

void AttrMap::set_int(std::string_view name, std::int64_t value) {
  own(name, AttrType::kInt).i = value;
}
void AttrMap::set_float(std::string_view name, float value) {
  own(name, AttrType::kFloat).f = value;
}

void AttrMap::set_text(std::string_view name, std::string_view value) {
  own(name, AttrType::kString).s = value;
}

void AttrMap::set_ints(std::string_view name, std::vector<std::int64_t> values) {
  own(name, AttrType::kInts).ints = std::move(values);
}

void AttrMap::set_texts(std::string_view name, std::vector<std::string_view> values) {
  own(name, AttrType::kStrings).strings = std::move(values);
}

std::optional<std::int64_t> AttrMap::get_int(std::string_view name) const {
  const AttrDef* attr = find(name);
  if (attr == nullptr || attr->type != AttrType::kInt) return std::nullopt;
  return attr->i;
}
std::optional<float> AttrMap::get_float(std::string_view name) const {
  const AttrDef* attr = find(name);
  if (attr == nullptr || attr->type != AttrType::kFloat) return std::nullopt;
  return attr->f;
}
std::optional<std::string_view> AttrMap::get_text(std::string_view name) const {
  const AttrDef* attr = find(name);
  if (attr == nullptr || attr->type != AttrType::kString) return std::nullopt;
  return attr->s;
}
std::optional<std::vector<std::int64_t>> AttrMap::get_ints(std::string_view name) const {
  const AttrDef* attr = find(name);
  if (attr == nullptr || attr->type != AttrType::kInts) return std::nullopt;
  return attr->ints;
}

std::optional<std::vector<float>> AttrMap::get_floats(std::string_view name) const {
  const AttrDef* attr = find(name);
  if (attr == nullptr || attr->type != AttrType::kFloats) return std::nullopt;
  return attr->floats;
}

Status import_attrs(const AttrMap& map, Source& source, Attrs& attrs) {
  if (GenericAttrs* generic = attrs.as_generic()) return import_generic(map, source, *generic);
  Importer importer(map, source);
  attrs.visit(importer);
  return importer.finish();
}

}  // namespace polaris::onnx
