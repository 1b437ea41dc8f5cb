// Native is process 1 of a native program, for tests: it seals itself and then
// executes the command that is its arguments, as the worker will, but without a
// channel. Descriptor 3 is a socket, 4 the filters. The command's output goes to
// descriptor 2, and its exit code is this program's.
//
// Called by another name it is a program instead: unix talks with itself over a
// socket in the file system, at the path that is its argument, and euid prints
// its effective user id.
//
// In the environment, WITHOUT names locks to leave out, with commas; HOLD has
// the process write "ready" and wait, before the command; and NARROW puts the
// filters of descriptor 5 on this process once the command runs.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mpsupervisor/mpsupervisor/isolate/enter"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"golang.org/x/sys/unix"
)

// failed is the exit code for what is no result of the command's.
const failed = 125

func main() {
	switch filepath.Base(os.Args[0]) {
	case "unix":
		if err := talk(os.Args[1]); err != nil {
			end(err)
		}
		return
	case "euid":
		fmt.Println(os.Geteuid())
		return
	}
	signal.Ignore(unix.SIGTERM, unix.SIGHUP)
	filters, narrow := stack(4), seccomp.Stack(nil)
	if os.Getenv("NARROW") != "" {
		narrow = stack(5)
	}
	cfg := enter.Config{Filters: filters, Native: true, Learn: os.Getenv("LEARN") != "", Keep: []int{0, 1, 2, 3}}
	for _, name := range strings.FieldsFunc(os.Getenv("WITHOUT"), func(r rune) bool { return r == ',' }) {
		cfg.Without = append(cfg.Without, lock.Name(name))
	}
	if _, err := enter.Enter(cfg); err != nil {
		end(err)
	}
	if os.Getenv("HOLD") != "" {
		fmt.Fprintln(os.Stderr, "ready")
		time.Sleep(time.Hour)
	}
	pid, err := syscall.ForkExec(os.Args[1], os.Args[1:], &syscall.ProcAttr{
		Env: []string{"PATH=/bin", "HOME=/tmp"}, Files: []uintptr{0, 2, 2},
	})
	if err != nil {
		end(err)
	}
	if narrow != nil {
		if err := enter.Narrow(narrow); err != nil {
			end(err)
		}
	}
	os.Exit(reap(pid))
}

// reap waits for every child until the command ends.
func reap(pid int) int {
	for {
		var ws syscall.WaitStatus
		switch got, err := syscall.Wait4(-1, &ws, 0, nil); {
		case err == syscall.EINTR || err == nil && got != pid:
		case err != nil:
			end(err)
		case ws.Signaled():
			return 128 + int(ws.Signal())
		default:
			return ws.ExitStatus()
		}
	}
}

// talk says hello from one socket to another.
func talk(path string) error {
	server, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	client, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	address := &unix.SockaddrUnix{Name: path}
	if err := unix.Bind(server, address); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := unix.Sendto(client, []byte("hello"), 0, address); err != nil {
		return fmt.Errorf("sendto: %w", err)
	}
	b := make([]byte, 16)
	n, err := unix.Read(server, b)
	fmt.Println(string(b[:n]))
	return err
}

// stack reads filters from a descriptor.
func stack(fd int) seccomp.Stack {
	b, err := io.ReadAll(io.NewSectionReader(os.NewFile(uintptr(fd), "filters"), 0, 1<<20))
	if err != nil {
		end(err)
	}
	s, err := seccomp.ParseStack(b)
	if err != nil {
		end(err)
	}
	return s
}

func end(err error) {
	fmt.Fprintln(os.Stderr, "pid 1:", err)
	os.Exit(failed)
}
