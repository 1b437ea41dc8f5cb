// Package reap waits for child processes without a thread that blocks in the
// kernel: it watches a pidfd through the runtime's poller.
//
// The supervisor and the command give up root on every thread, for which the
// runtime stops the world (syscall.AllThreadsSyscall). Go 1.26 was seen to hang
// there for ever when other goroutines entered blocking system calls, such as
// waitid(2), at that very moment: once in some hundred starts on a busy machine.
package reap

import (
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// Wait calls ended, on a goroutine of its own, once cmd's process has ended and
// has been reaped. cmd must have been started, and is waited for by nobody else.
func Wait(cmd *exec.Cmd, ended func()) error {
	fd, err := unix.PidfdOpen(cmd.Process.Pid, unix.PIDFD_NONBLOCK) // Linux 5.10
	if err != nil {
		return fmt.Errorf("cannot watch process %d: %w", cmd.Process.Pid, err)
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	conn, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return fmt.Errorf("cannot watch process %d: %w", cmd.Process.Pid, err)
	}
	go func() {
		defer ended()
		defer cmd.Wait() // it has ended: this does not block, and its state is the caller's to read
		defer f.Close()
		conn.Read(over)
	}()
	return nil
}

// over reports whether the process of a pidfd has ended (pidfd_open(2): the
// descriptor is then readable).
func over(pidfd uintptr) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 0)
	return err != nil && err != unix.EINTR || n > 0
}
