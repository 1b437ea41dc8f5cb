package engine

import "github.com/mpsupervisor/mpsupervisor/internal/mp"

// Exit is the error with which a program's run ends for a reason of its own:
// it asked to (mp.exit), or it overstepped a limit that the engine holds.
type Exit struct{ mp.Exit }

func (e *Exit) Error() string { return e.Exit.String() }
