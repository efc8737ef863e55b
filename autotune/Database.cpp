#include "lacuna/Autotune/Database.h"

#include "lacuna/Runtime/CacheDirectory.h"
#include "lacuna/Runtime/Knobs.h"

#include <cctype>
#include <filesystem>
#include <sqlite3.h>

namespace lacuna::autotune {

namespace {

constexpr int kApplication = 0x4c614375; // "LaCu", in the header of the file

constexpr const char *kTables = R"(
CREATE TABLE point(kernel TEXT NOT NULL, hash TEXT NOT NULL, machine TEXT NOT NULL, limits TEXT NOT NULL,
  assembler TEXT NOT NULL, shape TEXT NOT NULL, point TEXT NOT NULL, status TEXT NOT NULL, kind TEXT NOT NULL,
  reason TEXT NOT NULL, predicted REAL NOT NULL, us REAL NOT NULL, preset_us REAL NOT NULL, spread REAL NOT NULL,
  time INTEGER NOT NULL, PRIMARY KEY(kernel, hash, machine, limits, assembler, shape, point)) WITHOUT ROWID;
CREATE TABLE winner(kernel TEXT NOT NULL, hash TEXT NOT NULL, machine TEXT NOT NULL, limits TEXT NOT NULL,
  assembler TEXT NOT NULL, shape TEXT NOT NULL, point TEXT NOT NULL, source TEXT NOT NULL, us REAL NOT NULL,
  preset_us REAL NOT NULL, time INTEGER NOT NULL,
  PRIMARY KEY(kernel, hash, machine, limits, assembler, shape)) WITHOUT ROWID;
)";

constexpr std::pair<PointRecord::Status, std::string_view> kStatusNames[] = {
    {PointRecord::Status::Dropped, "dropped"},
    {PointRecord::Status::Failed, "failed"},
    {PointRecord::Status::Lost, "lost"},
    {PointRecord::Status::Measured, "measured"}};

} // namespace

std::string_view statusName(PointRecord::Status status) {
  for (const auto &[known, name] : kStatusNames)
    if (known == status)
      return name;
  return "";
}

std::optional<PointRecord::Status> parseStatus(std::string_view name) {
  for (const auto &[status, known] : kStatusNames)
    if (known == name)
      return status;
  return std::nullopt;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Statements
//===--------------------------------------------------------------------------------------------------------------===//

/// A prepared statement with its values bound in order.
class Database::Statement {
public:
  Statement(sqlite3 *database, const std::string &sql)
      : status(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr)) {}
  ~Statement() { sqlite3_finalize(statement); }
  Statement(const Statement &) = delete;
  Statement &operator=(const Statement &) = delete;

  void bind(std::string_view text) {
    if (status == SQLITE_OK)
      status = sqlite3_bind_text(statement, ++bound, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  }
  void bind(double number) {
    if (status == SQLITE_OK)
      status = sqlite3_bind_double(statement, ++bound, number);
  }
  void bind(int64_t number) {
    if (status == SQLITE_OK)
      status = sqlite3_bind_int64(statement, ++bound, number);
  }
  void bind(const RecordKey &key) {
    for (const std::string *part : {&key.kernel, &key.hash, &key.machine, &key.limits, &key.assembler})
      bind(*part);
  }
  /// SQLITE_ROW, SQLITE_DONE or an error.
  int step() { return status == SQLITE_OK ? sqlite3_step(statement) : status; }

  std::string text() {
    const unsigned char *value = sqlite3_column_text(statement, column);
    int size = sqlite3_column_bytes(statement, column++);
    return value ? std::string(reinterpret_cast<const char *>(value), static_cast<size_t>(size)) : std::string();
  }
  double number() { return sqlite3_column_double(statement, column++); }
  int64_t integer() { return sqlite3_column_int64(statement, column++); }
  RecordKey key() {
    RecordKey key;
    for (std::string *part : {&key.kernel, &key.hash, &key.machine, &key.limits, &key.assembler})
      *part = text();
    return key;
  }
  void rewind() { column = 0; }

  // The columns of a row, in their order. False for one that this program does not write.
  bool read(PointRecord &record) {
    if (!readSubject(record))
      return false;
    std::optional<PointRecord::Status> status = parseStatus(text());
    if (!status)
      return false;
    record.status = *status;
    record.kind = text();
    record.reason = text();
    record.predicted = number();
    record.microseconds = number();
    record.presetMicroseconds = number();
    record.spread = number();
    record.time = integer();
    return true;
  }
  bool read(WinnerRecord &record) {
    if (!readSubject(record))
      return false;
    record.source = text();
    record.microseconds = number();
    record.presetMicroseconds = number();
    record.time = integer();
    return true;
  }

private:
  /// What both kinds of rows begin with.
  bool readSubject(auto &record) {
    record.key = key();
    record.shape = text();
    Expected<Settings> point = parseSettings(text());
    if (point)
      record.point = std::move(*point);
    return point.has_value();
  }

  sqlite3_stmt *statement = nullptr;
  int status, bound = 0, column = 0;
};

tl::unexpected<Error> Database::failure(int code, std::string_view doing) const {
  std::string said = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  switch (code & 0xff) {
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return makeError(ErrorCode::Unavailable,
                     "{} the tuning database {}: another process holds its lock; wait for it or end it, or name "
                     "another file in LACUNA_TUNING",
                     doing, file);
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return makeError(ErrorCode::VerifyError,
                     "{} the tuning database {}: it is damaged ({}). Move it away; a new one is made, and `lacuna tune "
                     "--import` takes what was exported",
                     doing, file, said);
  default:
    return makeError(ErrorCode::Unavailable,
                     "{} the tuning database {}: {}; check the path, its permissions and the "
                     "space left, or name another file in LACUNA_TUNING",
                     doing, file, said);
  }
}

Expected<void> Database::execute(const char *sql) {
  int code = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK)
    return failure(code, "cannot use");
  return {};
}

