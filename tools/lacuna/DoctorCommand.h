// `lacuna doctor`: what was found on this machine, and what each absence means.
#pragma once

namespace lacuna::tools {

/// Prints the findings; returns the exit status, 0 whatever is absent.
int runDoctorCommand();

} // namespace lacuna::tools
