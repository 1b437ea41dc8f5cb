package isolate

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// What cannot be a root is refused in words, and leaves nothing.
func TestRootsThatAreNone(t *testing.T) {
	l := openNative(t)
	for what, row := range map[string]struct {
		make func(t *testing.T) *os.File
		want string
	}{
		"file":    {func(t *testing.T) *os.File { return directory(t, busybox) }, "not a directory"},
		"pipe":    {func(t *testing.T) *os.File { r, w, _ := os.Pipe(); w.Close(); return r }, "not a directory"},
		"removed": {removed, "no such file or directory"},
		"another of that name": {func(t *testing.T) *os.File {
			f := removed(t)
			if err := os.Mkdir(f.Name()+" (deleted)", 0o755); err != nil {
				t.Fatal(err)
			}
			return f
		}, "is another directory"},
		"of another mount namespace": {elsewhere, "is another directory"},
		"proc":                       {func(t *testing.T) *os.File { return directory(t, "/proc") }, "cannot be below an overlay"},
	} {
		t.Run(what, func(t *testing.T) {
			s := nativeSpec(t, root(t), nil, "/bin/true")
			s.ID, s.Stderr, s.Native.Root = "a", os.Stderr, row.make(t)
			w, err := l.Start(s)
			if err == nil {
				w.Kill()
				finish(t, w)
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), row.want) {
				t.Errorf("%v, want %q", err, row.want)
			}
			t.Log(err)
		})
	}
}

// removed is a directory that is no longer there.
func removed(t *testing.T) *os.File {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f := directory(t, dir)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	return f
}

// elsewhere is the root of a file system that only another mount namespace has,
// on a directory that is here, too.
func elsewhere(t *testing.T) *os.File {
	dir := t.TempDir()
	cmd := exec.Command(busybox, "sh", "-c", "mount -t tmpfs none "+dir+" && echo ready && read line")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	return directory(t, fmt.Sprintf("/proc/%d/root%s", cmd.Process.Pid, dir))
}

// A root that is in an overlay, as in a container, is one more; the kernel takes
// no third.
func TestRootInAnOverlay(t *testing.T) {
	l, dir := openNative(t), root(t)
	lower := dir
	for depth := 1; ; depth++ {
		on := t.TempDir()
		err := unix.Mount("test", on, "overlay", 0, "lowerdir="+lower+":/bin")
		if err != nil {
			t.Fatalf("overlay %d: %v", depth, err)
		}
		t.Cleanup(func() { unix.Unmount(on, unix.MNT_DETACH) })
		if depth == 1 {
			if got := shell(t, l, on, "echo inside"); got != "inside" {
				t.Errorf("in an overlay: %q", got)
			}
			lower = on
			continue
		}
		s := nativeSpec(t, on, nil, "/bin/true")
		s.ID, s.Stderr = "a", os.Stderr
		if _, err := l.Start(s); err == nil || !strings.Contains(err.Error(), "overlay") {
			t.Errorf("in an overlay of overlays: %v", err)
		}
		return
	}
}
