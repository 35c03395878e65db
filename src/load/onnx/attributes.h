#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/op_def.h"
#include "load/onnx/proto.h"
#include "load/source.h"

namespace polaris::onnx {

/// A node's attributes by name, with what an upgrade takes away or adds.
class AttrMap {
 public:
  /// Errors: invalid where a name appears twice.
  static Result<AttrMap> of(const NodeDef& node);

  const AttrDef* find(std::string_view name) const;
  void drop(std::string_view name) { by_name_.erase(name); }
  void set_int(std::string_view name, std::int64_t value);
  void set_float(std::string_view name, float value);
  /// `value` outlives the map.
  void set_text(std::string_view name, std::string_view value);
  void set_ints(std::string_view name, std::vector<std::int64_t> values);
  /// What the views show outlives the map.
  void set_texts(std::string_view name, std::vector<std::string_view> values);

  std::optional<std::int64_t> get_int(std::string_view name) const;
  std::optional<float> get_float(std::string_view name) const;
  std::optional<std::string_view> get_text(std::string_view name) const;
  std::optional<std::vector<std::int64_t>> get_ints(std::string_view name) const;
  std::optional<std::vector<float>> get_floats(std::string_view name) const;
  const std::map<std::string_view, const AttrDef*>& all() const { return by_name_; }

 private:
  AttrDef& own(std::string_view name, AttrType type);
  std::map<std::string_view, const AttrDef*> by_name_;
  std::deque<std::unique_ptr<AttrDef>> owned_;
};

/// Fills `attrs` of `op` field by field from the map. Errors, without a prefix: invalid where an
/// attribute has another type or holds no such value, is required and missing, or where the op
/// knows none of that name; unsupported for types that we do not have.
Status import_attrs(const AttrMap& map, Source& source, Attrs& attrs);

}  // namespace polaris::onnx
