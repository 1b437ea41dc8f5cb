// Pid1 is process 1 of a native program, for tests: it seals itself as a worker
// does, and has the shell of the program's root execute the script that is in
// the variable SCRIPT. The shell's output goes to descriptor 2, and its status
// is this program's.
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"

	"github.com/mpsupervisor/mpsupervisor/isolate/enter"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// The descriptors that a launcher hands over.
const (
	fdChannel = 3
	fdFilters = 5
	fdOwn     = 6
)

func main() {
	filters, own := stack(fdFilters), stack(fdOwn)
	_, err := enter.Enter(enter.Config{
		Filters: filters, Native: true, Learn: slices.Contains(os.Args, "learn"), Keep: []int{0, 1, 2, fdChannel},
	})
	end(err)
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", os.Getenv("SCRIPT")}, &syscall.ProcAttr{
		Env: []string{"PATH=/bin"}, Files: []uintptr{0, 2, 2},
	})
	end(err)
	end(enter.Narrow(own))
	for {
		var ws syscall.WaitStatus
		switch got, err := syscall.Wait4(-1, &ws, 0, nil); {
		case err == syscall.EINTR || err == nil && got != pid:
		case err != nil:
			end(err)
		case ws.Signaled():
			os.Exit(128 + int(ws.Signal()))
		default:
			os.Exit(ws.ExitStatus())
		}
	}
}

// stack reads filters, by pread: the file is everybody's.
func stack(fd int) seccomp.Stack {
	b, err := io.ReadAll(io.NewSectionReader(os.NewFile(uintptr(fd), "filters"), 0, 1<<20))
	end(err)
	s, err := seccomp.ParseStack(b)
	end(err)
	return s
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "pid 1:", err)
		os.Exit(125)
	}
}
