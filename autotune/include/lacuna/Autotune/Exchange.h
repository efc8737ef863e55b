//===- Exchange.h - Records as JSON -----------------------------*- C++ -*-===//
//
//   {"format": "lacuna-tuning", "version": 1,
//    "winners": [{"kernel": …, "hash": …, "machine": …, "limits": …, "assembler": …, "shape": …, "point": …,
//                 "source": …, "us": …, "preset_us": …, "time": …}],
//    "points":  [the same key, "shape", "point", "status", "kind", "reason", "predicted", "us", "preset_us", "spread",
//                "time"]}
//
// Empty texts and zeros are left out. It is the form of `lacuna tune --export` and of the records that ship with the
// source (autotune/records/). Merging takes, of two records of one thing, the newer one.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_EXCHANGE_H
#define LACUNA_AUTOTUNE_EXCHANGE_H

#include "lacuna/Autotune/Database.h"

namespace lacuna::autotune {

struct Records {
  std::vector<WinnerRecord> winners;
  std::vector<PointRecord> points;
};

/// How many records a merge took, and how many it left because the database had them as new or newer.
struct MergeCounts {
  int64_t taken = 0, kept = 0;
};

std::string recordsToJson(const Records &records);
/// `name` is for messages. Errors: ParseError, with the record and the field; Incompatible for a newer version.
Expected<Records> recordsFromJson(const std::string &name, std::string_view text);

/// Everything in a database. Errors: as Database.
Expected<Records> exportRecords(Database &database);
/// Adds `records`, the newer of two of one thing; all of them, or none where it fails. Errors: as Database.
Expected<MergeCounts> mergeRecords(Database &database, const Records &records);

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_EXCHANGE_H
