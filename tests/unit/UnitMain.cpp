// The entry point of every unit test program. doctest's options apply: -tc=NAME runs the cases that match, -s shows
// what passed, --list-test-cases lists them.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
