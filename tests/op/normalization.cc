#include <doctest/doctest.h>

#include "conformance/suite.h"
#include "ir/op_attrs/normalization.h"

namespace polaris::test {

TEST_CASE("Softmax, LogSoftmax, Hardmax") {
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    Suite s(op);
    for (int axis : {-1, 0, 1}) {
      s.add("axis " + std::to_string(axis), {random(DType::kF32, {3, 5, 7}, -6, 6)},
            attrs<SoftmaxAttrs>([&](auto& a) { a.axis = axis; }));
    }
    s.add("long", {random(DType::kF32, {3, 1031}, -6, 6)});
    s.add("one", {random(DType::kF32, {5, 1})});
    s.add("large values", {random(DType::kF32, {3, 17}, 500, 510)});
    s.add("vector", {random(DType::kF32, {67})});
    s.add("empty", {random(DType::kF32, {0, 3})});
    s.add("f16", {random(DType::kF16, {3, 17})});
    s.add("f16 long", {random(DType::kF16, {3, 301}, -6, 6)});
    s.add("f16 axis 0", {random(DType::kF16, {5, 7}, -6, 6)},
          attrs<SoftmaxAttrs>([](auto& a) { a.axis = 0; }));
    s.add("bf16", {random(DType::kBF16, {3, 17})});
    s.add("f64", {random(DType::kF64, {3, 17})});
    s.fails("axis", {random(DType::kF32, {3})}, attrs<SoftmaxAttrs>([](auto& a) { a.axis = 1; }),
            "axis, got 1");
    s.fails("integers", {random(DType::kI32, {3})}, nullptr, "type");
    s.run();
  }
  Suite masked("Softmax");
  masked.add("masked", {values(DType::kF32, {2, 3}, {-1e30, 1, 2, -1e30, -1e30, 0})});
  masked.run();
}

TEST_CASE("RMSNormalization") {
  Suite s("RMSNormalization");
  s.add("f32", {random(DType::kF32, {5, 67}), random(DType::kF32, {67})}, nullptr, {1, 1, {1}});
  s.add("one row", {random(DType::kF32, {1, 64}), random(DType::kF32, {64})}, nullptr, {1, 1, {1}});
  s.add("rank 1", {random(DType::kF32, {31}), random(DType::kF32, {31})});
  s.add("two axes", {random(DType::kF32, {3, 5, 7}), random(DType::kF32, {5, 7})},
        attrs<RmsNormAttrs>([](auto& a) { a.axis = 1, a.epsilon = 1e-3f; }));
  s.add("scalar scale", {random(DType::kF32, {3, 7}), random(DType::kF32, {1})});
  s.add("zeros", {values(DType::kF32, {1, 4}, {0, 0, 0, 0}), random(DType::kF32, {4})});
  s.add("no rows", {random(DType::kF32, {0, 8}), random(DType::kF32, {8})});
  s.add("long", {random(DType::kF32, {3, 1031}), random(DType::kF32, {1031})});
  s.add("f16", {random(DType::kF16, {5, 67}), random(DType::kF16, {67})});
  s.add("f16 long", {random(DType::kF16, {3, 301}), random(DType::kF16, {301})});
  s.add("bf16", {random(DType::kBF16, {5, 67}), random(DType::kBF16, {67})});
  s.add("f16 by f32", {random(DType::kF16, {5, 67}), random(DType::kF32, {67})});
  s.fails("scale", {random(DType::kF32, {3, 7}), random(DType::kF32, {6})}, nullptr, "scale shape");
  s.run();
}

