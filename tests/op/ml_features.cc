// Operators of ai.onnx.ml that prepare features: numbers written down here are onnxruntime's.
#include <doctest/doctest.h>

#include <cmath>

#include "conformance/ml_case.h"
#include "conformance/suite.h"
#include "support/value_case.h"

namespace polaris::test {
namespace {

using Floats = std::vector<float>;
using Ints = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

constexpr DType kF = DType::kF32;
constexpr DType kNumbers[] = {DType::kF32, DType::kF64, DType::kI64, DType::kI32};

Suite suite(std::string_view op) { return Suite(op, "ai.onnx.ml"); }
Tensor floats(const Shape& shape, std::initializer_list<double> elements) {
  return values(kF, shape, elements);
}

}  // namespace

TEST_CASE("ArrayFeatureExtractor") {
  Suite s = suite("ArrayFeatureExtractor");
  for (const DType dtype : kNumbers) {
    s.add(std::string(dtype_name(dtype)), {random(dtype, {3, 5}), int64s({4, 0, 0})});
  }
  s.add("line", {random(kF, {5}), int64s({4, 0})});
  s.add("deep", {random(kF, {2, 3, 5}), values(DType::kI64, {2, 2}, {0, 1, 2, 3})});
  s.add("empty", {random(kF, {0, 5}), int64s({1})});
  s.add("nothing", {random(kF, {2, 5}), int64s({})});
  s.fails("beyond", {random(kF, {3, 5}), int64s({5})}, nullptr, "index, got 5, wanted 0 to 4");
  s.fails("below", {random(kF, {3, 5}), int64s({-1})}, nullptr, "index, got -1");
  s.fails("scalar", {random(kF, {}), int64s({0})}, nullptr, "rank");
  s.run();
  check_ml("ArrayFeatureExtractor", {},
           {strings(Shape{2, 3}, {"a", "b", "c", "d", "e", "f"}), int64s({2, 1})},
           {strings(Shape{2, 2}, {"c", "b", "f", "e"})});
}

TEST_CASE("Binarizer") {
  Suite s = suite("Binarizer");
  for (const DType dtype : kNumbers) {
    s.add(std::string(dtype_name(dtype)), {random(dtype, {3, 5})},
          of("Binarizer", {{"threshold", 0.5f}}));
  }
  s.run();
  check_ml("Binarizer", {{"threshold", 1.0f}}, {floats({4}, {0.5, 1, 1.5, NAN})},
           {floats({4}, {0, 0, 1, 0})});
}

TEST_CASE("Scaler") {
  Suite s = suite("Scaler");
  const auto one = of("Scaler", {{"offset", Floats{1}}, {"scale", Floats{0.5f}}});
  const auto each = of("Scaler", {{"offset", Floats{1, 2, 3}}, {"scale", Floats{2, 0, -1}}});
  for (const DType dtype : kNumbers) {
    s.add("one " + std::string(dtype_name(dtype)), {random(dtype, {2, 3, 2})}, one);
    s.add("each " + std::string(dtype_name(dtype)), {random(dtype, {4, 3})}, each);
  }
  s.add("line", {random(kF, {3})}, each);
  s.add("scalar", {random(kF, {})}, one);
  s.add("neither", {random(kF, {3})});
  s.fails("offset", {random(kF, {2, 2})}, each, "offset, got 3 values, wanted 2");
  s.fails("scale", {random(kF, {2, 2})}, of("Scaler", {{"scale", Floats{1, 2, 3}}}),
          "scale, got 3 values, wanted 2");
  s.fails("rank", {random(kF, {2, 2, 3})}, each, "rank");
  s.run();
  check_ml("Scaler", {{"offset", Floats{1, 2, 3}}, {"scale", Floats{2, 0, -1}}},
           {values(DType::kI64, {2, 3}, {1, 2, 3, 4, 5, 6})},
           {floats({2, 3}, {0, 0, 0, 6, 0, -3})});
}

TEST_CASE("Normalizer") {
  Suite s = suite("Normalizer");
  for (const char* norm : {"MAX", "L1", "L2"}) {
    const auto attrs = of("Normalizer", {{"norm", norm}});
    for (const DType dtype : kNumbers) {
      s.add(std::string(norm) + " " + std::string(dtype_name(dtype)), {random(dtype, {3, 5})},
            attrs);
    }
    s.add(std::string(norm) + " line", {random(kF, {5})}, attrs);
    s.add(std::string(norm) + " none", {random(kF, {3, 0})}, attrs);
  }
  s.fails("norm", {random(kF, {3})}, of("Normalizer", {{"norm", "L3"}}), "norm, got 'L3'");
  s.fails("rank", {random(kF, {3, 1, 1})}, nullptr, "rank");
  s.run();
  const Tensor x = floats({3, 2}, {1, -3, 0, 0, -1, -2});
  check_ml("Normalizer", {{"norm", "MAX"}}, {x}, {floats({3, 2}, {1, -3, 0, 0, 1, 2})});
  check_ml("Normalizer", {{"norm", "L1"}}, {x},
           {floats({3, 2}, {0.25, -0.75, 0, 0, -0.33333334, -0.6666667})});
  check_ml("Normalizer", {{"norm", "L2"}}, {x},
           {floats({3, 2}, {0.31622776, -0.94868326, 0, 0, -0.4472136, -0.8944272})});
}

TEST_CASE("Imputer") {
  Suite s = suite("Imputer");
  const auto real = of("Imputer", {{"imputed_value_floats", Floats{7, 8, 9}}});
  const auto whole =
      of("Imputer", {{"imputed_value_int64s", Ints{7}}, {"replaced_value_int64", 1}});
  for (const DType dtype : kNumbers) {
    s.add(std::string(dtype_name(dtype)), {random_ints(dtype, {4, 3}, 0, 2)},
          is_float(dtype) ? real : whole);
  }
  s.fails("none", {random(kF, {2, 3})}, whole, "imputed_value_floats, got no values");
  s.fails("int", {random(DType::kI64, {2, 3})}, real, "imputed_value_int64s, got no values");
  s.fails("count", {random(kF, {2, 2})}, real, "imputed_value_floats, got 3 values, wanted 2");
  s.run();
  check_ml("Imputer", {{"imputed_value_floats", Floats{9, 8, 7}}, {"replaced_value_float", 2.0f}},
           {floats({3}, {1.5, 2, 3})}, {floats({3}, {1.5, 8, 3})});
  check_ml("Imputer", {{"imputed_value_floats", Floats{9}}, {"replaced_value_float", NAN}},
           {floats({3}, {1.5, NAN, 0})}, {floats({3}, {1.5, 9, 0})});
}

TEST_CASE("OneHotEncoder") {
  Suite s = suite("OneHotEncoder");
  const auto cats = of("OneHotEncoder", {{"cats_int64s", Ints{1, 0, -1}}});
  for (const DType dtype : kNumbers) {
    s.add(std::string(dtype_name(dtype)), {random(dtype, {3, 2})}, cats);
  }
  s.add("scalar", {random(kF, {})}, cats);
  s.fails("both", {random(kF, {3})},
          of("OneHotEncoder", {{"cats_int64s", Ints{1}}, {"cats_strings", Texts{"a"}}}),
          "cats_*, got 2 of these attributes, wanted one");
  s.fails("neither", {random(kF, {3})}, nullptr, "cats_*, got 0");
  s.fails("type", {random(kF, {3})}, of("OneHotEncoder", {{"cats_strings", Texts{"a"}}}), "type");
  s.fails("unknown", {int64s({0, 5})},
          of("OneHotEncoder", {{"cats_int64s", Ints{0}}, {"zeros", 0}}),
          "element 1, got none of the categories");
  s.run();
  check_ml("OneHotEncoder", {{"cats_int64s", Ints{1, 3, 1}}}, {floats({3}, {1.5, 2, 3})},
           {floats({3, 3}, {0, 0, 1, 0, 0, 0, 0, 1, 0})});
  check_ml("OneHotEncoder", {{"cats_strings", Texts{"a", "b"}}}, {strings(Shape{2, 1}, {"b", "c"})},
           {floats({2, 1, 2}, {0, 1, 0, 0})});
  check_ml_fails("OneHotEncoder", {{"cats_strings", Texts{"a", "b"}}, {"zeros", 0}},
                 {strings(Shape{2}, {"b", "c"})}, "element 1, got none");
}

TEST_CASE("LabelEncoder") {
  Suite s = suite("LabelEncoder");
  const Tensor keys[] = {values(DType::kI16, {2}, {1, 0}), values(DType::kI32, {2}, {1, 0}),
                         values(DType::kI64, {2}, {1, 0}), values(kF, {2}, {1, 0}),
                         values(DType::kF64, {2}, {1, 0})};
  for (const Tensor& from : keys) {
    for (const Tensor& to : keys) {
      const std::string name =
          std::string(dtype_name(from.dtype())) + " " + std::string(dtype_name(to.dtype()));
      s.add(name, {random_ints(from.dtype(), {3, 2}, -1, 2)},
            of("LabelEncoder", {{"keys_tensor", from}, {"values_tensor", to}}));
    }
  }
  const Tensor x = int64s({1, 2, 3});
  const auto fails = [&](const char* name, const MlAttrs& a, const char* text) {
    s.fails(name, {x}, of("LabelEncoder", a), text);
  };
  const Tensor half = values(DType::kF16, {1}, {1});
  fails("no keys", {{"values_int64s", Ints{1}}}, "keys_*, got 0");
  fails("keys", {{"keys_int64s", Ints{1}}, {"keys_floats", Floats{1}}, {"values_int64s", Ints{1}}},
        "keys_*, got 2");
  fails("no values", {{"keys_int64s", Ints{1}}}, "values_*, got 0");
  fails("count", {{"keys_int64s", Ints{1}}, {"values_int64s", Ints{1, 2}}},
        "values_*, got 2 values, wanted 1");
  fails("type", {{"keys_floats", Floats{1}}, {"values_int64s", Ints{1}}}, "type, got int64");
  fails("half", {{"keys_tensor", half}, {"values_int64s", Ints{1}}},
        "keys_tensor type, got float16");
  fails("half values", {{"keys_int64s", Ints{1}}, {"values_tensor", half}},
        "values_tensor type, got float16");
  fails("default", {{"keys_int64s", Ints{1}}, {"values_int64s", Ints{1}}, {"default_tensor", half}},
        "default_tensor, got float16[1], wanted one int64");
  s.run();
}

TEST_CASE("LabelEncoder maps strings and numbers") {
  const Tensor text = strings(Shape{2, 2}, {"a", "b", "c", ""});
  check_ml("LabelEncoder",
           {{"keys_strings", Texts{"b", "a", "b"}}, {"values_int64s", Ints{5, 6, 7}}}, {text},
           {values(DType::kI64, {2, 2}, {6, 5, -1, -1})});
  check_ml("LabelEncoder",
           {{"keys_strings", Texts{"a"}}, {"values_strings", Texts{"x"}}, {"default_string", "?"}},
           {text}, {strings(Shape{2, 2}, {"x", "?", "?", "?"})});
  check_ml("LabelEncoder",
           {{"keys_int64s", Ints{1, 1, 2}}, {"values_strings", Texts{"p", "q", "r"}}},
           {int64s({1, 2, 3})}, {strings(Shape{3}, {"p", "r", "_Unused"})});
  check_ml("LabelEncoder",
           {{"keys_tensor", floats({2}, {NAN, 0})}, {"values_tensor", int64s({4, 5})}},
           {floats({3}, {NAN, -0.0, 1})}, {int64s({4, 5, -1})});
  check_ml("LabelEncoder",
           {{"keys_tensor", strings(Shape{1}, {"a"})},
            {"values_tensor", strings(Shape{1}, {"x"})},
            {"default_tensor", strings(Shape{1}, {"y"})}},
           {text}, {strings(Shape{2, 2}, {"x", "y", "y", "y"})});
}

TEST_CASE("FeatureVectorizer") {
  Suite s("FeatureVectorizer", "ai.onnx.ml");
  const auto sizes = of("FeatureVectorizer", {{"inputdimensions", Ints{2, 4}}});
  for (const DType dtype : kNumbers) {
    s.add(dtype_name(dtype), {random(dtype, {3, 3}), random(dtype, {3, 3})}, sizes);
  }
  s.add("lines", {random(kF, {3}), random(kF, {1, 4})}, sizes);
  s.add("no rows", {random(kF, {0, 3}), random(kF, {0, 3})}, sizes);
  s.fails("count", {random(kF, {3})}, sizes, "inputdimensions, got 2 values, wanted 1");
  s.fails("rows", {random(kF, {3, 2}), random(kF, {2, 2})}, sizes, "rows of input 1, got 2");
  s.fails("size", {random(kF, {3})}, of("FeatureVectorizer", {{"inputdimensions", Ints{-1}}}),
          "inputdimensions, got -1");
  s.fails("sum", {random(kF, {3}), random(kF, {3})},
          of("FeatureVectorizer", {{"inputdimensions", Ints{INT64_MAX, 1}}}),
          "inputdimensions, got 1");
  s.run();
  check_ml("FeatureVectorizer", {{"inputdimensions", Ints{4, 1}}},
           {floats({2, 3}, {0, 1, 2, 3, 4, 5}), floats({2, 2}, {10, 11, 20, 21})},
           {floats({2, 5}, {0, 1, 2, 0, 10, 3, 4, 5, 0, 20})});
}

TEST_CASE("CategoryMapper") {
  const MlAttrs cats = {{"cats_strings", Texts{"a", "b", "c"}}, {"cats_int64s", Ints{1, 2, 1}}};
  check_ml("CategoryMapper", cats, {strings(Shape{3}, {"a", "b", "z"})}, {int64s({1, 2, -1})});
  check_ml("CategoryMapper", cats, {int64s({1, 2, 3})}, {strings(Shape{3}, {"c", "b", "_Unused"})});
  check_ml_fails("CategoryMapper", cats, {floats({1}, {1})}, "type, got float32");
  check_ml_fails("CategoryMapper", {{"cats_int64s", Ints{1}}}, {int64s({1})},
                 "cats_strings, got 0 values, wanted 1");
}

}  // namespace polaris::test
