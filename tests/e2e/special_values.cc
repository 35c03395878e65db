// NaN, infinities and zeros through many ops, against onnxruntime and NumPy.

#include <doctest/doctest.h>

#include "support/session_run.h"

namespace polaris::test {

TEST_CASE("special values give what onnxruntime and NumPy give") {
  for (const char* device : {"reference", "cpu", "vulkan"}) {
    auto runtime = make_runtime({device});
    if (!runtime) continue;
    CAPTURE(device);
    check_onnx_case(runtime, "special_values", "all");
  }
}

}  // namespace polaris::test
