#include "ir/attrs_key.h"

#include <cstring>

namespace polaris {
namespace {

class KeyWriter final : public AttrReader {
 public:
  std::string key;

  void field(std::string_view name, const std::int64_t& v) override { add(name, 'i', v); }
  void field(std::string_view name, const float& v) override { add(name, 'f', v); }
  void field(std::string_view name, const bool& v) override { add(name, 'b', v); }
  void field(std::string_view name, const std::string& v) override {
    begin(name, 's');
    put_text(v);
  }
  void field(std::string_view name, const DType& v) override { add(name, 'd', v); }
  void field(std::string_view name, const Tensor& v) override {
    begin(name, 't');
    put_text(v ? v.type().to_string() : "");
    put_text({reinterpret_cast<const char*>(v.bytes().data()), v.bytes().size()});
  }
  void field(std::string_view name, const std::vector<std::int64_t>& v) override {
    begin(name, 'I');
    put(v.size());
    for (std::int64_t x : v) put(x);
  }
  void field(std::string_view name, const std::vector<float>& v) override {
    begin(name, 'F');
    put(v.size());
    for (float x : v) put(x);
  }
  void field(std::string_view name, const std::vector<std::string>& v) override {
    begin(name, 'S');
    put(v.size());
    for (const std::string& x : v) put_text(x);
  }

 private:
  template <class T>
  void put(T v) {
    char bytes[sizeof v];
    std::memcpy(bytes, &v, sizeof v);
    key.append(bytes, sizeof v);
  }
  void put_text(std::string_view text) {
    put(text.size());
    key += text;
  }
  void begin(std::string_view name, char kind) {
    put_text(name);
    key += kind;
  }
  template <class T>
  void add(std::string_view name, char kind, T v) {
    begin(name, kind);
    put(v);
  }
};

}  // namespace

std::string attrs_key(const Attrs& attrs) {
  KeyWriter writer;
  attrs.read(writer);
  return std::move(writer.key);
}

}  // namespace polaris
