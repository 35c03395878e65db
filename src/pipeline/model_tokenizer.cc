#include "pipeline/model_tokenizer.h"

#include "text/tokenizer_settings.h"

namespace polaris {

Result<std::unique_ptr<Tokenizer>> make_tokenizer(const Model& model) {
  if (model.tokenizer) return Tokenizer::create(*model.tokenizer);
  if (!model.no_tokenizer) return model.no_tokenizer.error();
  return Error::unsupported("[tokenizer] the file describes no tokenizer");
}

}  // namespace polaris
