// What the environment asks to see of every compilation of the process (docs/seeing.md).
//
//   LACUNA_DUMP=DIR       the stages of each, in DIR/SYMBOL; DIR/SYMBOL.2, … where that is there already
//   LACUNA_OVERRIDE=DIR   files of DIR/SYMBOL, named as in a dump, take the place of their stages
//   LACUNA_TIME=1         the time of each stage, a line on stderr
//   LACUNA_REPORT=DIR     DIR/SYMBOL.json, also of a kernel from the cache
//   LACUNA_LINEINFO=1     lines of the text in the code
#pragma once

#include "lacuna/Compiler/Pipeline/Compiler.h"

namespace lacuna {

/// `request` with what `knobs` ask of it; what it asks for itself comes first. Makes the directory of its dump. Errors:
/// Unavailable for a directory that cannot be made and a file that cannot be read; InvalidArgument where
/// LACUNA_OVERRIDE is no directory.
Expected<CompileRequest> withKnobs(const CompileRequest &request, const runtime::Knobs &knobs);

/// LACUNA_TIME and LACUNA_REPORT. `source`, where it is not empty, says where the kernel was found instead of compiled.
/// A report that cannot be written is one warning. Thread safety: any thread.
void showResult(const CompileResult &result, const runtime::Knobs &knobs, std::string_view source = {},
                double milliseconds = 0);

/// The kernel and what is chosen of it, for people: "attention_forward D=128 rows=causal".
std::string describeRequest(const CompileRequest &request);
/// The same for a span; nothing where none is heard.
std::string spanDetail(const CompileRequest &request);

/// What the code calls the text that its lines are of: the absolute path where `fileName` is a file, else the name.
std::string lineFileName(const std::string &fileName);

} // namespace lacuna
