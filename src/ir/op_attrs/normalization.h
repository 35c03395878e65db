#pragma once
#include <cstdint>
#include <vector>

#include "ir/attrs.h"

namespace polaris {

/// Softmax, LogSoftmax, Hardmax.
struct SoftmaxAttrs final : AttrsOf<SoftmaxAttrs> {
  std::int64_t axis = -1;

  void visit(AttrVisitor& v) override { v.field("axis", axis); }
};

/// RMSNormalization over axes [axis, rank).
struct RmsNormAttrs final : AttrsOf<RmsNormAttrs> {
  std::int64_t axis = -1;
  float epsilon = 1e-5f;
  std::int64_t stash_type = 1;

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.field("epsilon", epsilon);
    v.field("stash_type", stash_type);
  }
};

/// LayerNormalization over axes [axis, rank).
struct LayerNormAttrs final : AttrsOf<LayerNormAttrs> {
  std::int64_t axis = -1;
  float epsilon = 1e-5f;
  std::int64_t stash_type = 1;

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.field("epsilon", epsilon);
    v.field("stash_type", stash_type);
  }
};

/// BatchNormalization, inference form.
struct BatchNormAttrs final : AttrsOf<BatchNormAttrs> {
  float epsilon = 1e-5f;
  float momentum = 0.9f;
  bool training_mode = false;

  void visit(AttrVisitor& v) override {
    v.field("epsilon", epsilon);
    v.field("momentum", momentum);
    v.field("training_mode", training_mode);
  }
};

/// InstanceNormalization.
struct InstanceNormAttrs final : AttrsOf<InstanceNormAttrs> {
  float epsilon = 1e-5f;

  void visit(AttrVisitor& v) override { v.field("epsilon", epsilon); }
};

/// GroupNormalization: scale and bias per channel (op-set 21).
struct GroupNormAttrs final : AttrsOf<GroupNormAttrs> {
  float epsilon = 1e-5f;
  std::int64_t num_groups = 1;
  std::int64_t stash_type = 1;

  void visit(AttrVisitor& v) override {
    v.field("epsilon", epsilon);
    v.field("num_groups", num_groups);
    v.require("num_groups");
    v.field("stash_type", stash_type);
  }
};

/// LRN: a window of `size` channels.
struct LrnAttrs final : AttrsOf<LrnAttrs> {
  float alpha = 1e-4f;
  float beta = 0.75f;
  float bias = 1.0f;
  std::int64_t size = 1;

  void visit(AttrVisitor& v) override {
    v.field("alpha", alpha);
    v.field("beta", beta);
    v.field("bias", bias);
    v.field("size", size);
    v.require("size");
  }
};

/// LpNormalization; p is 1 or 2.
struct LpNormAttrs final : AttrsOf<LpNormAttrs> {
  std::int64_t axis = -1;
  std::int64_t p = 2;

  void visit(AttrVisitor& v) override {
    v.field("axis", axis);
    v.field("p", p);
  }
};

/// MeanVarianceNormalization.
struct MeanVarianceNormAttrs final : AttrsOf<MeanVarianceNormAttrs> {
  std::vector<std::int64_t> axes = {0, 2, 3};

  void visit(AttrVisitor& v) override { v.field("axes", axes); }
};

}  // namespace polaris
