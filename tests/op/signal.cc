#include "ir/op_attrs/signal.h"

#include <doctest/doctest.h>

#include <cmath>

#include "conformance/suite.h"
#include "ir/op_util/fourier.h"

namespace polaris::test {
namespace {

constexpr DType kF = DType::kF32;

}  // namespace

TEST_CASE("windows, MelWeightMatrix") {
  for (const char* name : {"HannWindow", "HammingWindow", "BlackmanWindow"}) {
    Suite s(name);
    for (const bool periodic : {false, true}) {
      s.add(periodic ? "periodic" : "symmetric", {scalar(DType::kI64, 9)},
            attrs<CosineWindowAttrs>([=](auto& a) { a.periodic = periodic; }));
    }
    s.add("f64", {scalar(DType::kI32, 4)},
          attrs<CosineWindowAttrs>([](auto& a) { a.output_datatype = DType::kF64; }));
    s.add("none", {scalar(DType::kI64, 0)});
    s.fails("size", {scalar(DType::kI64, -1)}, nullptr, "size, got -1");
    s.fails("sizes", {int64s({1, 2})}, nullptr, "size of size, got 2");
    s.fails("type", {scalar(DType::kI64, 4)},
            attrs<CosineWindowAttrs>([](auto& a) { a.output_datatype = DType::kBool; }),
            "output_datatype, got bool");
    s.run();
  }
  Suite mel("MelWeightMatrix");
  const auto matrix = [](std::int64_t bins, std::int64_t rate, double high) {
    return std::vector<Tensor>{
        scalar(DType::kI64, static_cast<double>(bins)), scalar(DType::kI64, 16),
        scalar(DType::kI64, static_cast<double>(rate)), scalar(kF, 0), scalar(kF, high)};
  };
  mel.add("8 bins", matrix(8, 8192, 4096));
  mel.add("crowded", matrix(20, 16000, 4000));
  mel.fails("bins", matrix(-1, 8192, 4096), nullptr, "num_mel_bins, got -1");
  mel.fails("rate", matrix(8, 0, 4096), nullptr, "sample_rate, got 0");
  mel.fails("edge", matrix(8, 8192, 1e6), nullptr, "edges, got row");
  mel.run();
}

TEST_CASE("DFT, STFT") {
  Suite s("DFT");
  const auto of = [](bool inverse, bool onesided) {
    return attrs<DftAttrs>([=](auto& a) {
      a.inverse = inverse;
      a.onesided = onesided;
    });
  };
  for (std::int64_t n : {1, 2, 7, 12, 30}) {
    s.add("real " + std::to_string(n), {random(kF, {2, n, 1})}, of(false, false));
    s.add("half " + std::to_string(n), {random(kF, {2, n, 1})}, of(false, true));
    s.add("complex " + std::to_string(n), {random(DType::kF64, {2, n, 2})}, of(true, false));
  }
  s.add("longer", {random(kF, {3, 5, 2}), scalar(DType::kI64, 8), int64s({0})}, of(false, false));
  s.add("shorter", {random(kF, {7, 2, 1}), scalar(DType::kI32, 4), scalar(DType::kI64, -3)},
        of(false, true));
  s.add("empty", {random(kF, {0, 5, 1})});
  s.fails("parts", {random(kF, {4, 3})}, nullptr, "last dim, got 3");
  s.fails("onesided", {random(kF, {4, 2})}, of(false, true), "as onesided needs");
  s.fails("length", {random(kF, {4, 1}), scalar(DType::kI64, 0)}, nullptr, "dft_length, got 0");
  s.fails("axis", {random(kF, {4, 1}), absent(), int64s({1})}, nullptr, "axis, got the last");
  s.run();
  Suite frames("STFT");
  const auto all = attrs<StftAttrs>([](auto& a) { a.onesided = false; });
  frames.add("window", {random(kF, {2, 20, 1}), scalar(DType::kI64, 3), random(kF, {8})});
  frames.add("length", {random(kF, {2, 20, 1}), scalar(DType::kI32, 5), absent(), int64s({7})});
  frames.add("short window", {random(kF, {2, 20, 1}), int64s({4}), random(kF, {5}), int64s({8})});
  frames.add("complex", {random(kF, {1, 9, 2}), int64s({2}), random(kF, {4})}, all);
  frames.fails("neither", {random(kF, {2, 20, 1}), int64s({4})}, nullptr, "neither window nor");
  frames.fails("step", {random(kF, {2, 20, 1}), int64s({0}), random(kF, {5})}, nullptr,
               "frame_step, got 0");
  frames.fails("long window", {random(kF, {2, 20, 1}), int64s({4}), random(kF, {5}), int64s({4})},
               nullptr, "window, got 5");
  frames.fails("long frame", {random(kF, {2, 4, 1}), int64s({4}), random(kF, {5})}, nullptr,
               "frame, got 5 samples");
  frames.fails("onesided", {random(kF, {2, 9, 2}), int64s({4}), random(kF, {5})}, nullptr,
               "as onesided needs");
  frames.run();
}

TEST_CASE("a transform by factors is the sum that defines it, and its inverse takes it back") {
  for (std::int64_t n : {1, 2, 3, 8, 15, 23, 36}) {
    const Tensor values = random(DType::kF64, {n, 2});
    const double* v = values.data<double>();
    std::vector<Complex> x;
    for (std::int64_t i = 0; i < n; ++i) x.push_back({v[2 * i], v[2 * i + 1]});
    const std::vector<Complex> y = Fourier(n, false).transform(x);
    const std::vector<Complex> back = Fourier(n, true).transform(y);
    for (std::size_t k = 0; k < x.size(); ++k) {
      Complex sum;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double angle =
            -2 * 3.14159265358979323846 * static_cast<double>(k * i) / static_cast<double>(n);
        sum.re += x[i].re * std::cos(angle) - x[i].im * std::sin(angle);
        sum.im += x[i].re * std::sin(angle) + x[i].im * std::cos(angle);
      }
      CHECK(std::fabs(sum.re - y[k].re) + std::fabs(sum.im - y[k].im) < 1e-10);
      CHECK(std::fabs(back[k].re - x[k].re) + std::fabs(back[k].im - x[k].im) < 1e-12);
    }
  }
}

}  // namespace polaris::test
