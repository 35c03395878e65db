#pragma once
#include <vector>

#include "base/result.h"
#include "ir/model.h"
#include "load/source.h"

namespace polaris::hf {

/// The tensors of a safetensors file, under their own names and in their order. Those whose bytes
/// stand as their elements need view the file, others are copies. Errors: parse_safetensors's;
/// out_of_memory.
Result<std::vector<Weight>> read_safetensors(const SourceFile& file);

/// Whether a text is that of an index: which file of several has which tensor.
bool is_index(std::string_view text);
/// The tensors that an index names, from the files that it names for them. Errors: invalid (a
/// malformed index, a name that leads out of the folder, a tensor that its file does not have);
/// read_safetensors's and Source::file's.
Result<std::vector<Weight>> read_sharded(Source& source, const SourceFile& index);

/// The tensors of a folder: model.safetensors, or those of model.safetensors.index.json. Errors: as
/// above; not_found where there is neither.
Result<std::vector<Weight>> read_folder_weights(Source& source);

/// Adds the tensors to a model, with their number of elements and of bytes. Errors: invalid where
/// these do not add up.
Status add_weights(Model& model, std::vector<Weight> weights);

}  // namespace polaris::hf
