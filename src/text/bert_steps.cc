#include "text/bert_steps.h"

#include <utility>

namespace polaris {

std::vector<NormalizerStep> bert_normalizer(const BertOptions& options) {
  using Kind = NormalizerStep::Kind;
  std::vector<NormalizerStep> out;
  if (options.clean_text) out.push_back({Kind::kCleanControls});
  if (options.ideographs) out.push_back({Kind::kSpaceIdeographs});
  if (options.strip_accents) {
    NormalizerStep apart{Kind::kForm};
    apart.form = NormalForm::kNfd;
    out.push_back(std::move(apart));
    out.push_back({Kind::kStripMarks});
  }
  if (options.lower_case) out.push_back({Kind::kLowerCase});
  return out;
}

std::vector<PreTokenizerStep> bert_pre_tokenizer() {
  PreTokenizerStep spaces;
  spaces.pattern = R"(\s+)";
  spaces.behavior = SplitBehavior::kRemoved;
  PreTokenizerStep signs;
  signs.pattern = R"([!-/:-@\[-`{-~\p{P}])";
  return {spaces, signs};
}

}  // namespace polaris
