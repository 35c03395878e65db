#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "conformance/samples.h"

namespace polaris::test {

/// The samples of one op, run on every device against OpDef::reference:
///   Suite s("Softmax");
///   s.add("axis 0", {random(DType::kF32, {3, 5})}, attrs<SoftmaxAttrs>(...));
///   s.fails("axis", {...}, attrs..., "axis");
///   s.run();
/// Each sample runs twice, with different bytes where nothing is written yet: outputs must be bit
/// equal (so that no element is left unwritten), within tolerance of the reference, and nothing
/// else may change. Then once in place for each pair the op declares, and with weights as
/// constants; these must be bit equal to the reference's tolerance too. Of an op that is not
/// elementwise each sample with plain float operands also runs with a NaN and with infinities in
/// each of them; tests/op/special_values.cc does as much, and more, for elementwise ops. Samples
/// with float32 operands run on the cpu as float16 and bfloat16 too, where the op takes these: what
/// has a kernel in float32 must have one there.
class Suite {
 public:
  explicit Suite(std::string_view op, std::string_view domain = "");

  struct Options {
    int outputs = 1;
    double slack = 1;
    std::vector<int> weights;  // inputs that are also tried as constants
    double of_largest = 0;     // tolerance as a part of the largest result (see Sample)
    int code_steps = 0;        // codes of an encoded result may be off by as many
  };
  void add(std::string_view name, std::vector<Tensor> inputs,
           std::shared_ptr<const Attrs> attrs = nullptr, const Options& options = {1, 1, {}, 0, 0});
  /// As add, with operands that carry scales (affine encodings).
  void add_constants(std::string_view name, std::vector<Constant> inputs,
                     std::shared_ptr<const Attrs> attrs, const Options& options);
  /// As add, of operands that hold subnormals; false, and nothing is added, where the op does not
  /// take such operands. `exact`: results must be right to the bit.
  bool add_if_taken(std::string_view name, std::vector<Tensor> inputs,
                    std::shared_ptr<const Attrs> attrs, bool exact = false);
  /// infer or the reference must fail, naming the op and saying `text`. Where it is the reference,
  /// so must every device that takes the node.
  void fails(std::string_view name, std::vector<Tensor> inputs, std::shared_ptr<const Attrs> attrs,
             std::string_view text, int outputs = 1, std::vector<int> weights = {});
  /// Runs everything; each disagreement is a doctest failure. A device that refuses every sample,
  /// or some, is reported on stdout. Where POLARIS_SELECT_REPORT names a file, nothing runs, and
  /// the file gets a line for every device and sample: what select() said (see ops_doc_test.cc).
  void run();

 private:
  void report_kernels(const char* path) const;
  void add_special_values();
  void check_failing(const Sample& sample, const std::string& text) const;

  const OpDef* op_;
  std::vector<Sample> samples_;
  struct Failing {
    Sample sample;
    std::string text;
  };
  std::vector<Failing> failing_;
};

}  // namespace polaris::test
