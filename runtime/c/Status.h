// How errors of ours become a status and a message of the thread.
#pragma once

#include "lacuna/Runtime/Error.h"
#include "lacuna/c/runtime.h"

#include <exception>

namespace lacuna::c {

constexpr lacuna_status statusOf(ErrorCode code) {
  return static_cast<lacuna_status>(static_cast<int>(code) + 1);
}

/// Keeps the error for lacuna_last_error; where there is no memory for its text, a sentence that says so.
lacuna_status fail(const Error &error) noexcept;
/// The same for what the standard library, or a function of the caller's, threw: `what` may be null.
lacuna_status stopped(const char *what) noexcept;

inline lacuna_status status(const Expected<void> &done) {
  return done ? LACUNA_OK : fail(done.error());
}

/// Runs `body`, which returns a lacuna_status. Nothing of ours throws; what the standard library throws (memory that
/// the machine does not have), or a caller's function, stops here.
template <class Body> lacuna_status guarded(Body body) {
  try {
    return body();
  } catch (const std::exception &failure) {
    return stopped(failure.what());
  } catch (...) {
    return stopped(nullptr);
  }
}

/// The refusal of a NULL.
inline lacuna_status nullGiven(std::string_view function, std::string_view what) {
  return fail(Error{ErrorCode::InvalidArgument, fmt::format("{} was given NULL for {}", function, what)});
}

} // namespace lacuna::c
