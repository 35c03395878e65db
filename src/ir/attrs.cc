#include "ir/attrs.h"

namespace polaris {
namespace {

/// Hands what is visited to a reader, and changes nothing of it.
class Shown final : public AttrVisitor {
 public:
  explicit Shown(AttrReader& reader) : reader_(reader) {}
  void field(std::string_view name, std::int64_t& v) override { show(name, v); }
  void field(std::string_view name, float& v) override { show(name, v); }
  void field(std::string_view name, bool& v) override { show(name, v); }
  void field(std::string_view name, std::string& v) override { show(name, v); }
  void field(std::string_view name, DType& v) override { show(name, v); }
  void field(std::string_view name, Tensor& v) override { show(name, v); }
  void field(std::string_view name, std::vector<std::int64_t>& v) override { show(name, v); }
  void field(std::string_view name, std::vector<float>& v) override { show(name, v); }
  void field(std::string_view name, std::vector<std::string>& v) override { show(name, v); }

 private:
  template <class T>
  void show(std::string_view name, const T& value) {
    reader_.field(name, value);
  }
  AttrReader& reader_;
};

}  // namespace

void Attrs::read(AttrReader& reader) const {
  Shown shown(reader);
  const_cast<Attrs*>(this)->visit(shown);  // one list of fields serves who writes and who reads
}

void GenericAttrs::visit(AttrVisitor& visitor) {
  for (auto& [name, value] : values) {
    // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): it loses `visitor` in the lambda
    std::visit([&](auto& v) { visitor.field(name, v); }, value);
  }
}

}  // namespace polaris
