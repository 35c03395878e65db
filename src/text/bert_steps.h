#pragma once
#include <vector>

#include "text/tokenizer_settings.h"

namespace polaris {

struct BertOptions {
  bool clean_text = true;
  bool ideographs = true;
  bool strip_accents = true;
  bool lower_case = true;
};

/// How BERT changes a text before it is cut into words, and how it cuts (Devlin et al. 2018).
std::vector<NormalizerStep> bert_normalizer(const BertOptions& options);
std::vector<PreTokenizerStep> bert_pre_tokenizer();

}  // namespace polaris
