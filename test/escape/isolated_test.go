package escape

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/isolate"
	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// The launcher of the isolated setting, and what it makes things in.
var (
	workers *isolate.Launcher
	groups  *cgroup.Parent
	started atomic.Uint32
)

// slots are how many probes can be started in one run of the tests.
const slots = 256

// isolatedBase is the first user id of the isolated setting's workers.
const isolatedBase = 1_811_000_000

// limits are those of a worker, and little processor time.
var limits = cgroup.Limits{Memory: 64 << 20, Pids: 32, CPU: 1}

func openLauncher(dir string) (err error) {
	if groups, err = cgroup.Own(fmt.Sprintf("mpsupervisor-escape/%d", os.Getpid())); err != nil {
		return err
	}
	workers, err = isolate.Open(isolate.Config{
		StateDir: filepath.Join(dir, "state"), Groups: groups, Binary: probe,
		UIDBase: isolatedBase, UIDCount: 4096, Slots: slots,
	})
	return err
}

func closeLauncher() error { return errors.Join(workers.Close(), groups.Remove()) }

// isolated starts the probe as the launcher starts a worker.
func isolated(t *testing.T, sp spec, without []lock.Name) { start(t, sp, limits, without) }

func start(t *testing.T, sp spec, l cgroup.Limits, without []lock.Name) *isolate.Worker {
	t.Helper()
	slot := started.Add(1)
	w, err := workers.Start(isolate.Spec{
		ID: fmt.Sprintf("probe-%d", slot), Slot: slot, Stderr: sp.stderr, Files: sp.files, Limits: l,
		Without: slices.DeleteFunc(slices.Clone(without), func(n lock.Name) bool { return !omissible[n] }),
	})
	if err != nil {
		t.Fatal(err)
	}
	endAfter(t, w)
	return w
}

// endAfter ends a worker with its test.
func endAfter(t *testing.T, w *isolate.Worker) {
	t.Cleanup(func() {
		if err := w.Kill(); err != nil {
			t.Error(err)
		}
		if _, err := w.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// omissible are the locks that the launcher can leave out of a start. The
// others are the attacker's to leave out, or the control's of their row.
var omissible = map[lock.Name]bool{
	lock.UserNamespace: true, lock.NetworkNamespace: true, lock.IPCNamespace: true, lock.UTSNamespace: true,
	lock.CgroupNamespace: true, lock.NoNewPrivs: true, lock.Rlimits: true,
	lock.MemoryLimit: true, lock.PidsLimit: true, lock.CPULimit: true,
}

func TestIsolatedSystemCalls(t *testing.T) {
	s := newSession(t, func(t *testing.T, sp spec) { isolated(t, sp, nil) })
	t.Run("number", func(t *testing.T) { everyNumber(t, s, seccomp.RoleJS) })
	t.Run("condition", func(t *testing.T) { everyCondition(t, s, seccomp.RoleJS) })
	t.Run("interface", func(t *testing.T) { interfacesAreThere(t, s) })
	t.Run("socket", func(t *testing.T) { everySocket(t, s) })
}

func TestIsolatedLocks(t *testing.T) {
	for _, r := range slices.Concat(ownLocks, launcherLocks(t)) {
		t.Run(string(r.lock)+"/"+r.what, func(t *testing.T) { r.check(t, isolated) })
	}
	t.Run("host files", func(t *testing.T) {
		noHostFile(t, newSession(t, func(t *testing.T, s spec) { isolated(t, s, nil) }), "/probe")
	})
}