//===--------------------------------------------------------------------------------------------------------------===//
// Opening
//===--------------------------------------------------------------------------------------------------------------===//

Expected<void> Database::connect(const std::string &name, int flags, std::chrono::milliseconds patience) {
  if (int code = sqlite3_open_v2(name.empty() ? ":memory:" : name.c_str(), &handle, flags, nullptr); code != SQLITE_OK)
    return failure(code, "cannot open");
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, static_cast<int>(patience.count()));
  return {};
}

Expected<void> Database::prepareTables() {
  auto number = [&](const char *sql, int64_t &value) -> Expected<void> {
    Statement statement(handle, sql);
    int code = statement.step();
    if (code != SQLITE_ROW)
      return failure(code, "cannot read");
    value = statement.integer();
    return {};
  };
  int64_t format = 0, application = 0, tables = 0;
  for (auto [sql, value] : {std::pair("PRAGMA user_version", &format), std::pair("PRAGMA application_id", &application),
                            std::pair("SELECT count(*) FROM sqlite_master", &tables)})
    if (Expected<void> done = number(sql, *value); !done)
      return done;
  if (tables == 0 && application == 0)
    return execute(
        fmt::format("{} PRAGMA application_id={}; PRAGMA user_version={};", kTables, kApplication, kFormat).c_str());
  if (application != kApplication)
    return makeError(ErrorCode::Incompatible,
                     "{} is an SQLite database of something else, not of lacuna tune; name another file in "
                     "LACUNA_TUNING",
                     file);
  if (format != kFormat)
    return makeError(ErrorCode::Incompatible,
                     "the tuning database {} has form {}, and this version of Lacuna reads form {}; use the newer "
                     "version, or name another file in LACUNA_TUNING. It was not changed",
                     file, format, kFormat);
  return {};
}

