//===- TuneWorker.h - `lacuna tune --worker` --------------------*- C++ -*-===//
//
// The other end of autotune/Worker.h: reads one JSON object a line from standard input and answers each with one line
// on standard output, until the input ends.
//
//   {"op": "analyze", JOB}                        facts of a point, without code generation
//   {"op": "compile", JOB, "image": PATH}         writes a cubin (or PTX) there; its launch metadata
//   {"op": "open", "target", "shape", "list_columns"}   data of a shape
//   {"op": "load", JOB, "id": N, "artifact": REPLY}     a compiled point (on a CPU: compiles it)
//   {"op": "check", "id": N}                      runs it once; its results are held to the first one's
//   {"op": "time", "id": N, "launches": N}        {"us": […]}
//
// JOB is target, file, source, kernel, params, hooks. A failure is {"error": CODE, "message": TEXT}.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_TOOLS_TUNEWORKER_H
#define LACUNA_TOOLS_TUNEWORKER_H

namespace lacuna::tools {

/// Serves until standard input ends; the exit status.
int runTuneWorker();

} // namespace lacuna::tools

#endif // LACUNA_TOOLS_TUNEWORKER_H
