#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ir/attrs.h"

namespace polaris {

/// Resize. Empty axes: all. coordinate_transformation_mode may be op-set 11's tf_half_pixel_for_nn.
struct ResizeAttrs final : AttrsOf<ResizeAttrs> {
  bool antialias = false;
  std::vector<std::int64_t> axes;
  std::string coordinate_transformation_mode = "half_pixel";
  float cubic_coeff_a = -0.75f;
  bool exclude_outside = false;
  float extrapolation_value = 0.0f;
  std::string keep_aspect_ratio_policy = "stretch";
  std::string mode = "nearest";
  std::string nearest_mode = "round_prefer_floor";

  void visit(AttrVisitor& v) override {
    v.field("antialias", antialias);
    v.field("axes", axes);
    v.field("coordinate_transformation_mode", coordinate_transformation_mode);
    v.field("cubic_coeff_a", cubic_coeff_a);
    v.field("exclude_outside", exclude_outside);
    v.field("extrapolation_value", extrapolation_value);
    v.field("keep_aspect_ratio_policy", keep_aspect_ratio_policy);
    v.field("mode", mode);
    v.field("nearest_mode", nearest_mode);
  }
};

/// GridSample.
struct GridSampleAttrs final : AttrsOf<GridSampleAttrs> {
  bool align_corners = false;
  std::string mode = "linear";
  std::string padding_mode = "zeros";

  void visit(AttrVisitor& v) override {
    v.field("align_corners", align_corners);
    v.field("mode", mode);
    v.field("padding_mode", padding_mode);
  }
};

/// AffineGrid.
struct AffineGridAttrs final : AttrsOf<AffineGridAttrs> {
  bool align_corners = false;

  void visit(AttrVisitor& v) override { v.field("align_corners", align_corners); }
};

/// RoiAlign; sampling_ratio 0: as many samples as a bin has pixels, rounded up.
struct RoiAlignAttrs final : AttrsOf<RoiAlignAttrs> {
  std::string coordinate_transformation_mode = "half_pixel";
  std::string mode = "avg";
  std::int64_t output_height = 1;
  std::int64_t output_width = 1;
  std::int64_t sampling_ratio = 0;
  float spatial_scale = 1.0f;

  void visit(AttrVisitor& v) override {
    v.field("coordinate_transformation_mode", coordinate_transformation_mode);
    v.field("mode", mode);
    v.field("output_height", output_height);
    v.field("output_width", output_width);
    v.field("sampling_ratio", sampling_ratio);
    v.field("spatial_scale", spatial_scale);
  }
};

/// MaxRoiPool.
struct MaxRoiPoolAttrs final : AttrsOf<MaxRoiPoolAttrs> {
  std::vector<std::int64_t> pooled_shape;
  float spatial_scale = 1.0f;

  void visit(AttrVisitor& v) override {
    v.field("pooled_shape", pooled_shape);
    v.require("pooled_shape");
    v.field("spatial_scale", spatial_scale);
  }
};

/// NonMaxSuppression; center_point_box 1: boxes are [x, y, width, height] and not two corners.
struct NonMaxSuppressionAttrs final : AttrsOf<NonMaxSuppressionAttrs> {
  bool center_point_box = false;

  void visit(AttrVisitor& v) override { v.field("center_point_box", center_point_box); }
};

}  // namespace polaris
