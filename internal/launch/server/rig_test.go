package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/isolate"
	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/stage"
	"golang.org/x/sys/unix"
)

// program, misuse and pid1 are the workers that the tests start, built by TestMain.
var program, misuse, pid1 string

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		fmt.Println("skipped: starting a worker needs root (CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID)")
		return
	}
	if err := stage.Enter(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "mpsupervisor-server-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil {
		panic(err)
	}
	program, misuse, pid1 = filepath.Join(dir, "view"), filepath.Join(dir, "misuse"), filepath.Join(dir, "pid1")
	for to, from := range map[string]string{
		program: "../../../isolate/testdata/view", misuse: "./testdata/misuse", pid1: "./testdata/pid1",
	} {
		build := exec.Command("go", "build", "-o", to, from)
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "cannot build the test's worker: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}

// modes are what the test's worker can be told to do, each a role of its own.
var modes = []string{"hold", "sealed", "exit", "crash", "memory", "spin", "syscall", "sleep"}

var count atomic.Int32

const uidBase, uidCount = 1700000000, 4096

// most are the limits of the servers here: less memory than anybody else's.
var most = func() mp.Limits {
	l := mp.MaxLimits()
	l.Memory, l.Pids, l.CPU = 256<<20, mp.MaxPids, mp.MaxCPU
	return l
}()

// rig is a server with a client, and what came out at the end of it.
type rig struct {
	client *launch.Client
	groups *cgroup.Parent
	served chan error
}

// setup is what a server is made of.
type setup struct {
	binary string
	roles  map[launch.Role]Role
}

// each gives a role for each value of a variable.
func each(variable string, values []string, forks bool) map[launch.Role]Role {
	roles := map[launch.Role]Role{}
	for _, v := range values {
		roles[launch.Role(v)] = Role{Env: []string{variable + "=" + v}, Forks: forks}
	}
	return roles
}

func (r *rig) stop() error {
	r.client.Close()
	return <-r.served
}

func pair(t testing.TB) (a, b *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
}

func serve(t testing.TB, end *os.File) *rig {
	t.Helper()
	return serveWith(t, end, setup{program, each("VIEW", modes, false)})
}

func serveWith(t testing.TB, end *os.File, su setup) *rig {
	t.Helper()
	name := fmt.Sprintf("mpsupervisor-test/s%d-%d", os.Getpid(), count.Add(1))
	groups, err := cgroup.Own(name)
	if err != nil {
		t.Fatal(err)
	}
	const slots = 8
	l, err := isolate.Open(isolate.Config{
		StateDir: filepath.Join(filepath.Dir(program), name), Groups: groups, Binary: su.binary,
		UIDBase: uidBase, UIDCount: uidCount, Slots: slots,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{groups: groups, served: make(chan error, 1)}
	go func() {
		r.served <- Serve(context.Background(), end, Config{
			Launcher: l, Roles: su.roles, Slots: slots, UIDBase: uidBase, UIDCount: uidCount,
			Max: most,
			Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		})
	}()
	t.Cleanup(func() {
		if left, err := groups.Names(); len(left) > 0 || err != nil {
			t.Errorf("left behind: %v %v", left, err)
		}
		if err := errors.Join(l.Close(), groups.Remove()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// dial gives a client of a server of its own, which must end in order.
func dial(t testing.TB) *rig {
	t.Helper()
	return dialWith(t, setup{program, each("VIEW", modes, false)})
}

// dialMisuse gives one of workers that do what they should not.
func dialMisuse(t testing.TB, modes ...string) *rig {
	t.Helper()
	return dialWith(t, setup{misuse, each("MISUSE", modes, true)})
}

func dialWith(t testing.TB, su setup) *rig {
	t.Helper()
	ours, theirs := pair(t)
	r := serveWith(t, theirs, su)
	c, err := launch.NewClient(ours)
	if err != nil {
		t.Fatal(err)
	}
	r.client = c
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("served until %v", err)
		}
	})
	return r
}

// job is a started worker with the test's ends of its files.
type job struct {
	launch.Started
	pidfd   *os.File
	channel *os.File
	said    *bufio.Reader
}

func (r *rig) start(t testing.TB, id, mode string, limits mp.Limits) (*job, error) {
	t.Helper()
	return r.startWith(t, launch.Start{ID: mp.InstanceID(id), Role: launch.Role(mode), Limits: limits})
}

func (r *rig) startWith(t testing.TB, s launch.Start) (*job, error) {
	t.Helper()
	sp, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	channel, theirs := os.NewFile(uintptr(sp[0]), "channel"), os.NewFile(uintptr(sp[1]), "theirs")
	birth, birthW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	said, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*os.File{theirs, birth, birthW, stderr} {
		defer f.Close()
	}
	j := &job{channel: channel, said: bufio.NewReader(said)}
	s.Channel, s.Birth, s.Stderr = theirs, birth, stderr
	j.Started, j.pidfd, err = r.client.Start(t.Context(), s)
	t.Cleanup(func() {
		channel.Close()
		said.Close()
		j.pidfd.Close()
	})
	return j, err
}

func (r *rig) must(t testing.TB, id, mode string) *job {
	t.Helper()
	j, err := r.start(t, id, mode, mp.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func (r *rig) exited(t testing.TB) launch.Exited {
	t.Helper()
	select {
	case e, ok := <-r.client.Exits():
		if !ok {
			t.Fatalf("no more exits: %v", r.client.Err())
		}
		return e
	case <-time.After(time.Minute):
		t.Fatal("no exit is told")
	}
	panic("unreachable")
}