TEST_CASE("LayerNormalization") {
  Suite s("LayerNormalization");
  s.add("f32", {random(DType::kF32, {5, 67}), random(DType::kF32, {67}), random(DType::kF32, {67})},
        nullptr, {1, 1, {1, 2}});
  s.add("no bias", {random(DType::kF32, {5, 67}), random(DType::kF32, {67})});
  s.add("far from zero", {random(DType::kF32, {3, 64}, 99, 101), random(DType::kF32, {64})},
        nullptr, {1, 5, {}});
  s.add("two axes",
        {random(DType::kF32, {3, 5, 7}), random(DType::kF32, {5, 7}), random(DType::kF32, {5, 7})},
        attrs<LayerNormAttrs>([](auto& a) { a.axis = 1; }));
  s.add("statistics", {random(DType::kF32, {5, 67}), random(DType::kF32, {67})}, nullptr,
        {3, 1, {}});
  s.add("statistics of two axes",
        {random(DType::kF32, {3, 5, 7}), random(DType::kF32, {5, 7}), random(DType::kF32, {5, 7})},
        attrs<LayerNormAttrs>([](auto& a) { a.axis = 1; }), {3, 1, {}});
  s.add("mean", {random(DType::kF32, {5, 67}), random(DType::kF32, {67})}, nullptr, {2, 1, {}});
  s.add("f16",
        {random(DType::kF16, {5, 67}), random(DType::kF16, {67}), random(DType::kF16, {67})});
  s.add("f16 statistics", {random(DType::kF16, {3, 301}), random(DType::kF16, {301})}, nullptr,
        {3, 1, {}});
  s.add("bf16",
        {random(DType::kBF16, {5, 67}), random(DType::kBF16, {67}), random(DType::kBF16, {67})});
  s.add("f16 by f32",
        {random(DType::kF16, {5, 67}), random(DType::kF32, {67}), random(DType::kF32, {67})});
  s.add("no rows", {random(DType::kF32, {0, 8}), random(DType::kF32, {8})});
  s.fails("axis", {random(DType::kF32, {3, 7}), random(DType::kF32, {7})},
          attrs<LayerNormAttrs>([](auto& a) { a.axis = 2; }), "axis, got 2");
  s.run();
}

TEST_CASE("BatchNormalization, InstanceNormalization, GroupNormalization") {
  const Tensor x = random(DType::kF32, {2, 6, 5, 7});
  Suite batch("BatchNormalization");
  batch.add("f32",
            {x, random(DType::kF32, {6}), random(DType::kF32, {6}), random(DType::kF32, {6}),
             random(DType::kF32, {6}, 0.1, 2)},
            nullptr, {1, 1, {1, 2, 3, 4}});
  batch.add("matrix",
            {random(DType::kF32, {5, 3}), random(DType::kF32, {3}), random(DType::kF32, {3}),
             random(DType::kF32, {3}), random(DType::kF32, {3}, 0.1, 2)});
  const Tensor half = random(DType::kF16, {2, 6, 5, 7});
  const auto halves = [] { return random(DType::kF16, {6}, 0.1, 2); };
  batch.add("f16", {half, halves(), halves(), halves(), halves()});
  batch.add("f16 by f32", {half, random(DType::kF32, {6}), random(DType::kF32, {6}),
                           random(DType::kF32, {6}), random(DType::kF32, {6}, 0.1, 2)});
  batch.fails("training",
              {x, random(DType::kF32, {6}), random(DType::kF32, {6}), random(DType::kF32, {6}),
               random(DType::kF32, {6})},
              attrs<BatchNormAttrs>([](auto& a) { a.training_mode = true; }), "training mode");
  batch.run();
  Suite instance("InstanceNormalization");
  instance.add("f32", {x, random(DType::kF32, {6}), random(DType::kF32, {6})});
  instance.add(
      "1D", {random(DType::kF32, {2, 3, 17}), random(DType::kF32, {3}), random(DType::kF32, {3})});
  instance.add("f16", {half, halves(), halves()});
  instance.run();
  Suite group("GroupNormalization");
  for (int groups : {1, 2, 3, 6}) {
    group.add(std::to_string(groups) + " groups",
              {x, random(DType::kF32, {6}), random(DType::kF32, {6})},
              attrs<GroupNormAttrs>([&](auto& a) { a.num_groups = groups; }));
  }
  group.add("f16", {half, halves(), halves()},
            attrs<GroupNormAttrs>([](auto& a) { a.num_groups = 2; }));
  group.fails("groups", {x, random(DType::kF32, {6}), random(DType::kF32, {6})},
              attrs<GroupNormAttrs>([](auto& a) { a.num_groups = 4; }), "num_groups, got 4");
  group.run();
}

