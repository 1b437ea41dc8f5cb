package integration

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// keeper is a daemon whose state and configuration outlive it.
type keeper struct {
	*daemon.Daemon
	t     *testing.T
	state string

	config []string
}

// publicDir is a directory that the supervisor's user can pass through.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mpsupervisor-keeper-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newKeeper starts a daemon with further lines of configuration.
func newKeeper(t *testing.T, config ...string) *keeper {
	t.Helper()
	return newKeeperIn(t, publicDir(t), config...)
}

func newKeeperIn(t *testing.T, dir string, config ...string) *keeper {
	t.Helper()
	k := &keeper{t: t, state: filepath.Join(dir, "state"), config: config}
	k.start(config...)
	t.Cleanup(func() {
		if err := k.Stop(); err != nil {
			t.Error(err)
		}
	})
	return k
}

func (k *keeper) start(config ...string) {
	k.t.Helper()
	d, err := daemon.Start(append([]string{`state_dir = "` + k.state + `"`}, config...)...)
	if err != nil {
		k.t.Fatal(err)
	}
	k.Daemon = d
}

// restart ends the daemon as a crash would, and starts another one.
func (k *keeper) restart() {
	k.t.Helper()
	k.Kill()
	k.Close()
	k.start(k.config...)
}

func (k *keeper) run(dir string) string {
	k.t.Helper()
	id, err := k.Run(k.t.Context(), dir, nil)
	if err != nil {
		k.t.Fatalf("%v\n%s", err, k.Log())
	}
	return id
}

func (k *keeper) call(id, name, input string) string {
	k.t.Helper()
	res, err := k.Client.Call(k.t.Context(), &controlpb.CallRequest{Id: id, Name: name, InputJson: input})
	if err != nil {
		k.t.Fatalf("%s: %v\n%s", name, err, k.Log())
	}
	if thrown := res.GetThrown(); thrown != nil {
		return thrown.Name + ": " + thrown.Message
	}
	return res.GetOutputJson()
}

func (k *keeper) hibernate(id string) *controlpb.HibernateResponse {
	k.t.Helper()
	res, err := k.Hibernate(k.t.Context(), &controlpb.HibernateRequest{Id: id})
	if err != nil {
		k.t.Fatalf("%v\n%s", err, k.Log())
	}
	return res
}

func (k *keeper) resume(id string) *controlpb.ResumeResponse {
	k.t.Helper()
	res, err := k.Resume(k.t.Context(), &controlpb.ResumeRequest{Id: id})
	if err != nil {
		k.t.Fatalf("%v\n%s", err, k.Log())
	}
	return res
}

func (k *keeper) expect(id, name, want string) {
	k.t.Helper()
	if got := k.call(id, name, "null"); got != want {
		k.t.Errorf("%s gives %s, want %s", name, got, want)
	}
}

func (k *keeper) list() []*controlpb.Program {
	k.t.Helper()
	res, err := k.List(k.t.Context(), &controlpb.ListRequest{})
	if err != nil {
		k.t.Fatal(err)
	}
	return res.GetPrograms()
}

// expectFiles counts the files of hibernated programs.
func (k *keeper) expectFiles(want int) {
	k.t.Helper()
	var got []string
	for _, dir := range []string{"instances", "packages"} {
		entries, err := os.ReadDir(filepath.Join(k.state, dir))
		if err != nil {
			k.t.Fatal(err)
		}
		for _, e := range entries {
			got = append(got, dir+"/"+e.Name())
		}
	}
	if len(got) != want {
		k.t.Errorf("files %v, want %d", got, want)
	}
}

// smallDisk is a directory on a file system of 4 MiB.
func smallDisk(t *testing.T) string {
	dir := publicDir(t)
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=4m,mode=0755"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}
