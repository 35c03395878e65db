#pragma once
#include <cstdint>
#include <string>

#include "ir/attrs.h"

namespace polaris {

/// LeakyRelu: x < 0 ? alpha * x : x.
struct LeakyReluAttrs final : AttrsOf<LeakyReluAttrs> {
  float alpha = 0.01f;

  void visit(AttrVisitor& v) override { v.field("alpha", alpha); }
};

/// Elu: x < 0 ? alpha * (exp(x) - 1) : x.
struct EluAttrs final : AttrsOf<EluAttrs> {
  float alpha = 1.0f;

  void visit(AttrVisitor& v) override { v.field("alpha", alpha); }
};

/// Celu: max(0, x) + min(0, alpha * (exp(x / alpha) - 1)).
struct CeluAttrs final : AttrsOf<CeluAttrs> {
  float alpha = 1.0f;

  void visit(AttrVisitor& v) override { v.field("alpha", alpha); }
};

/// ThresholdedRelu: x > alpha ? x : 0.
struct ThresholdedReluAttrs final : AttrsOf<ThresholdedReluAttrs> {
  float alpha = 1.0f;

  void visit(AttrVisitor& v) override { v.field("alpha", alpha); }
};

/// Swish: x * sigmoid(alpha * x).
struct SwishAttrs final : AttrsOf<SwishAttrs> {
  float alpha = 1.0f;

  void visit(AttrVisitor& v) override { v.field("alpha", alpha); }
};

/// Selu: gamma * (x > 0 ? x : alpha * (exp(x) - 1)).
struct SeluAttrs final : AttrsOf<SeluAttrs> {
  float alpha = 1.67326319217681884765625f;
  float gamma = 1.05070102214813232421875f;

  void visit(AttrVisitor& v) override {
    v.field("alpha", alpha);
    v.field("gamma", gamma);
  }
};

/// HardSigmoid: clamp(alpha * x + beta, 0, 1).
struct HardSigmoidAttrs final : AttrsOf<HardSigmoidAttrs> {
  float alpha = 0.2f;
  float beta = 0.5f;

  void visit(AttrVisitor& v) override {
    v.field("alpha", alpha);
    v.field("beta", beta);
  }
};

/// Gelu: "none" is x/2 * (1 + erf(x / sqrt 2)), "tanh" its tanh approximation.
struct GeluAttrs final : AttrsOf<GeluAttrs> {
  std::string approximate = "none";

  void visit(AttrVisitor& v) override { v.field("approximate", approximate); }
};

/// IsInf: which infinities count.
struct IsInfAttrs final : AttrsOf<IsInfAttrs> {
  bool detect_negative = true;
  bool detect_positive = true;

  void visit(AttrVisitor& v) override {
    v.field("detect_negative", detect_negative);
    v.field("detect_positive", detect_positive);
  }
};

/// Mod: false takes the sign of the divisor (integers only), true that of the dividend.
struct ModAttrs final : AttrsOf<ModAttrs> {
  bool fmod = false;

  void visit(AttrVisitor& v) override { v.field("fmod", fmod); }
};

/// BitShift: "LEFT" or "RIGHT".
struct BitShiftAttrs final : AttrsOf<BitShiftAttrs> {
  std::string direction;

  void visit(AttrVisitor& v) override {
    v.field("direction", direction);
    v.require("direction");
  }
};

/// Cast: target type. Float to integer truncates toward zero; `saturate` matters to 8-bit floats
/// only, `round_mode` to float8_e8m0fnu: "up", "down" or "nearest".
struct CastAttrs final : AttrsOf<CastAttrs> {
  DType to = DType::kF32;
  bool saturate = true;
  std::string round_mode = "up";

  void visit(AttrVisitor& v) override {
    v.field("to", to);
    v.require("to");
    v.field("saturate", saturate);
    v.field("round_mode", round_mode);
  }
};

/// CastLike: as Cast; the target type is that of input 1.
struct CastLikeAttrs final : AttrsOf<CastLikeAttrs> {
  bool saturate = true;
  std::string round_mode = "up";

  void visit(AttrVisitor& v) override {
    v.field("saturate", saturate);
    v.field("round_mode", round_mode);
  }
};

}  // namespace polaris
