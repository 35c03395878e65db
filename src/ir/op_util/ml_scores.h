#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ir/op_util/elements.h"
#include "ir/op_util/ml.h"
#include "ir/op_util/put_all.h"

/// What the regressors and classifiers of ai.onnx.ml share.
namespace polaris {

enum class PostTransform : std::uint8_t { kNone, kSoftmax, kLogistic, kSoftmaxZero, kProbit };

/// kNone for what check_post_transform refuses.
PostTransform post_transform_of(std::string_view name);
Status check_post_transform(const InferContext& c, std::string_view name);

double logistic(double x);
/// Transforms the scores of one row. A score alone is no distribution: only PROBIT changes it, as
/// onnxruntime has it.
void transform_scores(PostTransform transform, std::span<double> scores);
/// Two classes' scores made of one: what one has the other lacks to 1. LOGISTIC takes the score for
/// one in favour of the second class and against the first; SOFTMAX changes nothing.
void put_complement(PostTransform transform, double score, std::span<double> scores);
/// The first of the largest.
std::int64_t largest(std::span<const double> scores);

/// X [N, F], or [F] as one row, read row by row as doubles.
struct MlRows {
  DType dtype = DType::kF32;
  const std::byte* data = nullptr;
  Shape shape;

  void read(std::int64_t row, std::vector<double>& out) const;
};

/// Class labels stand in one of two attributes.
struct ClassLabels {
  const std::vector<std::int64_t>& ints;
  const std::vector<std::string>& texts;
  std::int64_t size() const { return static_cast<std::int64_t>(ints.size() + texts.size()); }
};

/// Ports of a classifier: X, then the label and the scores of each row.
inline constexpr Port kClassifierInputs[] = {{"X"}};
inline constexpr Port kClassifierOutputs[] = {{"Y"}, {"Z"}};
inline constexpr Port kRegressorInputs[] = {{"X"}};
inline constexpr Port kRegressorOutputs[] = {{"Y"}};

/// X is what such operators take, with `features` columns where that is not negative.
Status check_rows(const InferContext& c, std::int64_t features);
Status check_labels(const InferContext& c, std::string_view names, const ClassLabels& labels);
/// Outputs of a classifier with so many scores a row.
void set_classified(InferContext& c, const ClassLabels& labels, std::int64_t scores);
void set_regressed(InferContext& c, std::int64_t targets);

/// A Model is made of attributes and the number of features, and has `targets()`; predict(x, out)
/// writes one row's.
template <class Model>
Status regress(RefContext& c) {
  const MlRows rows{c.in(0).type.dtype, c.in(0).data, c.in(0).type.shape};
  if (c.out(0).type.shape.elements() == 0) return Status::success();
  const Model model(c.as<typename Model::AttrsType>(), feature_dim(rows.shape));
  std::vector<double> x;
  std::vector<double> out(static_cast<std::size_t>(c.out(0).type.shape.back()));
  for (std::int64_t row = 0; row < row_dim(rows.shape); ++row) {
    rows.read(row, x);
    model.predict(x, out);
    put_all(c, 0, row * c.out(0).type.shape.back(), out);
  }
  return Status::success();
}

/// Of each row classify(x, scores) writes the scores and gives the place of its label.
template <class Model, class Put>
void classify_rows(const Model& model, const MlRows& rows, std::int64_t columns, Put put) {
  std::vector<double> x;
  std::vector<double> scores(static_cast<std::size_t>(columns));
  for (std::int64_t row = 0; row < row_dim(rows.shape); ++row) {
    rows.read(row, x);
    put(row, model.classify(x, scores), scores);
  }
}

template <class Model>
Status classify(RefContext& c) {
  const MlRows rows{c.in(0).type.dtype, c.in(0).data, c.in(0).type.shape};
  const Model model(c.as<typename Model::AttrsType>(), feature_dim(rows.shape));
  const ClassLabels labels = model.labels();
  classify_rows(model, rows, model.columns(),
                [&](std::int64_t row, std::int64_t label, const std::vector<double>& scores) {
                  if (is_wanted(c, 0)) {
                    put_i64(c.out(0), row, labels.ints[static_cast<std::size_t>(label)]);
                  }
                  put_all(c, 1, row * model.columns(), scores);
                });
  return Status::success();
}

/// The same where labels are strings.
template <class Model>
Status classify_by_name(HostContext& c) {
  const Tensor& x = c.in(0);
  const MlRows rows{x.dtype(), x.bytes().data(), x.shape()};
  const Model model(c.as<typename Model::AttrsType>(), feature_dim(rows.shape));
  Tensor scores;
  if (c.types.size() > 1) {
    auto allocated = allocate_output(c, 1);
    if (!allocated) return allocated.error();
    scores = allocated.take();
  }
  const ClassLabels labels = model.labels();
  std::vector<std::string_view> names;
  classify_rows(
      model, rows, model.columns(),
      [&](std::int64_t row, std::int64_t label, const std::vector<double>& values) {
        names.push_back(labels.texts[static_cast<std::size_t>(label)]);
        for (std::size_t i = 0; scores && i < values.size(); ++i) {
          scores.mutable_data<float>()[row * model.columns() + static_cast<std::int64_t>(i)] =
              static_cast<float>(values[i]);
        }
      });
  auto text = make_strings(c, Shape{row_dim(rows.shape)}, names);
  if (!text) return text.error();
  c.give(0, text.take());
  c.give(1, std::move(scores));
  return Status::success();
}

}  // namespace polaris
