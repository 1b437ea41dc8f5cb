package engine

import (
	"fmt"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Exit is the error with which a program's run ends for a reason of its own:
// it asked to (mp.exit), or it overstepped a limit that the engine holds.
type Exit struct{ mp.Exit }

func (e *Exit) Error() string { return e.Exit.String() }

// TooLargeError is the error of a call whose result is above Program.Result.
// The call has failed; the program lives.
type TooLargeError struct{ Size, Limit int64 } // bytes of JSON

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the result is %d bytes of JSON; the limit is %d", e.Size, e.Limit)
}

func (e *TooLargeError) Unwrap() error { return mp.ErrTooLarge }
