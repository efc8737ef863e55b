#include "Status.h"

#include <string>

namespace lacuna::c {
namespace {

thread_local std::string lastError;
thread_local const char *lastWords = nullptr; ///< in its place, where there was no memory for a text

static_assert(statusOf(ErrorCode::InvalidArgument) == LACUNA_INVALID_ARGUMENT);
static_assert(statusOf(ErrorCode::ParseError) == LACUNA_PARSE_ERROR);
static_assert(statusOf(ErrorCode::VerifyError) == LACUNA_VERIFY_ERROR);
static_assert(statusOf(ErrorCode::Unsupported) == LACUNA_UNSUPPORTED);
static_assert(statusOf(ErrorCode::CompileFailed) == LACUNA_COMPILE_FAILED);
static_assert(statusOf(ErrorCode::ToolFailed) == LACUNA_TOOL_FAILED);
static_assert(statusOf(ErrorCode::NotFound) == LACUNA_NOT_FOUND);
static_assert(statusOf(ErrorCode::Incompatible) == LACUNA_INCOMPATIBLE);
static_assert(statusOf(ErrorCode::ResourceExhausted) == LACUNA_RESOURCE_EXHAUSTED);
static_assert(statusOf(ErrorCode::Unavailable) == LACUNA_UNAVAILABLE);
static_assert(statusOf(ErrorCode::Internal) == LACUNA_INTERNAL);

} // namespace

lacuna_status fail(const Error &error) noexcept {
  try {
    lastError = error.render();
    lastWords = nullptr;
  } catch (...) {
    lastWords = "failed, and there is no memory to say how; the status says what kind of failure it is";
  }
  return statusOf(error.code);
}

lacuna_status stopped(const char *what) noexcept {
  try {
    return fail(Error{ErrorCode::Internal, std::string("stopped: ") + (what ? what
                                                                            : "by something thrown that is no "
                                                                              "std::exception")});
  } catch (...) {
    lastWords = "stopped, and there is no memory to say by what";
    return LACUNA_INTERNAL;
  }
}

} // namespace lacuna::c

const char *lacuna_status_name(lacuna_status status) {
  if (status == LACUNA_OK)
    return "Ok";
  if (status < LACUNA_OK || status > LACUNA_INTERNAL)
    return "unknown";
  return lacuna::errorCodeName(static_cast<lacuna::ErrorCode>(static_cast<int>(status) - 1)).data();
}

const char *lacuna_last_error(void) {
  return lacuna::c::lastWords ? lacuna::c::lastWords : lacuna::c::lastError.c_str();
}

const char *lacuna_version(void) {
  return LACUNA_VERSION;
}
