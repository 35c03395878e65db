#pragma once
#include <vector>

#include "base/result.h"
#include "load/gguf/gguf_file.h"
#include "load/source.h"

namespace polaris::gguf {

/// A file of a model and what it holds.
struct GgufPart {
  SourceFile file;
  GgufFile gguf;
};

/// Reads the main file and, where that is the first of a split model, the other parts, in their
/// order; the model's metadata is the first part's. The others lie beside it under its name, with
/// their own number in "-00001-of-00003.gguf". Errors: parse_gguf's and Source::file's; invalid
/// where a part is not the one that its name says, or the parts do not make one model.
Result<std::vector<GgufPart>> read_parts(Source& source);

}  // namespace polaris::gguf
