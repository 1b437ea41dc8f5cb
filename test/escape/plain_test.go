package escape

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// The range of user ids that the plain setting uses.
const (
	plainBase  = 1_810_000_000
	plainCount = 4096
)

// plain starts the probe in namespaces made by clone flags alone, to which it
// brings two capabilities and a set-user-ID program: more than any launcher
// would let it have, so that the worker's own half of the locks is tried by
// itself. It can leave out three locks of the launcher, for the control of those
// that the launcher cannot leave out.
func plain(t *testing.T, sp spec, without []lock.Name) { plainAt(t, plainBase, sp, without) }

// plainAt does so with a range of user ids of its own, and gives the process id
// on the host.
func plainAt(t *testing.T, base int, sp spec, without []lock.Name) int {
	t.Helper()
	root := plainRoot(t)
	const setpcap, sysAdmin = 8, 21
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: base, Size: plainCount}}
	cmd := &exec.Cmd{
		Path: "/probe", Args: []string{"/probe"}, Env: []string{"GOMAXPROCS=1"}, Dir: "/",
		Stderr: sp.stderr, ExtraFiles: sp.files,
		SysProcAttr: &syscall.SysProcAttr{
			Chroot: root,
			Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET |
				syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS | syscall.CLONE_NEWCGROUP,
			UidMappings: ids, GidMappings: ids,
			Credential:  &syscall.Credential{Uid: 1, Gid: 1},
			AmbientCaps: []uintptr{setpcap, sysAdmin},
		},
	}
	if slices.Contains(without, lock.PidNamespace) {
		cmd.SysProcAttr.Cloneflags &^= syscall.CLONE_NEWPID
	}
	if slices.Contains(without, lock.MountNamespace) {
		cmd.SysProcAttr.Cloneflags &^= syscall.CLONE_NEWNS
		cmd.SysProcAttr.Chroot = ""
		cmd.Path, cmd.Args = probe, []string{probe}
	}
	if slices.Contains(without, lock.ReadOnlyRoot) {
		if err := os.Chmod(root, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd.Process.Pid
}

// plainRoot makes a root directory with the probe, and with a copy of it that
// would run as the namespace's root.
func plainRoot(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("", "escape-root-") // t.TempDir's parent is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	copyTo(t, filepath.Join(root, "probe"))
	setuid := filepath.Join(root, "setuid")
	copyTo(t, setuid)
	if err := os.Chown(setuid, plainBase, plainBase); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{root: 0o755, setuid: 0o755 | os.ModeSetuid} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func copyTo(t *testing.T, path string) {
	t.Helper()
	from, err := os.Open(probe)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
}
