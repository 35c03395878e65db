#include "load/hf/bert_config.h"

namespace polaris::hf {
namespace {

constexpr std::string_view kPrefixes[] = {"bert."};

}  // namespace

extern constinit const HfArchitecture hf_model_bert{
    .model_type = "bert",
    .ours = "bert",
    .prefixes = kPrefixes,
    .numbers = kBertNumbers,
    .modules = kBertModules,
    .rest = check_bert,
};

}  // namespace polaris::hf
