#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "ir/attrs.h"
#include "ir/op_attrs/select.h"

namespace polaris {

/// A seed that is not said.
inline constexpr float kNoSeed = std::numeric_limits<float>::quiet_NaN();

/// RandomNormal.
struct RandomNormalAttrs final : AttrsOf<RandomNormalAttrs> {
  DType dtype = DType::kF32;
  float mean = 0.0f;
  float scale = 1.0f;
  float seed = kNoSeed;
  std::vector<std::int64_t> shape;

  void visit(AttrVisitor& v) override {
    v.field("dtype", dtype);
    v.field("mean", mean);
    v.field("scale", scale);
    v.field("seed", seed);
    v.field("shape", shape);
    v.require("shape");
  }
};

/// RandomNormalLike.
struct RandomNormalLikeAttrs final : AttrsOf<RandomNormalLikeAttrs> {
  DType dtype = kTypeOfInput;
  float mean = 0.0f;
  float scale = 1.0f;
  float seed = kNoSeed;

  void visit(AttrVisitor& v) override {
    v.field("dtype", dtype);
    v.field("mean", mean);
    v.field("scale", scale);
    v.field("seed", seed);
  }
};

/// RandomUniform.
struct RandomUniformAttrs final : AttrsOf<RandomUniformAttrs> {
  DType dtype = DType::kF32;
  float high = 1.0f;
  float low = 0.0f;
  float seed = kNoSeed;
  std::vector<std::int64_t> shape;

  void visit(AttrVisitor& v) override {
    v.field("dtype", dtype);
    v.field("high", high);
    v.field("low", low);
    v.field("seed", seed);
    v.field("shape", shape);
    v.require("shape");
  }
};

/// RandomUniformLike.
struct RandomUniformLikeAttrs final : AttrsOf<RandomUniformLikeAttrs> {
  DType dtype = kTypeOfInput;
  float high = 1.0f;
  float low = 0.0f;
  float seed = kNoSeed;

  void visit(AttrVisitor& v) override {
    v.field("dtype", dtype);
    v.field("high", high);
    v.field("low", low);
    v.field("seed", seed);
  }
};

/// Bernoulli.
struct BernoulliAttrs final : AttrsOf<BernoulliAttrs> {
  DType dtype = kTypeOfInput;
  float seed = kNoSeed;

  void visit(AttrVisitor& v) override {
    v.field("dtype", dtype);
    v.field("seed", seed);
  }
};

/// Multinomial.
struct MultinomialAttrs final : AttrsOf<MultinomialAttrs> {
  DType dtype = DType::kI32;
  std::int64_t sample_size = 1;
  float seed = kNoSeed;

  void visit(AttrVisitor& v) override {
    v.field("dtype", dtype);
    v.field("sample_size", sample_size);
    v.field("seed", seed);
  }
};

}  // namespace polaris
