#include "load/hf/bert_config.h"

namespace polaris::hf {
namespace {

void rest(Config& config) {
  check_bert(config);
  skip_padding_rows(config);
}

}  // namespace

extern constinit const HfArchitecture hf_model_xlm_roberta{
    .model_type = "xlm-roberta",
    .ours = "bert",
    .prefixes = kRobertaPrefixes,
    .numbers = kBertNumbers,
    .modules = kBertModules,
    .rest = rest,
};

}  // namespace polaris::hf
