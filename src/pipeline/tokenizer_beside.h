#pragma once
#include <string>

#include "ir/model.h"

namespace polaris {

/// Gives a decoder, or what embeds texts, whose file at `path`, or whose folder, describes no
/// tokenizer by itself the one of its folder: that of
/// tokenizer_file_in, the ids of hyperparameter "end_tokens" as ends of a text, and the chat
/// templates of tokenizer_config.json and chat_template.jinja. Where there is none the model says
/// so (Model::no_tokenizer). Errors: what is wrong with a file that is there.
Status read_tokenizer_beside(const std::string& path, Model& model);

}  // namespace polaris
