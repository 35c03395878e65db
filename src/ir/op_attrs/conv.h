#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ir/attrs.h"

namespace polaris {

/// Conv, ConvInteger, QLinearConv. Empty vectors: kernel from W, strides and dilations 1, pads
/// 0.
struct ConvAttrs final : AttrsOf<ConvAttrs> {
  std::string auto_pad = "NOTSET";
  std::vector<std::int64_t> dilations;
  std::int64_t group = 1;
  std::vector<std::int64_t> kernel_shape;
  std::vector<std::int64_t> pads;
  std::vector<std::int64_t> strides;

  void visit(AttrVisitor& v) override {
    v.field("auto_pad", auto_pad);
    v.field("dilations", dilations);
    v.field("group", group);
    v.field("kernel_shape", kernel_shape);
    v.field("pads", pads);
    v.field("strides", strides);
  }
};

/// polaris.FusedConv: what is applied to the sums, by the name of its op (kConvActivations), and
/// that op's attributes; Clip's are its limits.
struct FusedConvAttrs final : AttrsOf<FusedConvAttrs> {
  ConvAttrs conv;
  std::string activation;  // "": nothing
  float alpha = 0.0f;
  float beta = 0.0f;

  void visit(AttrVisitor& v) override {
    conv.visit(v);
    v.field("activation", activation);
    v.field("alpha", alpha);
    v.field("beta", beta);
  }
};

/// ConvTranspose.
struct ConvTransposeAttrs final : AttrsOf<ConvTransposeAttrs> {
  std::string auto_pad = "NOTSET";
  std::vector<std::int64_t> dilations;
  std::int64_t group = 1;
  std::vector<std::int64_t> kernel_shape;
  std::vector<std::int64_t> output_padding;
  std::vector<std::int64_t> output_shape;
  std::vector<std::int64_t> pads;
  std::vector<std::int64_t> strides;

  void visit(AttrVisitor& v) override {
    v.field("auto_pad", auto_pad);
    v.field("dilations", dilations);
    v.field("group", group);
    v.field("kernel_shape", kernel_shape);
    v.field("output_padding", output_padding);
    v.field("output_shape", output_shape);
    v.field("pads", pads);
    v.field("strides", strides);
  }
};

/// MaxPool and AveragePool; storage_order is MaxPool's, count_include_pad AveragePool's.
struct PoolAttrs final : AttrsOf<PoolAttrs> {
  std::string auto_pad = "NOTSET";
  bool ceil_mode = false;
  bool count_include_pad = false;
  std::vector<std::int64_t> dilations;
  std::vector<std::int64_t> kernel_shape;
  std::vector<std::int64_t> pads;
  std::int64_t storage_order = 0;
  std::vector<std::int64_t> strides;

  void visit(AttrVisitor& v) override {
    v.field("auto_pad", auto_pad);
    v.field("ceil_mode", ceil_mode);
    v.field("count_include_pad", count_include_pad);
    v.field("dilations", dilations);
    v.field("kernel_shape", kernel_shape);
    v.require("kernel_shape");
    v.field("pads", pads);
    v.field("storage_order", storage_order);
    v.field("strides", strides);
  }
};

/// LpPool: the window as the other pools have it.
struct LpPoolAttrs final : AttrsOf<LpPoolAttrs> {
  PoolAttrs window;
  std::int64_t p = 2;

  void visit(AttrVisitor& v) override {
    v.field("auto_pad", window.auto_pad);
    v.field("ceil_mode", window.ceil_mode);
    v.field("dilations", window.dilations);
    v.field("kernel_shape", window.kernel_shape);
    v.require("kernel_shape");
    v.field("p", p);
    v.field("pads", window.pads);
    v.field("strides", window.strides);
  }
};

/// GlobalLpPool.
struct GlobalLpPoolAttrs final : AttrsOf<GlobalLpPoolAttrs> {
  std::int64_t p = 2;

  void visit(AttrVisitor& v) override { v.field("p", p); }
};

/// MaxUnpool.
struct MaxUnpoolAttrs final : AttrsOf<MaxUnpoolAttrs> {
  std::vector<std::int64_t> kernel_shape;
  std::vector<std::int64_t> pads;
  std::vector<std::int64_t> strides;

  void visit(AttrVisitor& v) override {
    v.field("kernel_shape", kernel_shape);
    v.require("kernel_shape");
    v.field("pads", pads);
    v.field("strides", strides);
  }
};

/// Col2Im.
struct Col2ImAttrs final : AttrsOf<Col2ImAttrs> {
  std::vector<std::int64_t> dilations;
  std::vector<std::int64_t> pads;
  std::vector<std::int64_t> strides;

  void visit(AttrVisitor& v) override {
    v.field("dilations", dilations);
    v.field("pads", pads);
    v.field("strides", strides);
  }
};

/// DeformConv: offset_group groups of input channels share their offsets.
struct DeformConvAttrs final : AttrsOf<DeformConvAttrs> {
  std::vector<std::int64_t> dilations;
  std::int64_t group = 1;
  std::vector<std::int64_t> kernel_shape;
  std::int64_t offset_group = 1;
  std::vector<std::int64_t> pads;
  std::vector<std::int64_t> strides;

  void visit(AttrVisitor& v) override {
    v.field("dilations", dilations);
    v.field("group", group);
    v.field("kernel_shape", kernel_shape);
    v.field("offset_group", offset_group);
    v.field("pads", pads);
    v.field("strides", strides);
  }
};

}  // namespace polaris
