package launch

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/reap"
)

// Options are what a launcher is started with: everything that a request can
// not say.
type Options struct {
	Launcher     string // the program mplauncher
	Worker       string // the program mpworker
	Image        string // the prelude's heap image; "" for none
	RunDir       string // where lanes are; "" for the default
	CgroupParent string // "" for below the launcher's own
	UIDBase      uint32 // 0 for the default, here and below
	UIDRange     uint32
	MaxWorkers   int
	MaxMemory    int64  // bytes, for one worker
	Learn        bool   // let workers be started whose system calls are recorded and not refused
	LogLevel     string // debug, info, warn, error; "" for info
}

// Spawn starts a launcher as a child of this process, which must be root, and
// calls ended, on a goroutine of its own, when it has ended. The child writes
// its log to standard error; it ends when the client is closed or this process
// dies.
func Spawn(o Options, ended func()) (_ *Client, pid int, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("cannot make launcher's socket: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "launcher"), os.NewFile(uintptr(pair[1]), "supervisor")
	defer theirs.Close()
	cmd := exec.Command(o.Launcher, o.args()...)
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{theirs} // descriptor 3
	// A session of its own: Ctrl-C is for the supervisor, which then ends the
	// launcher in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		ours.Close()
		return nil, 0, fmt.Errorf("cannot start launcher: %w", err)
	}
	if err := reap.Wait(cmd, ended); err != nil {
		ours.Close()
		return nil, 0, err
	}
	c, err := NewClient(ours)
	if err != nil {
		ours.Close()
	}
	return c, cmd.Process.Pid, err
}

// args gives the launcher's command line.
func (o Options) args() []string {
	args := []string{"--worker", o.Worker}
	if o.Learn {
		args = append(args, "--learn")
	}
	for _, a := range []struct {
		name, value string
		given       bool
	}{
		{"--image", o.Image, o.Image != ""},
		{"--run-dir", o.RunDir, o.RunDir != ""},
		{"--cgroup-parent", o.CgroupParent, o.CgroupParent != ""},
		{"--uid-base", strconv.FormatUint(uint64(o.UIDBase), 10), o.UIDBase != 0},
		{"--uid-range", strconv.FormatUint(uint64(o.UIDRange), 10), o.UIDRange != 0},
		{"--max-workers", strconv.Itoa(o.MaxWorkers), o.MaxWorkers != 0},
		{"--log-level", o.LogLevel, o.LogLevel != ""},
		{"--max-memory", strconv.FormatInt(o.MaxMemory, 10), o.MaxMemory != 0},
	} {
		if a.given {
			args = append(args, a.name, a.value)
		}
	}
	return args
}
