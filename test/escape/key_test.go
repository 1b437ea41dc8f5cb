package escape

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// withKey calls f on a thread whose session keyring holds a key that whoever
// possesses it may find. The thread is given up afterwards, and its keyring
// with it.
func withKey(t *testing.T, name string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for ever: the goroutine's end is the thread's
		// Without a name: package unix would give the empty one, which is invalid.
		_, _, errno := unix.Syscall(unix.SYS_KEYCTL, unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0)
		if errno != 0 {
			t.Error(errno)
			return
		}
		if _, err := unix.AddKey("user", name, []byte("secret"), unix.KEY_SPEC_SESSION_KEYRING); err != nil {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}
