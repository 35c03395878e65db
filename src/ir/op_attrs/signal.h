#pragma once
#include <cstdint>

#include "ir/attrs.h"

namespace polaris {

/// HannWindow, HammingWindow, BlackmanWindow.
struct CosineWindowAttrs final : AttrsOf<CosineWindowAttrs> {
  DType output_datatype = DType::kF32;
  bool periodic = true;

  void visit(AttrVisitor& v) override {
    v.field("output_datatype", output_datatype);
    v.field("periodic", periodic);
  }
};

/// MelWeightMatrix.
struct MelWeightMatrixAttrs final : AttrsOf<MelWeightMatrixAttrs> {
  DType output_datatype = DType::kF32;

  void visit(AttrVisitor& v) override { v.field("output_datatype", output_datatype); }
};

/// DFT.
struct DftAttrs final : AttrsOf<DftAttrs> {
  bool inverse = false;
  bool onesided = false;

  void visit(AttrVisitor& v) override {
    v.field("inverse", inverse);
    v.field("onesided", onesided);
  }
};

/// STFT.
struct StftAttrs final : AttrsOf<StftAttrs> {
  bool onesided = true;

  void visit(AttrVisitor& v) override { v.field("onesided", onesided); }
};

}  // namespace polaris
