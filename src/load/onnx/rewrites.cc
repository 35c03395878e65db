#include "load/onnx/rewrites.h"

namespace polaris::onnx {

#define POLARIS_ONNX(domain, name, first, last, rewrite) Status rewrite(NodeImport&);
#include "load/onnx/names.inc"
#undef POLARIS_ONNX

namespace {

struct Row {
  std::string_view domain;
  std::string_view name;
  std::int64_t first;
  std::int64_t last;
  Rewrite rewrite;
};
constexpr Row kRows[] = {
#define POLARIS_ONNX(domain, name, first, last, rewrite) {domain, #name, first, last, rewrite},
#include "load/onnx/names.inc"
#undef POLARIS_ONNX
};

}  // namespace

Rewrite find_rewrite(std::string_view domain, std::string_view op, std::int64_t version) {
  for (const Row& row : kRows) {
    if (row.name == op && row.domain == domain && version >= row.first && version <= row.last) {
      return row.rewrite;
    }
  }
  return nullptr;
}

}  // namespace polaris::onnx
