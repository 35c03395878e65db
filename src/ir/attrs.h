#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tensor/tensor.h"

namespace polaris {

/// Visits an attribute struct field by field: import, export, hashing, printing, docs.
/// A visitor may change the field (import) or only read it. `name` is ONNX's attribute name.
class AttrVisitor {
 public:
  virtual ~AttrVisitor() = default;
  virtual void field(std::string_view name, std::int64_t& value) = 0;
  virtual void field(std::string_view name, float& value) = 0;
  virtual void field(std::string_view name, bool& value) = 0;  // stored as int 0/1 in ONNX
  virtual void field(std::string_view name, std::string& value) = 0;
  virtual void field(std::string_view name, DType& value) = 0;
  virtual void field(std::string_view name, Tensor& value) = 0;  // null Tensor: absent
  virtual void field(std::string_view name, std::vector<std::int64_t>& value) = 0;
  virtual void field(std::string_view name, std::vector<float>& value) = 0;
  virtual void field(std::string_view name, std::vector<std::string>& value) = 0;
  /// The attribute of that name, a field too, has no default in ONNX's newest op-set: a file says
  /// it.
  virtual void require(std::string_view /*name*/) {}
};

/// The same for who only reads.
class AttrReader {
 public:
  virtual ~AttrReader() = default;
  virtual void field(std::string_view name, const std::int64_t& value) = 0;
  virtual void field(std::string_view name, const float& value) = 0;
  virtual void field(std::string_view name, const bool& value) = 0;
  virtual void field(std::string_view name, const std::string& value) = 0;
  virtual void field(std::string_view name, const DType& value) = 0;
  virtual void field(std::string_view name, const Tensor& value) = 0;
  virtual void field(std::string_view name, const std::vector<std::int64_t>& value) = 0;
  virtual void field(std::string_view name, const std::vector<float>& value) = 0;
  virtual void field(std::string_view name, const std::vector<std::string>& value) = 0;
};

struct GenericAttrs;

/// Base of every operator's attribute struct. Field initializers are the op's defaults.
class Attrs {
 public:
  virtual ~Attrs() = default;
  virtual void visit(AttrVisitor& visitor) = 0;
  /// Shows every field, in the order of visit().
  void read(AttrReader& reader) const;
  virtual std::unique_ptr<Attrs> clone() const = 0;
  /// Itself where it is GenericAttrs (importers then set values by name), else null.
  virtual GenericAttrs* as_generic() { return nullptr; }
};

/// Gives a struct `S : AttrsOf<S>` its clone().
template <class S>
class AttrsOf : public Attrs {
 public:
  std::unique_ptr<Attrs> clone() const override {
    return std::make_unique<S>(static_cast<const S&>(*this));
  }
};

/// Attributes of an op without any.
struct NoAttrs final : AttrsOf<NoAttrs> {
  void visit(AttrVisitor&) override {}
};

using AttrValue = std::variant<std::int64_t, float, std::string, Tensor, std::vector<std::int64_t>,
                               std::vector<float>, std::vector<std::string>>;

/// Attributes by name, for ops whose structs we do not know: those of plugins.
struct GenericAttrs final : AttrsOf<GenericAttrs> {
  void visit(AttrVisitor& visitor) override;
  GenericAttrs* as_generic() override { return this; }
  std::map<std::string, AttrValue, std::less<>> values;
};

}  // namespace polaris
