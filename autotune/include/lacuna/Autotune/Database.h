//===- Database.h - What was measured, on disk ------------------*- C++ -*-===//
//
// One SQLite file holds two kinds of records. A *point* is what became of one candidate on one shape: dropped with a
// reason, failed, lost early, or measured. A *winner* is what the kernel should run with on that shape. Both belong to
// a key: kernel, hash of its text, machine with its limits, assembler. So a changed kernel, another machine or another
// assembler starts anew, and a new candidate does not measure the old ones again.
//
// Every record is committed as it is made (write-ahead log): a process that is killed loses only what it was doing.
//
// The file says which form it has (`user_version`). One of a newer form is refused, never changed.
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_AUTOTUNE_DATABASE_H
#define LACUNA_AUTOTUNE_DATABASE_H

#include "lacuna/Autotune/SearchSpace.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

struct sqlite3;

namespace lacuna::autotune {

/// What records belong to.
struct RecordKey {
  std::string kernel, hash;
  std::string machine, limits; ///< MachineLimits::name and limitsText()
  std::string assembler;       ///< its version; "driver" where there is none; empty on a CPU
  bool operator==(const RecordKey &) const = default;
};

/// What became of one candidate on one shape.
struct PointRecord {
  enum class Status { Dropped, Failed, Lost, Measured };
  RecordKey key;
  std::string shape; ///< Shape::text
  Point point;
  Status status = Status::Dropped;
  std::string kind = {}, reason = {}; ///< Dropped, Failed, Lost: why
  double predicted = 0;               ///< of the machine's peak, at most; 0: nothing predicted
  double microseconds = 0;            ///< Lost and Measured: median of a launch
  double presetMicroseconds = 0;      ///< the default's, in the same rounds
  double spread = 0;                  ///< half the distance of the quartiles, in microseconds
  int64_t time = 0;                   ///< seconds since 1970
  bool operator==(const PointRecord &) const = default;
};
std::string_view statusName(PointRecord::Status status);
std::optional<PointRecord::Status> parseStatus(std::string_view name);

/// What a kernel should run with on one shape.
struct WinnerRecord {
  RecordKey key;
  std::string shape;
  Point point;
  std::string source;      ///< "measured", "model" or, for shipped records, where the figures stand
  double microseconds = 0; ///< 0: not measured here
  double presetMicroseconds = 0;
  int64_t time = 0;
  bool operator==(const WinnerRecord &) const = default;
};

/// Thread safety: one thread at a time; several processes may use one file, each statement waits for its turn.
class Database {
public:
  static constexpr int kFormat = 1;

  /// Opens or makes the file, and its directory. An empty path: in memory.
  /// Errors: Incompatible for a newer form or a database of something else; VerifyError for a damaged file; Unavailable
  /// for one that is locked for longer than `patience` or that cannot be opened. Messages say what to do.
  static Expected<Database> open(const std::string &path,
                                 std::chrono::milliseconds patience = std::chrono::milliseconds(3000));
  /// The same for reading alone; the file must exist. It may lie where nothing can be written. Errors: likewise;
  /// NotFound.
  static Expected<Database> openToRead(const std::string &path);
  Database(Database &&) noexcept;
  Database &operator=(Database &&) noexcept;
  ~Database();

  /// Stores a record in place of one with the same key, shape and point. Errors: as open.
  Expected<void> put(const PointRecord &record);
  Expected<void> put(const WinnerRecord &record);
  /// Errors: as open.
  Expected<std::vector<PointRecord>> points(const RecordKey &key, const std::string &shape);
  Expected<std::vector<WinnerRecord>> winners(const std::string &kernel, const std::string &machine);
  Expected<std::vector<PointRecord>> allPoints();
  Expected<std::vector<WinnerRecord>> allWinners();

  /// Commits what `work` puts all at once; nothing of it where it fails. Errors: as open; what `work` returns.
  Expected<void> together(const std::function<Expected<void>()> &work);

  const std::string &path() const { return file; }

private:
  class Statement;
  explicit Database(std::string file) : file(std::move(file)) {}
  Expected<void> connect(const std::string &name, int flags, std::chrono::milliseconds patience);
  Expected<void> prepareTables();
  Expected<void> execute(const char *sql);
  /// The last failure of SQLite as an error of ours.
  tl::unexpected<Error> failure(int code, std::string_view doing) const;
  /// What a query of whole rows gives; defined where it is used.
  template <class Record> Expected<std::vector<Record>> select(const char *sql, const std::vector<std::string> &values);

  std::string file;
  sqlite3 *handle = nullptr;
};

/// Where the user's database lies: LACUNA_TUNING, else `tuning.db` in runtime::userCacheDirectory(). Nothing where the
/// knob is "none", or there is no such directory.
std::optional<std::string> userDatabasePath();

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_DATABASE_H
