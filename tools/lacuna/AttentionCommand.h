//===- AttentionCommand.h - `lacuna attention` ------------------*- C++ -*-===//
//
//   AttentionOptions options;
//   CLI::App *attention = addAttentionCommand(app, options);
//   ...
//   if (attention->parsed())
//     return runAttentionCommand(options, backend);
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_TOOLS_ATTENTIONCOMMAND_H
#define LACUNA_TOOLS_ATTENTIONCOMMAND_H

#include "AttentionBackend.h"
#include "AttentionOptions.h"
#include "AttentionReport.h"
#include "CommandResult.h"

namespace lacuna::tools {

/// Loads or makes the data, compiles through `backend`, runs, and as asked checks, measures and saves.
CommandResult attentionCommand(const AttentionOptions &options, AttentionBackend &backend);

/// The same, printed; returns the exit status.
int runAttentionCommand(const AttentionOptions &options, AttentionBackend &backend);

} // namespace lacuna::tools

#endif // LACUNA_TOOLS_ATTENTIONCOMMAND_H