TEST_CASE("LRN, LpNormalization, MeanVarianceNormalization") {
  Suite lrn("LRN");
  for (std::int64_t size : {1, 3, 4, 100}) {
    lrn.add("size " + std::to_string(size), {random(DType::kF32, {2, 5, 3, 2})},
            attrs<LrnAttrs>([=](auto& a) {
              a.size = size;
              a.alpha = 0.5f;
            }));
  }
  const auto usual = attrs<LrnAttrs>([](auto& a) { a.size = 5; });
  lrn.add("planes of several tiles", {random(DType::kF32, {2, 7, 23, 29}, -9, 9)}, usual);
  lrn.add("more channels than a tile", {random(DType::kF32, {1, 530, 3}, -9, 9)}, usual);
  lrn.add("a window of more channels than kernels take", {random(DType::kF32, {1, 70, 3})},
          attrs<LrnAttrs>([](auto& a) { a.size = 69; }));
  for (const float beta : {0.0f, 0.5f, -1.0f, 2.0f}) {
    lrn.add("beta " + std::to_string(beta), {random(DType::kF32, {2, 5, 3, 2})},
            attrs<LrnAttrs>([=](auto& a) { a.size = 3, a.alpha = 0.5f, a.beta = beta; }));
  }
  lrn.add("scales below zero", {random(DType::kF32, {2, 5, 3, 2}, 1, 2)},
          attrs<LrnAttrs>([](auto& a) { a.size = 3, a.alpha = -9.0f; }));
  lrn.add("float16", {random(DType::kF16, {2, 5, 3, 2})}, usual);
  lrn.add("no channels", {random(DType::kF32, {2, 0, 3, 2})}, usual);
  lrn.fails("size", {random(DType::kF32, {2, 5, 3})}, attrs<LrnAttrs>([](auto& a) { a.size = 0; }),
            "size, got 0");
  lrn.fails("rank", {random(DType::kF32, {2})}, nullptr, "rank, got [2]");
  lrn.run();
  Suite lp("LpNormalization");
  for (std::int64_t p : {1, 2}) {
    for (std::int64_t axis : {0, -1}) {
      lp.add("L" + std::to_string(p), {random(DType::kF32, {3, 5})},
             attrs<LpNormAttrs>([=](auto& a) {
               a.p = p;
               a.axis = axis;
             }));
    }
  }
  lp.fails("p", {random(DType::kF32, {3})}, attrs<LpNormAttrs>([](auto& a) { a.p = 3; }),
           "p, got 3");
  lp.fails("axis", {random(DType::kF32, {3})}, attrs<LpNormAttrs>([](auto& a) { a.axis = 1; }),
           "axis, got 1");
  lp.run();
  Suite mvn("MeanVarianceNormalization");
  const auto axes = [](std::vector<std::int64_t> v) {
    return attrs<MeanVarianceNormAttrs>([&](auto& a) { a.axes = v; });
  };
  mvn.add("usual axes", {random(DType::kF32, {2, 3, 4, 5})});
  mvn.add("last", {random(DType::kF64, {4, 7})}, axes({-1}));
  mvn.add("all", {random(DType::kF32, {4, 7})}, axes({}));
  mvn.add("empty", {random(DType::kF32, {0, 7})}, axes({0}));
  mvn.fails("axis", {random(DType::kF32, {2, 3})}, nullptr, "axis, got 2");
  mvn.fails("twice", {random(DType::kF32, {2, 3})}, axes({1, -1}), "axes, got -1 twice");
  mvn.run();
}

}  // namespace polaris::test
