#include "lacuna/Runtime/Error.h"

namespace lacuna {

std::string_view errorCodeName(ErrorCode code) {
  switch (code) {
  case ErrorCode::InvalidArgument:
    return "InvalidArgument";
  case ErrorCode::ParseError:
    return "ParseError";
  case ErrorCode::VerifyError:
    return "VerifyError";
  case ErrorCode::Unsupported:
    return "Unsupported";
  case ErrorCode::CompileFailed:
    return "CompileFailed";
  case ErrorCode::ToolFailed:
    return "ToolFailed";
  case ErrorCode::NotFound:
    return "NotFound";
  case ErrorCode::Incompatible:
    return "Incompatible";
  case ErrorCode::ResourceExhausted:
    return "ResourceExhausted";
  case ErrorCode::Unavailable:
    return "Unavailable";
  case ErrorCode::Internal:
    return "Internal";
  }
  return "Internal";
}

std::string Error::render() const {
  std::string text = location.empty() ? message : location + ": " + message;
  for (const std::string &note : notes)
    text += "\n  note: " + note;
  for (const Error *origin = cause.get(); origin; origin = origin->cause.get()) {
    text += "\n  because: " + (origin->location.empty() ? std::string() : origin->location + ": ") + origin->message;
    for (const std::string &note : origin->notes)
      text += "\n    note: " + note;
  }
  return text;
}

Error Error::withNote(std::string note) && {
  notes.push_back(std::move(note));
  return std::move(*this);
}

Error Error::at(std::string place) && {
  location = std::move(place);
  return std::move(*this);
}

Error Error::causedBy(Error origin) && {
  cause = std::make_shared<Error>(std::move(origin));
  return std::move(*this);
}

} // namespace lacuna
