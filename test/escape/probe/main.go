// Command probe takes the worker's place and attacks. It is started with
// exactly what a worker is started with, and for each request on its channel
// starts itself once more as an attacker, which sets the worker's own locks by
// the worker's own code and then tries one attack.
//
// The attackers are processes of their own because most attacks end in one's
// death. They are not process 1, so the runtime of an attacker must not preempt
// by signal: the filter lets process 1 alone signal itself.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/test/escape/attack"
)

// The worker's descriptors.
const (
	stderr  = 2
	channel = 3
	_       = 4 // birth pipe
	program = 5
	image   = 6
)

// inherited are the worker's descriptors as files, for ever: a finalizer must
// not close what has their numbers later.
var inherited = func() (files []*os.File) {
	last := image
	if isNative() {
		last = terminal
	}
	for fd := range last + 1 {
		files = append(files, os.NewFile(uintptr(fd), "inherited"))
	}
	return files
}()

func main() {
	switch role(1) {
	case "attacker":
		attacker(role(2))
	case "victim":
		victim(role(2))
	case "nothing":
	case "setuid":
		tell(attack.Outcome{Note: became()})
	default:
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, "probe:", err)
			os.Exit(1)
		}
	}
}

func role(i int) string {
	if len(os.Args) > i {
		return os.Args[i]
	}
	return ""
}

// serve answers requests until the channel ends.
func serve() error {
	in := json.NewDecoder(inherited[channel])
	for {
		var r attack.Request
		if err := in.Decode(&r); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("cannot read request: %w", err)
		}
		outcome, err := run(r)
		if err != nil {
			outcome = attack.Outcome{Failed: err.Error()}
		}
		tell(outcome)
	}
}

// run starts an attacker and says what became of it.
func run(r attack.Request) (attack.Outcome, error) {
	request, err := json.Marshal(r)
	if err != nil {
		return attack.Outcome{}, err
	}
	proc, ours, err := start("attacker", string(request))
	if err != nil {
		return attack.Outcome{}, err
	}
	defer ours.Close()
	var o attack.Outcome
	told := json.NewDecoder(ours).Decode(&o)
	state, err := proc.Wait()
	if err != nil {
		return attack.Outcome{}, err
	}
	status := state.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled():
		return attack.Outcome{Signal: status.Signal()}, nil
	case told == nil:
		return o, nil
	case errors.Is(told, io.EOF):
		return attack.Outcome{Exited: true}, nil
	}
	return attack.Outcome{}, told
}

// start starts this program again, as something else, with a worker's
// descriptors; its channel's other end is returned.
func start(args ...string) (*os.Process, *os.File, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer theirs.Close()
	files := slices.Clone(inherited)
	files[channel] = theirs
	path, env := os.Args[0], []string{"GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1"}
	if isNative() {
		path, env = "/probe", append(env, nativeVariable)
	}
	proc, err := os.StartProcess(path, append(os.Args[:1:1], args...), &os.ProcAttr{Files: files, Env: env})
	if err != nil {
		ours.Close()
		return nil, nil, err
	}
	return proc, ours, nil
}

// tell writes an outcome to the channel.
func tell(o attack.Outcome) {
	line, err := json.Marshal(o)
	if err != nil {
		panic(err) // cannot happen: numbers and strings
	}
	unix.Write(channel, append(line, '\n'))
}
