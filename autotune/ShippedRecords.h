// The records of autotune/records/, part of the library.
#ifndef LACUNA_AUTOTUNE_SHIPPEDRECORDS_H
#define LACUNA_AUTOTUNE_SHIPPEDRECORDS_H

#include <string_view>

namespace lacuna::autotune {

extern const std::string_view kShippedRecords;

} // namespace lacuna::autotune

#endif // LACUNA_AUTOTUNE_SHIPPEDRECORDS_H