Expected<Database> Database::open(const std::string &path, std::chrono::milliseconds patience) {
  Database database(path);
  if (!path.empty()) {
    std::filesystem::path directory = std::filesystem::path(path).parent_path();
    std::error_code failed;
    if (!directory.empty())
      std::filesystem::create_directories(directory, failed);
    if (failed)
      return makeError(ErrorCode::Unavailable,
                       "the directory {} for the tuning database cannot be made: {}; name another file in "
                       "LACUNA_TUNING",
                       directory.string(), failed.message());
  }
  if (Expected<void> done = database.connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, patience); !done)
    return takeError(done);
  // The tables are made by one process only; the lock also shows that the file can be written.
  if (Expected<void> done = database.execute("BEGIN IMMEDIATE"); !done)
    return takeError(done);
  if (Expected<void> done = database.prepareTables(); !done)
    return takeError(done);
  for (const char *sql : {"COMMIT", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL"})
    if (Expected<void> done = database.execute(sql); !done)
      return takeError(done);
  Statement check(database.handle, "PRAGMA quick_check(1)");
  int code = check.step();
  if (code != SQLITE_ROW)
    return database.failure(code, "cannot read");
  if (check.text() != "ok")
    return database.failure(SQLITE_CORRUPT, "cannot use");
  return database;
}

/// A file as SQLite's URI for one that nobody changes while it is read.
static std::string unchangingUri(const std::string &path) {
  std::error_code failed;
  std::string uri = "file:";
  for (unsigned char letter : std::filesystem::absolute(path, failed).string())
    uri += std::isalnum(letter) || letter == '/' || letter == '.' || letter == '-' || letter == '_'
               ? std::string(1, static_cast<char>(letter))
               : fmt::format("%{:02X}", letter);
  return uri + "?immutable=1";
}

Expected<Database> Database::openToRead(const std::string &path) {
  std::error_code failed;
  if (!std::filesystem::exists(path, failed))
    return makeError(ErrorCode::NotFound, "there is no tuning database {}", path);
  // In a folder that cannot be written the log beside the file cannot be made, without which a database of this kind is
  // read only where it is said not to change meanwhile. So that is said last.
  struct Way {
    std::string name;
    int flags;
  };
  std::optional<Error> first;
  for (const Way &way : {Way{path, SQLITE_OPEN_READWRITE}, Way{path, SQLITE_OPEN_READONLY},
                         Way{unchangingUri(path), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI}}) {
    Database database(path);
    Expected<void> done = database.connect(way.name, way.flags, std::chrono::milliseconds(200));
    if (done)
      done = database.prepareTables();
    if (done)
      return database;
    if (!first)
      first = done.error();
    int code = sqlite3_errcode(database.handle) & 0xff;
    if (code != SQLITE_READONLY && code != SQLITE_CANTOPEN)
      break;
  }
  return tl::unexpected(std::move(*first));
}

Expected<void> Database::together(const std::function<Expected<void>()> &work) {
  if (Expected<void> done = execute("BEGIN IMMEDIATE"); !done)
    return done;
  Expected<void> done = work();
  if (done)
    done = execute("COMMIT");
  if (!done)
    sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

Database::Database(Database &&other) noexcept
    : file(std::move(other.file)), handle(std::exchange(other.handle, nullptr)) {}
Database &Database::operator=(Database &&other) noexcept {
  std::swap(file, other.file);
  std::swap(handle, other.handle);
  return *this;
}
Database::~Database() {
  sqlite3_close(handle);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Records
//===--------------------------------------------------------------------------------------------------------------===//

Expected<void> Database::put(const PointRecord &record) {
  Statement statement(handle, "INSERT OR REPLACE INTO point VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  statement.bind(record.key);
  statement.bind(record.shape);
  statement.bind(settingsText(record.point));
  statement.bind(statusName(record.status));
  statement.bind(record.kind);
  statement.bind(record.reason);
  for (double number : {record.predicted, record.microseconds, record.presetMicroseconds, record.spread})
    statement.bind(number);
  statement.bind(record.time);
  if (int code = statement.step(); code != SQLITE_DONE)
    return failure(code, "cannot write to");
  return {};
}

Expected<void> Database::put(const WinnerRecord &record) {
  Statement statement(handle, "INSERT OR REPLACE INTO winner VALUES(?,?,?,?,?,?,?,?,?,?,?)");
  statement.bind(record.key);
  statement.bind(record.shape);
  statement.bind(settingsText(record.point));
  statement.bind(record.source);
  statement.bind(record.microseconds);
  statement.bind(record.presetMicroseconds);
  statement.bind(record.time);
  if (int code = statement.step(); code != SQLITE_DONE)
    return failure(code, "cannot write to");
  return {};
}

template <class Record>
Expected<std::vector<Record>> Database::select(const char *sql, const std::vector<std::string> &values) {
  Statement statement(handle, sql);
  for (const std::string &value : values)
    statement.bind(value);
  std::vector<Record> records;
  int code = statement.step();
  for (; code == SQLITE_ROW; code = statement.step()) {
    statement.rewind();
    if (!statement.read(records.emplace_back()))
      return failure(SQLITE_CORRUPT, "cannot read");
  }
  if (code != SQLITE_DONE)
    return failure(code, "cannot read");
  return records;
}

Expected<std::vector<PointRecord>> Database::points(const RecordKey &key, const std::string &shape) {
  return select<PointRecord>("SELECT * FROM point WHERE kernel=? AND hash=? AND machine=? AND limits=? AND assembler=? "
                             "AND shape=? ORDER BY point",
                             {key.kernel, key.hash, key.machine, key.limits, key.assembler, shape});
}
Expected<std::vector<WinnerRecord>> Database::winners(const std::string &kernel, const std::string &machine) {
  return select<WinnerRecord>("SELECT * FROM winner WHERE kernel=? AND machine=? "
                              "ORDER BY hash, limits, assembler, shape",
                              {kernel, machine});
}
Expected<std::vector<PointRecord>> Database::allPoints() {
  return select<PointRecord>("SELECT * FROM point ORDER BY kernel, hash, machine, limits, assembler, shape, point", {});
}
Expected<std::vector<WinnerRecord>> Database::allWinners() {
  return select<WinnerRecord>("SELECT * FROM winner ORDER BY kernel, hash, machine, limits, assembler, shape", {});
}

std::optional<std::string> userDatabasePath() {
  if (Expected<runtime::Knobs> knobs = runtime::Knobs::fromEnvironment(); knobs && !knobs->tuning.empty())
    return knobs->tuning == "none" ? std::nullopt : std::optional(knobs->tuning);
  Expected<std::string> directory = runtime::userCacheDirectory();
  return directory ? std::optional(*directory + "/tuning.db") : std::nullopt;
}

} // namespace lacuna::autotune
