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

}  // namespace polaris
